import { readFileSync, statSync } from 'node:fs';
import type { LuksKey } from '@hyper2kvm/contracts';
import { UsageError } from './errors.js';
import { unreadable } from './file-errors.js';
import { given } from './given.js';

/** What a key in base64 may be long, in bytes. */
const MOST_BYTES = 12_288;
/** `UUID=`, a bare UUID or a device, each before `=FILE`; a file's name may hold a `=` too. */
const OF_DEVICE = /^(?:(?:UUID=)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(\/dev\/[^=]+))=(.+)$/is;

export interface LuksKeys {
  readonly keys: readonly LuksKey[];
  /** What the user should know about the files. */
  readonly warnings: readonly string[];
}

/**
 * Keys of LUKS volumes: of files, `[UUID-or-device=]FILE` each, and the passphrase of HYPER2KVM_LUKS_KEY. Never from the
 * arguments themselves: every process may read these.
 * @throws UsageError about --luks-key
 */
export function readLuksKeys(files: readonly string[], env: NodeJS.ProcessEnv): LuksKeys {
  const read = files.map((text) => readKey(text));
  const passphrase = env['HYPER2KVM_LUKS_KEY'] ?? '';
  return {
    keys: [
      ...read.map(({ key }) => key),
      ...(passphrase === '' ? [] : [{ key_base64: Buffer.from(passphrase).toString('base64') }]),
    ],
    warnings: read.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
  };
}

function readKey(text: string): { key: LuksKey; warning?: string } {
  const [, uuid, device, named] = OF_DEVICE.exec(text) ?? [];
  const file = named ?? text;
  const key = keyOfFile(file, '--luks-key');
  return {
    key: { ...given('device', uuid?.toLowerCase() ?? device), key_base64: key },
    ...given('warning', warningOf(file)),
  };
}

/** What the user should know about a file with a key. */
export const warningOf = (file: string): string | undefined =>
  (statSync(file).mode & 0o077) === 0 ? undefined : `${file} can be read by others: chmod 600 ${file}`;

/** The key in a file, as base64. @throws UsageError naming the flag or place that named the file */
export function keyOfFile(file: string, named: string): string {
  const key = withoutNewline(readFile(file, named));
  if (key.length === 0) throw new UsageError(`${named}: ${file} is empty`);
  if (key.length > MOST_BYTES)
    throw new UsageError(`${named}: ${file} is larger than ${MOST_BYTES} bytes`, 'give a key file, not an image');
  return key.toString('base64');
}

function readFile(file: string, named: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(named, file, error, '--luks-key [UUID-or-device=]FILE');
  }
}

/** The one that an editor or `echo` adds is not part of a passphrase. */
const withoutNewline = (bytes: Buffer): Buffer => (bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes);
