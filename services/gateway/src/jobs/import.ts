import type { ImportCompleted, ImportFailed } from '@hyper2kvm/contracts';
import type { ImportRow, JobRow } from '../database/index.js';
import type { Decision } from './decision.js';
import * as messages from './messages.js';

export type ImportFact =
  | { readonly name: 'import.completed'; readonly data: ImportCompleted }
  | { readonly name: 'import.failed'; readonly data: ImportFailed };

export interface ImportWish {
  readonly target: string | undefined;
  /** Of the target's converters, where it has its own. */
  readonly pool: string | undefined;
  readonly start: boolean;
}

/**
 * A user's wish to have the output defined in libvirt; one that is under way is not begun a second time. Undefined where the
 * job has no output.
 */
export function decideImport(job: JobRow, wish: ImportWish, now: Date): Decision | undefined {
  if (job.status !== 'completed' || job.outputDir === null) return undefined;
  if (job.libvirtImport?.status === 'queued') return { patch: {}, messages: [] };
  const libvirtImport: ImportRow = {
    status: 'queued',
    requested_at: now.toISOString(),
    target: wish.target ?? null,
    report: null,
    failure: null,
  };
  const patch = { libvirtImport, importAttempt: job.importAttempt + 1 };
  return { patch, messages: [messages.requestImport({ ...job, ...patch }, { ...wish, folder: job.outputDir })] };
}

/** Records the end of an import. Undefined where it is not the one that is waited for. */
export function decideImported(job: JobRow, fact: ImportFact): Decision | undefined {
  const { libvirtImport } = job;
  if (libvirtImport?.status !== 'queued' || fact.data.attempt !== job.importAttempt) return undefined;
  if (fact.name === 'import.failed')
    return {
      patch: { libvirtImport: { ...libvirtImport, status: 'failed', failure: fact.data.failure } },
      messages: [],
    };
  const { job_id: _job, attempt: _attempt, worker: _worker, ...report } = fact.data;
  return { patch: { libvirtImport: { ...libvirtImport, status: 'completed', report } }, messages: [] };
}
