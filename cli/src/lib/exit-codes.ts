/** What the shell gets. */
export const EXIT = {
  ok: 0,
  /** The job failed or was cancelled, or the command itself could not be done. */
  failed: 1,
  usage: 2,
  /** The gateway cannot be reached. */
  unreachable: 3,
  notFound: 4,
  denied: 5,
  /** Ctrl-C, as shells count it: the job goes on. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const NOT_FOUND = new Set(['VM_NOT_FOUND', 'JOB_NOT_FOUND', 'BATCH_NOT_FOUND', 'NOT_FOUND']);
const DENIED = new Set(['UNAUTHENTICATED', 'FORBIDDEN', 'VCENTER_LOGIN', 'VCENTER_PERMISSION', 'PATH_DENIED']);

/** The exit code that belongs to an error code of the gateway. */
export function exitCodeOf(code: string): ExitCode {
  if (NOT_FOUND.has(code)) return EXIT.notFound;
  if (DENIED.has(code)) return EXIT.denied;
  return code === 'BAD_REQUEST' ? EXIT.usage : EXIT.failed;
}
