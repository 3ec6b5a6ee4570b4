import { z } from 'zod';
import { Failure } from '../errors.js';
import { Activity, JobId, Timestamp } from '../words.js';

/** One try of a phase, or of a task of a job. */
export const Attempt = z.object({
  activity: Activity,
  /** From 1 within its activity. */
  attempt: z.number().int().positive(),
  worker: z.string().nullable(),
  started_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
  /** `queued`: it was asked for, and no worker has begun it. */
  outcome: z.enum(['queued', 'running', 'completed', 'failed', 'cancelled']),
  duration_seconds: z.number().nonnegative().nullable(),
  failure: Failure.nullable(),
  error_file: z.string().nullable(),
});
export type Attempt = z.infer<typeof Attempt>;

/** GET /api/v1/jobs/{id}/attempts, oldest first */
export const AttemptList = z.object({ job_id: JobId, attempts: z.array(Attempt) });
export type AttemptList = z.infer<typeof AttemptList>;

/** Something that happened to a job: a fact, a command that was let out, or what somebody asked. */
export const TimelineEvent = z.object({
  /** When it happened; for facts of workers, by their clock. */
  time: Timestamp,
  /** When the gateway wrote it down: the order of decisions. */
  recorded_at: Timestamp,
  /** `export.completed`, `job.reprioritised`, `conversion.requested`, `request.retry` (of a user), `export.moved` … */
  event: z.string(),
  attempt: z.number().int().nullable(),
  /** The worker, or who asked. */
  by: z.string().nullable(),
  /** A plain sentence. */
  message: z.string(),
});
export type TimelineEvent = z.infer<typeof TimelineEvent>;

/** GET /api/v1/jobs/{id}/timeline, oldest first */
export const Timeline = z.object({ job_id: JobId, events: z.array(TimelineEvent) });
export type Timeline = z.infer<typeof Timeline>;
