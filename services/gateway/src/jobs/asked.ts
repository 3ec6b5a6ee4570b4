import {
  conversionRequested,
  exportRequested,
  isEnded,
  transition,
  type JobOptions,
  type Lane,
} from '@hyper2kvm/contracts';
import type { JobRow } from '../database/index.js';
import { leftSomething } from './cleanup.js';
import type { Decision } from './decision.js';
import { isRetried, wasCancelled, wasReprioritised } from './log-sentences.js';
import * as messages from './messages.js';
import type { Outgoing } from './messages.js';
import { moved, nextAttempt, withCleanup, withConversion } from './moves.js';

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
  const told = isRetried(job, artifacts ? 'conversion' : 'export', now);
  return { ...decision, patch, messages: [...decision.messages, told] };
}

/** A user's cancel. Undefined where the state does not allow it. */
export function decideCancel(job: JobRow, by: string, now: Date): Decision | undefined {
  const to = transition(job.status, 'cancel');
  if (to === undefined) return undefined;
  const end = {
    patch: moved(job, to, now),
    messages: [...underWay(job), messages.cancelled(job, by), wasCancelled(job, by, now)],
  };
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

/** A user's new tags. */
export const decideTags = (job: JobRow, tags: readonly string[], now: Date): Decision => ({
  patch: { tags: [...tags], options: { ...job.options, tags: [...tags] }, updatedAt: now },
  messages: [],
});

/** What the conversion of a job that rests is to be like. */
export interface ConvertWish {
  /** As they are stored: secrets sealed. */
  readonly options: JobOptions;
  /** Of the target's converters, where it has its own. */
  readonly targetPool: string | null;
}

/** A user's wish to convert a job that rested after its export. Undefined where it does not rest. */
export function decideConvert(job: JobRow, { options, targetPool }: ConvertWish, now: Date): Decision | undefined {
  const to = transition(job.status, 'convert');
  if (to === undefined || job.conversionStatus !== null) return undefined;
  const asked: JobRow = { ...job, options, targetPool };
  return withConversion(asked, { ...moved(asked, to, now), options, targetPool, phaseRetries: 0 });
}

/**
 * Another lane. What waits in a queue moves at once, and waits there behind the others; what runs stays, and the phase after it
 * takes the new lane. Undefined where nothing comes after.
 * @param held a command that had not left, and when it was to: it is taken back, and leaves in the new lane
 */
export function decidePriority(
  job: JobRow,
  lane: Lane,
  how: { readonly now: Date; readonly maxRetries: number; readonly held?: Date },
): Decision | undefined {
  if (job.status === 'completed' || job.status === 'cancelled') return undefined;
  if (job.priority === lane) return { patch: {}, messages: [] };
  const { now } = how;
  const queued = isQueued(job);
  const patch = {
    priority: lane,
    options: { ...job.options, priority: lane },
    updatedAt: now,
    ...(queued || job.status === 'pending' ? { queuedAt: now } : {}),
    ...(queued ? { generation: job.generation + 1 } : {}),
  };
  const after: JobRow = { ...job, ...patch };
  const told = messages.reprioritised(after);
  const logged = wasReprioritised(after, now);
  if (!queued) return { patch, messages: [told, logged] };
  const command =
    job.status === 'pending'
      ? messages.requestExport(after, job.phaseRetries < how.maxRetries)
      : messages.requestConversion(after);
  return { patch, messages: [told, messages.inAnotherLane(command, how.held), logged] };
}

/** Whether its command waits for an exporter or a converter, as far as is known here. */
export const isQueued = (job: JobRow): boolean =>
  (job.status === 'pending' && job.releasedAt !== null) ||
  (job.status === 'exported' && job.conversionStatus === 'queued');
