import { z } from 'zod';
import { Phase } from '../words.js';

/** The seed's `status` column, and `cancelled`. */
export const JOB_STATUSES = [
  'pending',
  'exporting',
  'exported',
  'converting',
  'completed',
  'failed',
  'cancelled',
] as const;
export const JobStatus = z.enum(JOB_STATUSES);
export type JobStatus = z.infer<typeof JobStatus>;

/** What can move a job: the facts of workers, what the gateway finds out before a release, and what users ask. */
export const JOB_TRIGGERS = [
  'export.started',
  'export.completed',
  'export.failed',
  'conversion.started',
  'conversion.completed',
  'conversion.failed',
  'refuse',
  'convert',
  'retry export',
  'retry conversion',
  'cancel',
] as const;
export type JobTrigger = (typeof JOB_TRIGGERS)[number];

export interface Transition {
  readonly from: readonly JobStatus[];
  readonly on: JobTrigger;
  readonly to: JobStatus;
  readonly why: string;
}

/**
 * Every way in which a job's status changes; what is not here is ignored (facts that arrive late) or refused (requests).
 * Facts may overtake each other, so "completed" implies "started": each row starts from all the states that it may find.
 */
export const TRANSITIONS: readonly Transition[] = [
  { from: ['pending'], on: 'export.started', to: 'exporting', why: 'an exporter took the job' },
  {
    from: ['pending', 'exporting'],
    on: 'export.completed',
    to: 'exported',
    why: 'all disks are there and verified; with auto_convert the conversion is asked for at once',
  },
  { from: ['pending', 'exporting'], on: 'export.failed', to: 'failed', why: 'the export ended with an error' },
  {
    from: ['pending'],
    on: 'refuse',
    to: 'failed',
    why: 'its turn came, and the VM cannot be moved: not found, moved by another job, or its hook failed',
  },
  {
    from: ['exported'],
    on: 'convert',
    to: 'exported',
    why: 'a job that rested after its export is asked to convert',
  },
  { from: ['exported'], on: 'conversion.started', to: 'converting', why: 'a converter took the job' },
  {
    from: ['exported', 'converting'],
    on: 'conversion.completed',
    to: 'completed',
    why: 'the output is promoted: the job is done',
  },
  {
    from: ['exported', 'converting'],
    on: 'conversion.failed',
    to: 'failed',
    why: 'the conversion ended with an error',
  },
  { from: ['failed'], on: 'retry export', to: 'pending', why: 'another attempt, from the source on' },
  {
    from: ['failed'],
    on: 'retry conversion',
    to: 'exported',
    why: 'another attempt; the artifacts still stand, so nothing is fetched again',
  },
  {
    from: ['pending', 'exporting', 'exported', 'converting', 'failed'],
    on: 'cancel',
    to: 'cancelled',
    why: 'the user does not want it any more',
  },
];

/** The status after `on`, or undefined when the table has no such row: then nothing happens. */
export function transition(from: JobStatus, on: JobTrigger): JobStatus | undefined {
  return TRANSITIONS.find((row) => row.on === on && row.from.includes(from))?.to;
}

/** From these nothing goes on by itself. */
export const isEnded = (status: JobStatus): boolean =>
  status === 'completed' || status === 'failed' || status === 'cancelled';

/** The seed's `phase` column. */
export function phaseOf(status: JobStatus, previous: Phase = 'export'): Phase {
  switch (status) {
    case 'pending':
    case 'exporting':
      return 'export';
    case 'exported':
    case 'converting':
      return 'conversion';
    case 'completed':
      return 'cleanup';
    case 'failed':
    case 'cancelled':
      return previous;
  }
}

/** When a failed attempt is repeated by itself: the seed's `retry_policy`. */
export const RetryPolicy = z.strictObject({
  max_retries: z.number().int().min(0).max(100).default(3),
  /** Seconds before the first retry. */
  retry_delay: z.number().positive().default(300),
  backoff_multiplier: z.number().min(1).default(2),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;

/**
 * Milliseconds until the next attempt, or undefined when there is none.
 * @param retries how many were made so far
 */
export function retryDelayMs(policy: RetryPolicy, retries: number, retryable: boolean): number | undefined {
  if (!retryable || retries >= policy.max_retries) return undefined;
  return policy.retry_delay * 1000 * policy.backoff_multiplier ** retries;
}
