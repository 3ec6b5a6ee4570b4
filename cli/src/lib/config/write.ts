import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { inlineToken, parseTree, readText, tolerant } from './read.js';

const OWN = 0o600;
const TRIES = 20;

/**
 * Changes the file: at once and whole, so that nobody reads half of it; made with its folder where it is not there. It keeps its
 * mode, but that nobody else may read it once a token stands in it. A link stays one: what it leads to is changed.
 * @param change is given the text, which is YAML, and may be asked again where somebody else changed the file meanwhile
 * @throws UsageError where the file is not YAML
 */
export function changeConfig(file: string, change: (text: string) => string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  for (let tries = 1; ; tries += 1) {
    const before = readText(file);
    parseTree(file, before ?? '');
    const after = change(before ?? '');
    if (after === before) return;
    const target = before === undefined ? file : realpathSync(file);
    const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString('hex')}`);
    try {
      writeWhole(temporary, after, before === undefined ? undefined : statSync(target));
      if (readText(file) === before) return renameSync(temporary, target);
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    }
    unlinkSync(temporary);
    if (tries === TRIES) throw new UsageError(`${file} is being changed by somebody else`, 'try it again');
  }
}

function writeWhole(file: string, text: string, old: Stats | undefined): void {
  const { common, contexts } = tolerant(file, text);
  const mode = old === undefined || inlineToken(common, contexts) !== undefined ? OWN : old.mode & 0o777;
  const handle = openSync(file, 'wx', OWN);
  try {
    writeSync(handle, text);
    fchmodSync(handle, mode);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  // Of somebody else, where root changes it.
  if (old !== undefined && process.getuid?.() === 0) chownSync(file, old.uid, old.gid);
}
