import { JobError } from '@hyper2kvm/contracts';

/** Whether work was stopped because the user does not want it any more. */
export const isCancel = (reason: unknown): boolean =>
  (reason as { kind?: unknown } | undefined)?.kind === 'cancelled' ||
  (reason instanceof JobError && reason.code === 'CANCELLED');

/** Whatever it was, this attempt ends with an answer: what is not expected is INTERNAL, and cleaned up like the rest. */
export function asJobError(error: unknown, folder: string): JobError {
  if (error instanceof JobError) return error;
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: '', message: String(error) };
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new JobError('DISK_FULL', `no space left in ${folder}`, { cause: error });
  return new JobError('INTERNAL', `the export failed: ${message}`, { cause: error });
}

/** The same failure with more sentences. */
export const withSentences = (failure: JobError, sentences: readonly string[]): JobError =>
  sentences.length === 0
    ? failure
    : new JobError(failure.code, [failure.message, ...sentences].join('. '), {
        cause: failure,
        retryable: failure.retryable,
      });
