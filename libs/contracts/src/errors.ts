import { z } from 'zod';

/** What a code means: whether a retry can help by itself, the HTTP status when it answers a request, and what to try. */
export interface ErrorMeaning {
  readonly retryable: boolean;
  readonly status: number;
  readonly title: string;
  readonly advice: string;
}

const meaning = (retryable: boolean, status: number, title: string, advice: string): ErrorMeaning => ({
  retryable,
  status,
  title,
  advice,
});

/**
 * Every failure that a user may see. Retryable ones are the seed's `retryable_errors` ("connection timeout", "network
 * unreachable", "temporary failure"); the others its `permanent_errors`.
 */
export const ERRORS = {
  // Source
  VCENTER_UNREACHABLE: meaning(
    true,
    502,
    'vCenter cannot be reached',
    'Check the name, the port and the network: curl -k https://<vcenter>/sdk',
  ),
  VCENTER_LOGIN: meaning(false, 401, 'vCenter refused the login', 'Check --username and VSPHERE_PASSWORD.'),
  VCENTER_TLS: meaning(
    false,
    502,
    "vCenter's certificate is not trusted",
    'Give its CA (--ca-file), pin it (--thumbprint), or, knowing the risk, use --insecure.',
  ),
  VCENTER_PERMISSION: meaning(
    false,
    403,
    'vCenter denied an operation',
    'Give the account the privileges of docs/vcenter-privileges.md; hyperctl vcenter test NAME tells which it lacks.',
  ),
  VCENTER_BUSY: meaning(
    true,
    503,
    'vCenter could not do it now',
    'It is tried again. Where it repeats: look at the recent tasks of the VM in vCenter, such as a backup.',
  ),
  VCENTER_FAULT: meaning(
    false,
    502,
    'vCenter answered with a fault',
    "Read the fault; vCenter's recent tasks show more.",
  ),
  VM_NOT_FOUND: meaning(
    false,
    404,
    'VM not found',
    'List what there is: hyperctl vms --vcenter <vcenter>; and check --datacenter.',
  ),
  VM_AMBIGUOUS: meaning(
    false,
    409,
    'several VMs have this name',
    'Give the inventory path or the managed object id as --vm.',
  ),
  VM_BUSY: meaning(
    false,
    409,
    'the VM already has an active job',
    'Follow it: hyperctl status --job <id> --follow; or end it: hyperctl cancel --job <id>.',
  ),
  VM_UNSUPPORTED: meaning(
    false,
    422,
    'the VM cannot be exported',
    'See the message: it names the device or state in the way.',
  ),
  VM_POWER: meaning(
    true,
    502,
    'the source VM could not be switched off',
    'Switch it off in vCenter, and convert it again with --source-power keep.',
  ),
  // Local files
  PATH_DENIED: meaning(
    false,
    403,
    'a path outside of the allowed folders',
    "Move the file beneath one of the folders in the exporter's allowed_roots, or add its folder there.",
  ),
  SOURCE_INVALID: meaning(
    false,
    422,
    'a given file is no disk that can be read',
    'The message names the file and what is wrong with it; qemu-img info FILE shows what it holds.',
  ),
  SOURCE_CHECKSUM: meaning(
    false,
    422,
    'a given file differs from its checksum',
    'Copy the file again from where it came.',
  ),
  // Export
  EXPORT_TRANSFER: meaning(
    true,
    502,
    'a disk transfer broke',
    'It is tried again; finished disks are not fetched again.',
  ),
  EXPORT_CORRUPT: meaning(
    true,
    502,
    'a disk stream is not a valid VMDK',
    'It is tried again from the source; if it repeats, check the datastore.',
  ),
  EXPORT_MISMATCH: meaning(
    true,
    500,
    'a written disk differs from what was received',
    "Check the worker's disk and memory: what was read back is not what was written.",
  ),
  SOURCE_CHANGED: meaning(
    true,
    409,
    'the source changed while it was read',
    'It is tried again: the export starts anew, nothing of before is mixed in.',
  ),
  TRANSPORT_UNAVAILABLE: meaning(
    false,
    422,
    'the transport that was asked for cannot be used',
    'The message says why; convert it again with --transport auto.',
  ),
  DATASTORE_FULL: meaning(
    false,
    507,
    'the source datastore is running out of space',
    "Free space on the datastore; the snapshot's delta grows there while the VM runs.",
  ),
  CLEANUP_INCOMPLETE: meaning(
    true,
    502,
    'something was left behind on vCenter',
    'It is tried again; the message names the snapshot, which can also be removed in vCenter.',
  ),
  EXPORT_LEASE: meaning(true, 502, 'the export lease was lost', 'It is tried again.'),
  ARTIFACT_MISSING: meaning(
    false,
    500,
    'the exported disks are not there',
    'Convert the VM again: the export is done anew.',
  ),
  // Conversion
  GUEST_NO_OS: meaning(
    false,
    422,
    'no operating system was found in the disks',
    'Check that all disks belong to this VM; a VM that holds data only: --no-os.',
  ),
  GUEST_MULTIPLE_OS: meaning(
    false,
    422,
    'several operating systems were found',
    'The message lists them; choose one: hyperctl retry --job <id> --root <device>.',
  ),
  GUEST_ENCRYPTED: meaning(
    false,
    422,
    'an encrypted volume cannot be opened',
    'LUKS: give its key, hyperctl retry --job <id> --luks-key FILE, or HYPER2KVM_LUKS_KEY. BitLocker: switch it off (manage-bde -off C:) on the source first.',
  ),
  GUEST_HIBERNATED: meaning(
    false,
    422,
    'the guest was not shut down',
    'Start the source VM, shut its guest down (Windows: shutdown /s /t 0, with fast startup off), and convert it then.',
  ),
  DRIVERS_MISSING: meaning(
    false,
    422,
    'drivers for KVM are missing',
    'Get virtio-win.iso (https://fedorapeople.org/groups/virt/virtio-win/direct-downloads/stable-virtio/) and name it as converter.virtio_win.',
  ),
  GUEST_UNSUPPORTED: meaning(false, 422, 'this guest cannot be converted', 'The message says what stands in the way.'),
  GUEST_CORRUPT: meaning(
    false,
    422,
    'a file system of the guest cannot be used',
    'Check the file system on the source VM (fsck, clean shutdown).',
  ),
  CONVERSION_STEP: meaning(false, 500, 'a conversion step failed', 'See the log of the job: hyperctl logs --job <id>.'),
  PROOF_FAILED: meaning(
    false,
    422,
    'the converted guest did not prove that it boots',
    "Look at the evidence: the serial log and the screenshot that the job's log names, hyperctl logs --job <id>.",
  ),
  DOMAIN_EXISTS: meaning(
    false,
    409,
    'libvirt already has a domain of this name',
    'It was left alone. Rename or undefine it (virsh undefine NAME), or choose another --target.',
  ),
  TARGET_UNSUITABLE: meaning(
    false,
    422,
    'the VM cannot go to this libvirt host',
    'The message names what is missing there; choose another --target or --map-network.',
  ),
  LIBVIRT: meaning(false, 502, 'libvirt refused', 'See the message; try: virsh -c <uri> list.'),
  // Worker
  DISK_FULL: meaning(
    false,
    507,
    'no space left',
    'Free space in the folder that the message names, or choose another --output-dir; then: hyperctl retry --job <id>.',
  ),
  VERIFY_MISMATCH: meaning(
    false,
    409,
    'a file differs from what was recorded of it',
    'The message names the first segment that differs. A VM that ran from the files has changed them.',
  ),
  OUTPUT_EXISTS: meaning(
    false,
    409,
    'the output folder already holds something else',
    'Move it away, or choose another folder: hyperctl retry --job <id> --output-dir FOLDER.',
  ),
  CHILD_FAILED: meaning(false, 500, 'a tool failed', 'See the log of the job: hyperctl logs --job <id>.'),
  CANCELLED: meaning(false, 409, 'cancelled', ''),
  STARTS_EXHAUSTED: meaning(
    false,
    500,
    'the work was started several times and never ended',
    "See the workers' logs; the message lies in the dead letters: hyperctl dead-letters list.",
  ),
  INVALID_MESSAGE: meaning(
    false,
    400,
    'a message could not be understood',
    'Are all services of one version? The message lies in the dead letters: hyperctl dead-letters list.',
  ),
  NO_WORKER: meaning(
    true,
    503,
    'no worker answered',
    'Start one: hyperctl daemon start --all, and look at hyperctl daemon status.',
  ),
  INTERNAL: meaning(true, 500, 'an unexpected error', "This is a defect: see the worker's log."),
  // Requests
  BAD_REQUEST: meaning(
    false,
    400,
    'the request is not valid',
    'Change what the message names; the flags of a command: hyperctl COMMAND --help, the fields of a request: /openapi.json.',
  ),
  UNAUTHENTICATED: meaning(
    false,
    401,
    'no token, or none that is known',
    'Set HYPER2KVM_TOKEN to a token; an admin makes one: hyperctl token create NAME --role operator.',
  ),
  FORBIDDEN: meaning(
    false,
    403,
    'this token may not do that',
    'Ask an admin for a token of a role that may: hyperctl token create NAME --role ROLE.',
  ),
  BATCH_NOT_FOUND: meaning(false, 404, 'no such batch', 'hyperctl batches list shows the batches.'),
  NOT_FOUND: meaning(
    false,
    404,
    'no such thing',
    'List what there is: hyperctl workers list, hyperctl vcenter list, hyperctl token list.',
  ),
  CONFLICT: meaning(false, 409, 'there is one of this name', 'Choose another name, or remove the first.'),
  RATE_LIMITED: meaning(
    true,
    429,
    'too many requests',
    'Wait as long as Retry-After says; many VMs at once: one batch instead of many requests.',
  ),
  IDEMPOTENCY_CONFLICT: meaning(
    false,
    422,
    'this Idempotency-Key was used for another request',
    'Use a new key for a new request, and the same one only to repeat the same request.',
  ),
  HOOK_FAILED: meaning(
    false,
    422,
    'a hook failed',
    "See its output in the job's log; then: hyperctl retry --job <id>.",
  ),
  JOB_NOT_FOUND: meaning(false, 404, 'no such job', 'hyperctl list shows the jobs.'),
  STATE_CONFLICT: meaning(
    false,
    409,
    'its present state does not allow that',
    'The message says what stands in the way; more: hyperctl status --job <id>, or of a batch: hyperctl batches show <batch>.',
  ),
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof ERRORS;
export const ErrorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

/** A failure on the wire: in facts, rows and answers. */
export const Failure = z.object({
  code: ErrorCode,
  /** One sentence: what happened, with names and figures; never a secret or a stack. */
  message: z.string(),
  advice: z.string(),
  retryable: z.boolean(),
  step: z.string().optional(),
});
export type Failure = z.infer<typeof Failure>;

/** An expected failure. Its code decides whether a retry can help; anything that is not a JobError is a defect. */
export class JobError extends Error {
  override readonly name = 'JobError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    options: { cause?: unknown; step?: string; retryable?: boolean; errorFile?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.step = options.step;
    this.errorFile = options.errorFile;
    this.retryable = options.retryable ?? ERRORS[code].retryable;
  }
  readonly step: string | undefined;
  /** Where the failure was written down on the worker, for facts that have a place for it. */
  readonly errorFile: string | undefined;
  readonly retryable: boolean;

  toFailure(): Failure {
    const { advice } = ERRORS[this.code];
    return {
      code: this.code,
      message: this.message,
      advice,
      retryable: this.retryable,
      ...(this.step === undefined ? {} : { step: this.step }),
    };
  }

  static from(failure: Failure): JobError {
    return new JobError(failure.code, failure.message, {
      retryable: failure.retryable,
      ...(failure.step === undefined ? {} : { step: failure.step }),
    });
  }
}
