import { retryDelayMs, transition, type Failure } from '@hyper2kvm/contracts';
import type { JobRow } from '../database/index.js';
import { leftSomething } from './cleanup.js';
import type { Setting } from './decide.js';
import type { Decision } from './decision.js';
import { notTriedAgain, wasRefused } from './log-sentences.js';
import * as messages from './messages.js';
import { moved, withCleanup } from './moves.js';

/**
 * Its turn has come, and it cannot start: the VM was not found, another job moves it, its hook failed. A passing reason (vCenter
 * is away) has it try again later, by the retry policy. Undefined where the job does not wait any more.
 */
export function decideRefuse(job: JobRow, failure: Failure, setting: Setting): Decision | undefined {
  const to = transition(job.status, 'refuse');
  if (to === undefined || job.releasedAt !== null) return undefined;
  const retryable = setting.retryable(failure);
  const delay = retryDelayMs(setting.policy, job.phaseRetries, retryable);
  if (delay !== undefined) {
    const nextRetryAt = new Date(setting.now.getTime() + delay);
    const patch = {
      error: failure.message,
      failure,
      nextRetryAt,
      phaseRetries: job.phaseRetries + 1,
      updatedAt: setting.now,
    };
    const message = `It could not start: ${failure.message} It is tried again at ${nextRetryAt.toISOString()}.`;
    return { patch, messages: [wasRefused(job, message, setting.now)], events: [{ event: 'job.refused', message }] };
  }
  const patch = { ...moved(job, to, setting.now), error: failure.message, failure, errorFile: null };
  const refused = wasRefused(job, `It could not start: ${failure.message}`, setting.now);
  const told = [
    messages.failed({ ...job, ...patch }, failure, setting.now),
    refused,
    notTriedAgain(job, failure, retryable, setting.now),
  ];
  const end = { patch, messages: told };
  return leftSomething(job) ? withCleanup(job, end, { removeFiles: true }) : end;
}
