import { z } from 'zod';
import { Failure } from '../errors.js';
import { HttpUrl } from '../options.js';
import { Activity, BatchId, Bytes, JobId, Lane, Phase, Timestamp } from '../words.js';
import { defineEvent, type EventData } from './define.js';
import { conversionCompleted, ConversionStep } from './conversion.js';

const JobFact = z.object({ job_id: JobId, vm_name: z.string() });

export const jobCreated = defineEvent({
  name: 'job.created',
  version: 1,
  schema: JobFact.extend({
    priority: Lane,
    created_at: Timestamp,
    requested_by: z.string(),
    tags: z.array(z.string()),
    batch_id: BatchId.optional(),
  }),
});
export const jobRetried = defineEvent({
  name: 'job.retried',
  version: 1,
  schema: JobFact.extend({ retry_count: z.number().int(), from: Phase }),
});
export const jobReprioritised = defineEvent({
  name: 'job.reprioritised',
  version: 1,
  schema: JobFact.extend({ priority: Lane }),
});
export const jobCancelled = defineEvent({
  name: 'job.cancelled',
  version: 1,
  schema: JobFact.extend({
    cancelled_by: z.string(),
    /** Missing from facts of versions before 0.2. */
    priority: Lane.optional(),
    tags: z.array(z.string()).optional(),
    notify_email: z.email().optional(),
    callback_url: HttpUrl.optional(),
    slack_webhook: HttpUrl.optional(),
    batch_id: BatchId.optional(),
    batch_name: z.string().optional(),
    trace_id: z.string().optional(),
  }),
});

/** What a notification needs, so that the notifier has to ask nobody. */
const Outcome = JobFact.extend({
  priority: Lane,
  tags: z.array(z.string()),
  notify_email: z.email().optional(),
  callback_url: HttpUrl.optional(),
  slack_webhook: HttpUrl.optional(),
  batch_id: BatchId.optional(),
  batch_name: z.string().optional(),
  created_at: Timestamp,
  completed_at: Timestamp,
  trace_id: z.string().optional(),
});
export const jobCompleted = defineEvent({
  name: 'job.completed',
  version: 1,
  schema: Outcome.extend({ bytes_downloaded: Bytes, result: conversionCompleted.schema }),
});
export type JobCompleted = EventData<typeof jobCompleted>;
export const jobFailed = defineEvent({
  name: 'job.failed',
  version: 1,
  schema: Outcome.extend({
    phase: Phase,
    failure: Failure,
    retry_count: z.number().int(),
    retry_available: z.boolean(),
    error_file: z.string().optional(),
  }),
});
export type JobFailed = EventData<typeof jobFailed>;

export const batchCompleted = defineEvent({
  name: 'batch.completed',
  version: 1,
  schema: z.object({
    batch_id: BatchId,
    completed: z.number().int(),
    failed: z.number().int(),
    cancelled: z.number().int(),
    name: z.string().optional(),
    requested_by: z.string().optional(),
    created_at: Timestamp.optional(),
    completed_at: Timestamp.optional(),
    notify_email: z.email().optional(),
    callback_url: HttpUrl.optional(),
    slack_webhook: HttpUrl.optional(),
  }),
});
export type BatchCompleted = EventData<typeof batchCompleted>;

/** Progress of one disk, counted in the source's capacity: holes count as done once they are passed. */
export const DiskProgress = z.object({
  index: z.number().int().positive(),
  name: z.string(),
  capacity_bytes: Bytes,
  done_bytes: Bytes,
  bytes_downloaded: Bytes,
  state: z.enum(['waiting', 'transferring', 'verifying', 'done']),
});
export type DiskProgress = z.infer<typeof DiskProgress>;

/** The newest state of a running job; at most 4 a second. */
export const jobProgress = defineEvent({
  name: 'job.progress',
  version: 1,
  stream: 'PROGRESS',
  schema: z.object({
    job_id: JobId,
    attempt: z.number().int().positive(),
    phase: Activity,
    time: Timestamp,
    percent_complete: z.number().min(0).max(100),
    /** Of capacity, in the last seconds; absent where it means nothing. */
    bytes_per_second: z.number().nonnegative().optional(),
    eta_seconds: z.number().int().nonnegative().optional(),
    disks: z.array(DiskProgress).optional(),
    step: ConversionStep.optional(),
    steps_completed: z.number().int().nonnegative().optional(),
    steps_total: z.number().int().positive().optional(),
  }),
});
export type JobProgress = EventData<typeof jobProgress>;

/** A line of the job's log, written for the user. */
export const jobLog = defineEvent({
  name: 'job.log',
  version: 1,
  stream: 'LOGS',
  schema: z.object({
    job_id: JobId,
    attempt: z.number().int().positive().optional(),
    time: Timestamp,
    level: z.enum(['debug', 'info', 'warn', 'error']),
    phase: Activity,
    step: z.string().optional(),
    message: z.string(),
    worker: z.string().optional(),
    /** The program that wrote this line; missing from sentences of our own. Its lines have level debug. */
    source: z.string().optional(),
    /** It tells the course of attempts, steps and disks, which whoever shows progress shows already. */
    course: z.boolean().optional(),
    /** Counts the lines of one worker's start of an attempt from 1: where the first is missing, limits dropped it. */
    number: z.number().int().positive().optional(),
  }),
});
export type JobLog = EventData<typeof jobLog>;
