import { z } from 'zod';
import { Failure } from '../errors.js';
import { Source } from '../options.js';
import { Timestamp, Token, WorkerPath } from '../words.js';
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
