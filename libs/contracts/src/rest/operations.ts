import { z } from 'zod';
import { ErrorCode } from '../errors.js';
import { Bytes, Timestamp } from '../words.js';

const Durations = z.object({
  /** Attempts that ended since then, completed or failed. */
  count: z.number().int(),
  failed: z.number().int(),
  /** Of the completed ones. */
  mean_seconds: z.number().nullable(),
  p50_seconds: z.number().nullable(),
  p99_seconds: z.number().nullable(),
});

/** GET /api/v1/stats?since= (default: 30 days) */
export const StatsQuery = z.strictObject({ since: Timestamp.optional() });
export type StatsQuery = z.infer<typeof StatsQuery>;
export const Stats = z.object({
  since: Timestamp,
  /** Created since then, by status. */
  jobs: z.record(z.string(), z.number().int()),
  /** Of these jobs. */
  retries: z.number().int(),
  exporter: Durations.extend({
    bytes_downloaded: Bytes,
    capacity_bytes: Bytes,
    /** Downloaded, while exports ran. */
    bytes_per_second: z.number().nullable(),
  }),
  converter: Durations.extend({ booted: z.number().int(), proof_failed: z.number().int() }),
  /** Of attempts, the most frequent first. */
  failures: z.array(z.object({ code: ErrorCode, count: z.number().int() })),
  /** Jobs by the day of their end, in UTC, oldest first; days without any are left out. */
  days: z.array(
    z.object({
      day: z.iso.date(),
      completed: z.number().int(),
      failed: z.number().int(),
      bytes_downloaded: Bytes,
    }),
  ),
});
export type Stats = z.infer<typeof Stats>;

/** A message that nobody could or may handle. */
export const DeadLetter = z.object({
  /** Its sequence in the stream DEAD_LETTERS. */
  id: z.string().regex(/^\d{1,16}$/),
  /** Where it came from: `export.requested.normal.any.job-abc123`. */
  subject: z.string(),
  type: z.string().nullable(),
  /** The job, batch or hook that it speaks of. */
  about: z.string().nullable(),
  reason: z.string(),
  /** The service that put it aside. */
  source: z.string(),
  time: Timestamp,
  bytes: Bytes,
});
export type DeadLetter = z.infer<typeof DeadLetter>;

/** GET /api/v1/dead-letters?limit=&cursor=, newest first */
export const DeadLetterQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional(),
});
export type DeadLetterQuery = z.infer<typeof DeadLetterQuery>;
export const DeadLetterList = z.object({
  dead_letters: z.array(DeadLetter),
  total: z.number().int(),
  next_cursor: z.string().nullable(),
});
export type DeadLetterList = z.infer<typeof DeadLetterList>;
/** GET /api/v1/dead-letters/{id}; secrets are redacted. */
export const DeadLetterDetail = DeadLetter.extend({
  headers: z.record(z.string(), z.string()),
  /** The body where it is JSON, else as text; null of one that was too large to be kept. */
  data: z.unknown(),
});
export type DeadLetterDetail = z.infer<typeof DeadLetterDetail>;
/** POST /api/v1/dead-letters/{id}/resend */
export const DeadLetterResent = z.object({
  /** What was done: a command's job was tried again, or the message was published to its subject again. */
  action: z.enum(['retried', 'republished']),
  message: z.string(),
});
export type DeadLetterResent = z.infer<typeof DeadLetterResent>;

/** Days after which something goes; null keeps it. */
const Days = z.number().int().nullable();

/** GET /api/v1/retention: the policy, and what it would remove now. POST /api/v1/retention/run: what it removed, or would. */
export const RetentionReport = z.object({
  policy: z.object({ jobs_days: Days, artifacts_days: Days, audit_days: Days, messages_days: Days }),
  enabled: z.boolean(),
  dry_run: z.boolean(),
  /** Of jobs that ended long ago: row, timeline, log. Their output stays. */
  jobs: z.array(z.object({ job_id: z.string(), vm_name: z.string(), status: z.string(), completed_at: Timestamp })),
  /** Exported images that nobody needs any more. */
  artifacts: z.array(
    z.object({
      job_id: z.string(),
      vm_name: z.string(),
      folder: z.string(),
      /** What was downloaded for them: they take about as much, or somewhat more. */
      bytes: Bytes.nullable(),
    }),
  ),
  audit_entries: z.number().int(),
  /** Rows of outbox, inbox and idempotency keys. */
  messages: z.number().int(),
  last_run_at: Timestamp.nullable(),
});
export type RetentionReport = z.infer<typeof RetentionReport>;
export const RetentionRun = z.strictObject({ dry_run: z.boolean().default(true) }).prefault({});
export type RetentionRun = z.infer<typeof RetentionRun>;
