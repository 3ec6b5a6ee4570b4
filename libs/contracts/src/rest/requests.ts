import { z } from 'zod';
import { jobLog } from '../events/job.js';
import { ErrorCode } from '../errors.js';
import { ConversionChanges, LuksKey, Tags } from '../options.js';
import { BatchId, BytesPerSecond, JobId, Lane, Timestamp } from '../words.js';

/** POST /api/v1/jobs/{id}/retry: a key that was missing, the system that is meant; the body may be left out. */
export const RetryRequest = z
  .strictObject({
    options: z.strictObject(ConversionChanges.shape).prefault({}),
    luks_keys: z.array(z.strictObject(LuksKey.shape)).max(32).optional(),
  })
  .prefault({});
export type RetryRequest = z.infer<typeof RetryRequest>;

/** POST /api/v1/jobs/retry: every failed job that meets all conditions; without one, every failed job. */
export const RetryAllRequest = z
  .strictObject({
    batch: BatchId.optional(),
    tag: z.string().max(64).optional(),
    since: Timestamp.optional(),
    /** Of the failure. */
    code: ErrorCode.optional(),
    options: z.strictObject(ConversionChanges.shape).prefault({}),
  })
  .prefault({});
export type RetryAllRequest = z.infer<typeof RetryAllRequest>;
export const RetryAllResult = z.object({
  retried: z.array(JobId),
  /** Could not be: of these nothing was changed. */
  refused: z.array(z.object({ job_id: JobId, code: ErrorCode, message: z.string() })),
});
export type RetryAllResult = z.infer<typeof RetryAllResult>;

/**
 * POST /api/v1/jobs/{id}/convert: the conversion of a job that rests in `exported`, with fix options of its own. The keys
 * `command`, `job_id` and `file` of the former daemon's `queue-job` are taken too: `job_id` has to be the path's, and where the
 * file lies is known of the job.
 */
export const QueueRequest = z
  .strictObject({
    command: z.literal('queue-job').optional(),
    job_id: JobId.optional(),
    file: z.string().max(4096).optional(),
    priority: Lane.optional(),
    options: z.strictObject(ConversionChanges.shape).prefault({}),
    luks_keys: z.array(z.strictObject(LuksKey.shape)).max(32).optional(),
  })
  .prefault({});
export type QueueRequest = z.infer<typeof QueueRequest>;

/** The seed's answer to it, 202. */
export const QueueAnswer = z.object({
  status: z.literal('ok'),
  message: z.string(),
  queue_position: z.number().int().nullable(),
  estimated_start: Timestamp.nullable(),
});
export type QueueAnswer = z.infer<typeof QueueAnswer>;

/** PATCH /api/v1/jobs/{id}: what can be changed while a job waits or runs; what is left out stays. */
export const JobPatch = z
  .strictObject({
    /** Of its exports; null lifts the limit. */
    bandwidth_bytes_per_second: BytesPerSecond.nullable().optional(),
    /** Moves it to another lane at once; of a phase that runs already, from the next phase on. */
    priority: Lane.optional(),
    tags: Tags.optional(),
  })
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), 'say what is to change');
export type JobPatch = z.infer<typeof JobPatch>;

/** GET /api/v1/jobs/{id}/logs?tail=&since=&until=&level=&after=&follow= */
export const JobLogsQuery = z.strictObject({
  /** The last so many of what is asked for. */
  tail: z.coerce.number().int().min(1).max(10_000).default(1000),
  since: Timestamp.optional(),
  until: Timestamp.optional(),
  /** This level, and what is worse. */
  level: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  /** Lines behind this `seq`. */
  after: z.coerce.number().int().nonnegative().optional(),
  /** True: server-sent events `log`, these lines and then the new ones as they come. */
  follow: z.stringbool().default(false),
});
export type JobLogsQuery = z.infer<typeof JobLogsQuery>;
export const JobLogs = z.object({
  job_id: JobId,
  /** Oldest first; `seq` is its place in the stream, for `after` and Last-Event-ID. */
  lines: z.array(jobLog.schema.extend({ seq: z.number().int().optional() })),
});
export type JobLogs = z.infer<typeof JobLogs>;
