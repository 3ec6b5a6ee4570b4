import { readFileSync, statSync } from 'node:fs';
import { UsageError } from './errors.js';
import { unreadable } from './file-errors.js';
import { shellQuote } from './format.js';

/**
 * The first line of a file that its owner alone may read: a password.
 * @throws UsageError where it cannot be read, is empty, or others may read it
 */
export function readSecretFile(file: string, flag: string): string {
  let text: string;
  try {
    // Before its content: a secret that others may read is none any more.
    refuseOpen(file, flag);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw unreadable(flag, file, error);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new UsageError(`${flag}: ${file} is empty`);
  if (/[\r\n]/.test(secret)) throw new UsageError(`${flag}: ${file} has more than one line`, 'the password alone');
  return secret;
}

/** @param what stands in it. @throws UsageError where others than the owner may read or write a file */
export function refuseOpen(file: string, what: string): void {
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  throw new UsageError(
    `${file} holds a secret (${what}) and has mode 0${mode.toString(8)}: others may read it`,
    `chmod 600 ${shellQuote(file)}`,
  );
}
