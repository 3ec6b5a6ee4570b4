import { phaseOf, transition, type JobStatus, type JobTrigger } from '@hyper2kvm/contracts';
import type { ConversionStatus, JobRow } from '../database/index.js';
import { askCleanup } from './cleanup.js';
import type { Decision, RowPatch } from './decision.js';
import * as messages from './messages.js';

/** The columns that follow from a status alone. */
export function moved(job: JobRow, status: JobStatus, now: Date): RowPatch {
  const phase = phaseOf(status, job.phase);
  return {
    status,
    phase,
    conversionStatus: conversionStatus(
      status,
      phase === 'conversion',
      job.options.auto_convert || job.conversionAttempt > 0,
    ),
    updatedAt: now,
    completedAt: status === 'completed' || status === 'failed' || status === 'cancelled' ? now : null,
    // Going on means that the last failure is overcome.
    ...(status === 'failed' || status === 'cancelled' ? {} : { error: null, failure: null, errorFile: null }),
    nextRetryAt: null,
    // It begins to wait for what comes next.
    ...(status === 'pending' || status === 'exported' ? { queuedAt: now } : {}),
  };
}

function conversionStatus(status: JobStatus, inConversion: boolean, wanted: boolean): ConversionStatus | null {
  if (status === 'converting' || status === 'completed') return status;
  if (status === 'exported') return wanted ? 'queued' : null;
  return status === 'failed' && inConversion ? 'failed' : null;
}

/** The same, and the removal of what the export left. */
export function withCleanup(
  job: JobRow,
  decision: Decision,
  how: { readonly removeFiles: boolean; readonly notBefore?: Date },
): Decision {
  const { patch, message } = askCleanup({ ...job, ...decision.patch }, how);
  return { patch: { ...decision.patch, ...patch }, messages: [...decision.messages, message] };
}

/** Asks for the next attempt of the conversion. */
export function withConversion(job: JobRow, patch: RowPatch): Decision {
  const asked: RowPatch = { ...patch, conversionAttempt: job.conversionAttempt + 1, conversionStatus: 'queued' };
  return { patch: asked, messages: [messages.requestConversion({ ...job, ...asked })] };
}

export type Retry = Extract<JobTrigger, 'retry export' | 'retry conversion'>;

/** Another attempt of a failed job: by itself, or because a user asked. */
export function nextAttempt(job: JobRow, retry: Retry, now: Date): Decision {
  const to = transition(job.status, retry);
  if (to === undefined) throw new Error(`${retry} is not possible for a job that is ${job.status}`);
  const base: RowPatch = { ...moved(job, to, now), retryCount: job.retryCount + 1 };
  const from = retry === 'retry export' ? 'export' : 'conversion';
  if (from === 'conversion') {
    const { patch, messages: commands } = withConversion(job, { ...base, conversionStartedAt: null });
    return { patch, messages: [messages.retried({ ...job, ...patch }, from), ...commands] };
  }
  const patch: RowPatch = {
    ...base,
    exportAttempt: job.exportAttempt + 1,
    exportStartedAt: null,
    exportCompletedAt: null,
    exportDurationSeconds: null,
    bytesDownloaded: null,
    artifactDir: null,
    artifact: null,
    // It waits for room again, and its command leaves when there is some.
    releasedAt: null,
  };
  return { patch, messages: [messages.retried({ ...job, ...patch }, from)] };
}
