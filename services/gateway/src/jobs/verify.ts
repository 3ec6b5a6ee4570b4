import type { VerifyCompleted, VerifyFailed } from '@hyper2kvm/contracts';
import type { JobRow, VerificationRow } from '../database/index.js';
import type { Decision } from './decision.js';
import * as messages from './messages.js';

export type VerifyFact =
  | { readonly name: 'verify.completed'; readonly data: VerifyCompleted }
  | { readonly name: 'verify.failed'; readonly data: VerifyFailed };

/** Folder of the files that the job has made; undefined while there are none, or while they are being changed. */
export function filesOf(job: JobRow): string | undefined {
  if (job.status === 'completed') return job.outputDir ?? undefined;
  if ((job.status !== 'exported' && job.status !== 'failed') || job.failure?.code === 'ARTIFACT_MISSING')
    return undefined;
  return job.artifactDir ?? undefined;
}

/** A user's wish to have the files read again; one that is under way is not begun a second time. Undefined where there are none. */
export function decideVerify(job: JobRow, now: Date): Decision | undefined {
  const folder = filesOf(job);
  if (folder === undefined) return undefined;
  if (job.verification?.status === 'queued') return { patch: {}, messages: [] };
  const verification: VerificationRow = {
    status: 'queued',
    requested_at: now.toISOString(),
    report: null,
    failure: null,
  };
  const patch = { verification, verifyAttempt: job.verifyAttempt + 1 };
  return { patch, messages: [messages.requestVerify({ ...job, ...patch }, folder)] };
}

/** Records the end of a verification. Undefined where it is not the one that is waited for. */
export function decideVerified(job: JobRow, fact: VerifyFact): Decision | undefined {
  const { verification } = job;
  if (verification?.status !== 'queued' || fact.data.attempt !== job.verifyAttempt) return undefined;
  if (fact.name === 'verify.failed')
    return { patch: { verification: { ...verification, status: 'failed', failure: fact.data.failure } }, messages: [] };
  const { job_id: _job, attempt: _attempt, worker: _worker, ...report } = fact.data;
  return { patch: { verification: { ...verification, status: 'completed', report } }, messages: [] };
}
