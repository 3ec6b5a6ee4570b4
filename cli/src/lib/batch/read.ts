import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { BatchBody } from '../batches-api.js';
import { UsageError } from '../errors.js';
import { asText, unreadable } from '../file-errors.js';
import { refuseOpen } from '../secret-file.js';
import { readStdin } from '../stdin.js';
import { parseManifest } from './manifest.js';
import { parseNames } from './names.js';

/**
 * A plan for many VMs: a text file of names, or a manifest in YAML or JSON; `-` is standard input.
 * @param warn hears what the user should know about files with keys
 * @throws UsageError naming the file and the line
 */
export function readPlan(file: string, warn: (text: string) => void = () => {}): BatchBody {
  const stdin = file === '-';
  const shown = stdin ? 'standard input' : file;
  const text = readText(stdin ? 0 : file, shown);
  if (!isManifest(file, text)) return { vms: parseNames(text, shown) };
  return parseManifest({
    text,
    shown,
    folder: stdin ? process.cwd() : path.dirname(path.resolve(file)),
    warn,
    refuseSecrets: (what) => {
      if (!stdin) return refuseOpen(file, what);
      throw new UsageError(
        `${what}: no secrets on standard input`,
        'a file of mode 0600, VSPHERE_PASSWORD, or key_file',
      );
    },
  });
}

function readText(source: 0 | string, shown: string): string {
  let bytes: Buffer;
  try {
    bytes = source === 0 ? readStdin() : readFileSync(source);
  } catch (error) {
    throw unreadable('--batch', shown, error, 'a text file of names, one a line, or a manifest in YAML');
  }
  return asText('--batch', shown, bytes);
}

/** By its name; else by its first line that says something. */
function isManifest(file: string, text: string): boolean {
  const extension = path.extname(file).toLowerCase();
  if (['.yaml', '.yml', '.json'].includes(extension)) return true;
  if (extension === '.txt') return false;
  const first = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !line.startsWith('#'));
  return first !== undefined && /^(?:---|\{|[a-z_]+:(?:\s|$))/.test(first);
}
