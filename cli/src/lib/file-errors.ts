import { getSystemErrorMap } from 'node:util';
import { UsageError } from './errors.js';
import { shellQuote } from './format.js';

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on its file system',
  EDQUOT: 'the quota is used up',
  EISDIR: 'it is a directory',
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is no folder',
  EACCES: 'this user has no permission',
  EPERM: 'this user has no permission',
  EROFS: 'its file system is read-only',
};

/** Why the operating system refused a file, in words. */
export function whySystem(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return message;
  return WORDS[code] ?? (errno === undefined ? code : (getSystemErrorMap().get(errno)?.[1] ?? code));
}

/** A file that was named and cannot be read. @param named the flag or key that names it */
export function unreadable(named: string, file: string, error: unknown, advice?: string): UsageError {
  const { code } = error as NodeJS.ErrnoException;
  const look = code === 'EACCES' || code === 'EPERM' ? `ls -l ${shellQuote(file)} shows who may read it` : advice;
  return new UsageError(`${named}: ${file} cannot be read: ${whySystem(error)}`, look);
}

/** The text of a file. @throws UsageError also where it is no text */
export function asText(named: string, file: string, bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Told below.
  }
  throw new UsageError(`${named}: ${file} is no text (UTF-8)`, `file ${shellQuote(file)} says what it is`);
}
