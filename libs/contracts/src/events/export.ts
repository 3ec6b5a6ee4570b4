import { z } from 'zod';
import { ArtifactSummary } from '../artifact.js';
import { Failure } from '../errors.js';
import { Machine } from '../machine.js';
import { ExportOptions, Source } from '../options.js';
import { Bytes, JobId, Lane, Timestamp, Token } from '../words.js';
import { defineCommand, defineEvent, type EventData } from './define.js';

/** On every fact of a worker: which attempt it speaks of, and who did it. */
export const WorkerFact = z.object({
  job_id: JobId,
  attempt: z.number().int().positive(),
  worker: z.string(),
});

export const exportStarted = defineEvent({
  name: 'export.started',
  version: 1,
  schema: WorkerFact.extend({ started_at: Timestamp, machine: Machine }),
});
export type ExportStarted = EventData<typeof exportStarted>;

export const exportCompleted = defineEvent({
  name: 'export.completed',
  version: 1,
  schema: WorkerFact.extend({
    artifact: ArtifactSummary,
    /** Absolute folder of `artifact.json` and the images, on storage that the converter sees. */
    artifact_dir: z.string().startsWith('/'),
    /** Pool whose workers can reach `artifact_dir`. */
    pool: Token,
    bytes_downloaded: Bytes,
    duration_seconds: z.number().nonnegative(),
    /** The snapshot that could not be removed; the gateway asks for its clean-up. */
    leftover: z.object({ vm: z.string(), snapshot: z.string() }).optional(),
  }),
});
export type ExportCompleted = EventData<typeof exportCompleted>;

export const exportFailed = defineEvent({
  name: 'export.failed',
  version: 1,
  schema: WorkerFact.extend({ failure: Failure }),
});
export type ExportFailed = EventData<typeof exportFailed>;

/** Common to all commands: what fences them. */
export const CommandFence = z.object({
  job_id: JobId,
  /** One try of a phase, from 1; facts of an older attempt are ignored. */
  attempt: z.number().int().positive(),
  /** Rises with every move between lanes; a message of an older generation is dropped. */
  generation: z.number().int().nonnegative(),
  lane: Lane,
  pool: Token,
});
export type CommandFence = z.infer<typeof CommandFence>;

export const exportRequested = defineCommand({
  name: 'export.requested',
  version: 1,
  completed: exportCompleted,
  failed: exportFailed,
  schema: CommandFence.extend({
    vm_name: z.string().min(1),
    moref: z.string().optional(),
    source: Source,
    options: ExportOptions.prefault({}),
    /**
     * True where another attempt may follow by itself: a failure that a retry can help then leaves snapshot and finished disks,
     * and whoever asked sends `task.cleanup` when no attempt follows.
     */
    keep_for_retry: z.boolean().optional(),
  }),
});
export type ExportRequested = EventData<typeof exportRequested>;
