import type { ErrorCode } from '@hyper2kvm/contracts';

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

const NOT_FOUND: readonly ErrorCode[] = ['VM_NOT_FOUND', 'JOB_NOT_FOUND', 'BATCH_NOT_FOUND', 'NOT_FOUND'];
const DENIED: readonly ErrorCode[] = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'VCENTER_LOGIN',
  'VCENTER_PERMISSION',
  'PATH_DENIED',
];
const USAGE: readonly ErrorCode[] = ['BAD_REQUEST'];

const BY_CODE = new Map<string, ExitCode>([
  ...NOT_FOUND.map((code) => [code, EXIT.notFound] as const),
  ...DENIED.map((code) => [code, EXIT.denied] as const),
  ...USAGE.map((code) => [code, EXIT.usage] as const),
]);

/** The exit code that belongs to an error code of the gateway; also to one that is newer than this hyperctl. */
export const exitCodeOf = (code: string): ExitCode => BY_CODE.get(code) ?? EXIT.failed;
