import { z } from 'zod';
import { Failure } from '../errors.js';
import { Hook, Source } from '../options.js';
import { BatchId, HookId, JobId, Timestamp, Token, WorkerPath } from '../words.js';
import { defineEvent, defineTask, type EventData } from './define.js';
import { CommandFence, WorkerFact } from './export.js';

export const cleanupCompleted = defineEvent({
  name: 'cleanup.completed',
  version: 1,
  schema: WorkerFact.extend({
    /** Names of the snapshots that were still there and are removed now. */
    removed_snapshots: z.array(z.string()),
    removed_files: z.boolean(),
  }),
});
export type CleanupCompleted = EventData<typeof cleanupCompleted>;

export const cleanupFailed = defineEvent({
  name: 'cleanup.failed',
  version: 1,
  schema: WorkerFact.extend({ failure: Failure }),
});
export type CleanupFailed = EventData<typeof cleanupFailed>;

/**
 * Removes what an export left: its lease, the snapshot `hyper2kvm-<job>`, its folder. Asked for when a job ends without a
 * worker that could (cancelled while it waited, starts exhausted, a removal that failed). Idempotent.
 */
export const cleanupRequested = defineTask({
  name: 'task.cleanup',
  version: 1,
  completed: cleanupCompleted,
  failed: cleanupFailed,
  schema: CommandFence.extend({
    vm_name: z.string().min(1),
    source: Source,
    /** Managed object id of the VM, where it is known. */
    moref: z.string().optional(),
    /** Whether `<work_dir>/<job>` goes too: false while its artifact is still of use. */
    remove_files: z.boolean(),
    /** The source was cleared up before and is not asked again, with a login that may be old: only the folder goes. */
    files_only: z.boolean().optional(),
  }),
});
export type CleanupRequested = EventData<typeof cleanupRequested>;

/** One image as it was read again. */
export const VerifiedFile = z.object({
  file: WorkerPath,
  segments: z.number().int().nonnegative(),
  /** Number of the first segment (64 MiB each, from 1) that differs; null when all agree. */
  first_difference: z.number().int().positive().nullable(),
  /** Why it could not be read at all. */
  problem: z.string().optional(),
});
export type VerifiedFile = z.infer<typeof VerifiedFile>;

export const verifyCompleted = defineEvent({
  name: 'verify.completed',
  version: 1,
  schema: WorkerFact.extend({
    /** True when every segment of every file agrees. */
    identical: z.boolean(),
    files: z.array(VerifiedFile),
    verified_at: Timestamp,
    duration_seconds: z.number().nonnegative(),
  }),
});
export type VerifyCompleted = EventData<typeof verifyCompleted>;

export const verifyFailed = defineEvent({
  name: 'verify.failed',
  version: 1,
  schema: WorkerFact.extend({ failure: Failure }),
});
export type VerifyFailed = EventData<typeof verifyFailed>;

/** Reads the images of a job again and compares them with the hashes recorded in `artifact.json` or `manifest.json`. */
export const verifyRequested = defineTask({
  name: 'task.verify',
  version: 1,
  completed: verifyCompleted,
  failed: verifyFailed,
  schema: CommandFence.extend({
    /** Folder of `artifact.json` (exported) or `manifest.json` (converted). */
    folder: WorkerPath,
  }),
});
export type VerifyRequested = EventData<typeof verifyRequested>;

export const importCompleted = defineEvent({
  name: 'import.completed',
  version: 1,
  schema: WorkerFact.extend({
    /** Name of the domain. */
    libvirt_domain: z.string(),
    libvirt_uri: z.string(),
    /** False where the same domain was defined before. */
    defined: z.boolean(),
    started: z.boolean(),
    concerns: z.array(z.string()),
  }),
});
export type ImportCompleted = EventData<typeof importCompleted>;

export const importFailed = defineEvent({
  name: 'import.failed',
  version: 1,
  schema: WorkerFact.extend({ failure: Failure }),
});
export type ImportFailed = EventData<typeof importFailed>;

/** Defines the domain of a finished output in libvirt. Idempotent; another domain of the same name is left alone. */
export const importRequested = defineTask({
  name: 'task.import',
  version: 1,
  completed: importCompleted,
  failed: importFailed,
  schema: CommandFence.extend({
    /** Folder of `manifest.json`. */
    folder: WorkerPath,
    /** A target of the configuration; default: the converter's own libvirt. */
    target: Token.optional(),
    start: z.boolean().optional(),
  }),
});
export type ImportRequested = EventData<typeof importRequested>;

/** On facts of hooks `job_id` is the id of the hook's run: it is what their queue and their records know them by. */
const HookFact = WorkerFact.extend({ job_id: HookId });

export const hookCompleted = defineEvent({
  name: 'hook.completed',
  version: 1,
  schema: HookFact.extend({
    /** The exit code of a command, or the status of an HTTP answer. */
    code: z.number().int(),
    /** The end of what it printed or answered, without control characters. */
    output: z.string().max(16_384),
    duration_seconds: z.number().nonnegative(),
  }),
});
export type HookCompleted = EventData<typeof hookCompleted>;

export const hookFailed = defineEvent({
  name: 'hook.failed',
  version: 1,
  schema: HookFact.extend({ failure: Failure }),
});
export type HookFailed = EventData<typeof hookFailed>;

/** What a hook is about: the body of its HTTP call, and the environment (`HYPER2KVM_VM_NAME` …) of its command. */
export const HookSubject = z.object({
  moment: z.enum(['before', 'after']),
  scope: z.enum(['vm', 'wave']),
  job_id: JobId.optional(),
  vm_name: z.string().optional(),
  /** After a VM: how its job ended. */
  status: z.string().optional(),
  output_dir: z.string().optional(),
  batch_id: BatchId.optional(),
  batch_name: z.string().optional(),
  wave: z.string().optional(),
});
export type HookSubject = z.infer<typeof HookSubject>;

/** Runs a hook on a worker, up to its time limit. At least once: a worker that died in it has it run again. */
export const hookRequested = defineTask({
  name: 'task.hook',
  version: 1,
  completed: hookCompleted,
  failed: hookFailed,
  schema: CommandFence.extend({ job_id: HookId, hook: Hook, about: HookSubject }),
});
export type HookRequested = EventData<typeof hookRequested>;
