import { createHash } from 'node:crypto';
import { wrongChecksum } from '../failures.js';
import type { ByteSource } from './source-file.js';

export type DigestName = 'md5' | 'sha1' | 'sha256' | 'sha512';

/** A digest that was given for a file. */
export interface ExpectedDigest {
  readonly algorithm: DigestName;
  /** Lower-case hexadecimal digits. */
  readonly value: string;
}

const READ_BYTES = 1024 * 1024;

/** As the contract has it: `sha256:…`. */
export function parseChecksum(text: string): ExpectedDigest {
  const [algorithm = '', value = ''] = text.toLowerCase().split(':');
  return { algorithm: algorithm as DigestName, value };
}

export const checksumText = ({ algorithm, value }: ExpectedDigest): string => `${algorithm}:${value}`;

/** Reads the whole file. @throws JobError SOURCE_CHECKSUM; the signal's reason */
export async function verifyDigest(file: ByteSource, expected: ExpectedDigest, signal: AbortSignal): Promise<void> {
  const hash = createHash(expected.algorithm);
  for (let at = 0; at < file.sizeBytes; at += READ_BYTES) {
    signal.throwIfAborted();
    hash.update(await file.read(at, Math.min(READ_BYTES, file.sizeBytes - at)));
  }
  const value = hash.digest('hex');
  if (value !== expected.value)
    throw wrongChecksum(file.name, checksumText(expected), checksumText({ algorithm: expected.algorithm, value }));
}
