import { randomBytes } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 12;
/** Bytes from here on would make the first letters likelier. */
const EVEN = 256 - (256 % ALPHABET.length);

/** `job-7k2m9x4qa3hd`: the prefix and 12 characters, 62 bits. */
export function newId(prefix: 'job' | 'batch' | 'hook'): string {
  let text = '';
  while (text.length < LENGTH)
    for (const byte of randomBytes(LENGTH * 2))
      if (byte < EVEN && text.length < LENGTH) text += ALPHABET.charAt(byte % ALPHABET.length);
  return `${prefix}-${text}`;
}
