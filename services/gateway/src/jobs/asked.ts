import { conversionRequested, exportRequested, isEnded, transition } from '@hyper2kvm/contracts';
import type { JobRow } from '../database/index.js';
import { leftSomething } from './cleanup.js';
import type { Decision } from './decision.js';
import * as messages from './messages.js';
import type { Outgoing } from './messages.js';
import { moved, nextAttempt, withCleanup } from './moves.js';

/** A worker that is told to stop needs up to this long to let go of its lease and its files. */
const LET_GO_MS = 5_000;

/** Lets a pending job into the queue. Undefined where it does not wait for that any more. */
export function decideRelease(job: JobRow, now: Date, maxRetries: number): Decision | undefined {
  if (job.status !== 'pending' || job.releasedAt !== null) return undefined;
  return {
    patch: { releasedAt: now, nextRetryAt: null, updatedAt: now },
    messages: [messages.requestExport(job, job.phaseRetries < maxRetries)],
  };
}

/**
 * A user's retry. The conversion alone is repeated while the artifacts stand. Undefined where the state does not allow it.
 * @param withdrawn a clean-up that had not left was taken back
 */
export function decideRetry(job: JobRow, now: Date, withdrawn = false): Decision | undefined {
  if (job.status !== 'failed') return undefined;
  const artifacts = job.artifactDir !== null && job.failure?.code !== 'ARTIFACT_MISSING';
  const decision = nextAttempt(job, artifacts ? 'retry conversion' : 'retry export', now);
  const { options, targetPool } = job;
  // Its batch, or its hook, lets it in again.
  const held = artifacts ? false : job.batchId !== null || options.hooks?.before !== undefined;
  const patch = {
    ...decision.patch,
    options,
    targetPool,
    phaseRetries: 0,
    ...(withdrawn ? { cleanup: null } : {}),
    ...(held ? { admittedAt: null } : {}),
  };
  return { ...decision, patch };
}

/** A user's cancel. Undefined where the state does not allow it. */
export function decideCancel(job: JobRow, by: string, now: Date): Decision | undefined {
  const to = transition(job.status, 'cancel');
  if (to === undefined) return undefined;
  const end = { patch: moved(job, to, now), messages: [...underWay(job), messages.cancelled(job, by)] };
  if (!leftSomething(job)) return end;
  const idle = job.status === 'failed' || (job.status === 'pending' && job.releasedAt === null);
  return withCleanup(job, end, {
    removeFiles: true,
    ...(idle ? {} : { notBefore: new Date(now.getTime() + LET_GO_MS) }),
  });
}

/** Withdraws the command that a worker has or may take. */
function underWay(job: JobRow): Outgoing[] {
  if (job.status === 'pending' || job.status === 'exporting')
    return job.releasedAt === null ? [] : [messages.withdraw(exportRequested, job.id)];
  if (isEnded(job.status) || job.conversionAttempt === 0) return [];
  return [messages.withdraw(conversionRequested, job.id)];
}

/** A user's new limit for the exports of the job; null lifts it. Undefined where the job has ended. */
export function decideBandwidth(job: JobRow, limit: number | null, now: Date): Decision | undefined {
  if (isEnded(job.status)) return undefined;
  const { bandwidth_bytes_per_second: _before, ...options } = job.options;
  return {
    patch: {
      options: limit === null ? options : { ...options, bandwidth_bytes_per_second: limit },
      updatedAt: now,
    },
    messages: [messages.limitBandwidth(job.id, limit)],
  };
}
