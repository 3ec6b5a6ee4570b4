import { JobError } from '@hyper2kvm/contracts';

/** A given file that cannot be used. @param what a part of a sentence: `is a directory` */
export const invalid = (file: string, what: string): JobError => new JobError('SOURCE_INVALID', `${file} ${what}`);

export const denied = (file: string, what: string): JobError => new JobError('PATH_DENIED', `${file} ${what}`);

export const changed = (file: string): JobError =>
  new JobError('SOURCE_CHANGED', `${file} changed since the export began with it`);

export const wrongChecksum = (file: string, expected: string, found: string): JobError =>
  new JobError('SOURCE_CHECKSUM', `${file} should have the checksum ${expected}, and has ${found}`);

/** Why a file cannot be opened, for a person. */
export function openFailure(file: string, error: unknown): JobError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return invalid(file, 'does not exist');
  if (code === 'EACCES' || code === 'EPERM') return invalid(file, 'may not be read by the exporter');
  if (code === 'ELOOP') return denied(file, 'is a symbolic link');
  return invalid(file, `cannot be opened: ${message}`);
}
