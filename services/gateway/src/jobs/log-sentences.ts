import { durationWord, type Failure, type RetryPolicy } from '@hyper2kvm/contracts';
import type { JobRow } from '../database/index.js';
import * as messages from './messages.js';
import type { Outgoing } from './messages.js';

/** An attempt failed, and another follows by itself: why, when, and how many there are. */
export function triedAgain(job: JobRow, failure: Failure, policy: RetryPolicy, at: Date, now: Date): Outgoing {
  const pause = durationWord((at.getTime() - now.getTime()) / 1000);
  const count = `retry ${job.phaseRetries + 1} of ${policy.max_retries}`;
  const message = `The ${job.phase} is tried again in ${pause}, at ${at.toISOString()} (${count}): ${failure.code} may pass by itself`;
  return messages.log(job, { level: 'warn', phase: job.phase, message }, now);
}

/** An attempt failed, and none follows by itself. */
export function notTriedAgain(job: JobRow, failure: Failure, retryable: boolean, now: Date): Outgoing {
  const why = !retryable
    ? `${failure.code} does not pass by itself`
    : job.phaseRetries === 0
      ? 'the retry policy has no retries'
      : `it was tried again ${job.phaseRetries === 1 ? 'once' : `${job.phaseRetries} times`} already`;
  const message = `The job failed, and is not tried again by itself: ${why}. Once the cause is mended: hyperctl retry --job ${job.id}`;
  return messages.log(job, { level: 'error', phase: job.phase, message }, now);
}

export const wasRefused = (job: JobRow, message: string, now: Date): Outgoing =>
  messages.log(job, { level: 'warn', phase: job.phase, message }, now);

export const wasCancelled = (job: JobRow, by: string, now: Date): Outgoing =>
  messages.log(job, { level: 'warn', phase: job.phase, message: `The job was cancelled by ${by}` }, now);

export const wasReprioritised = (job: JobRow, now: Date): Outgoing =>
  messages.log(job, { level: 'info', phase: job.phase, message: `The priority is ${job.priority} now` }, now);

export const isRetried = (job: JobRow, from: 'export' | 'conversion', now: Date): Outgoing =>
  messages.log(
    job,
    { level: 'info', phase: from, message: `A user has the job tried again: it begins with its ${from}` },
    now,
  );
