import type { CleanupCompleted, CleanupFailed } from '@hyper2kvm/contracts';
import type { CleanupRow, JobRow } from '../database/index.js';
import type { Decision, RowPatch } from './decision.js';
import * as messages from './messages.js';
import type { Outgoing } from './messages.js';

export type CleanupFact =
  | { readonly name: 'cleanup.completed'; readonly data: CleanupCompleted }
  | { readonly name: 'cleanup.failed'; readonly data: CleanupFailed };

const FIRST_PAUSE_MS = 5 * 60_000;
const REPETITIONS = 8;

interface Asked {
  readonly patch: RowPatch;
  readonly message: Outgoing;
}

/** Asks for the removal of what the job's export left. */
export const askCleanup = (
  job: JobRow,
  {
    removeFiles,
    filesOnly,
    notBefore,
  }: { readonly removeFiles: boolean; readonly filesOnly?: boolean; readonly notBefore?: Date },
): Asked =>
  next(
    job,
    {
      status: 'queued',
      remove_files: removeFiles,
      ...(filesOnly === true ? { files_only: true } : {}),
      failures: 0,
      message: null,
      next_try_at: null,
    },
    notBefore,
  );

function next(job: JobRow, cleanup: CleanupRow, at: Date | undefined): Asked {
  const patch = { cleanup, cleanupAttempt: job.cleanupAttempt + 1 };
  const message = messages.requestCleanup({ ...job, ...patch }, cleanup);
  return { patch, message: at === undefined ? message : { ...message, availableAt: at } };
}

/** Nothing has been put on vCenter or on a disk for a job that was never let out. */
export const leftSomething = (job: JobRow): boolean => job.releasedAt !== null || job.exportAttempt > 1;

/** What follows from the end of a try. Undefined where it is not the one that is waited for. */
export function decideCleanup(job: JobRow, fact: CleanupFact, now: Date): Decision | undefined {
  const { cleanup } = job;
  if (cleanup?.status !== 'queued' || fact.data.attempt !== job.cleanupAttempt) return undefined;
  if (fact.name === 'cleanup.completed') {
    const done: CleanupRow = { ...cleanup, status: 'completed', message: null, next_try_at: null };
    return { patch: { cleanup: done, updatedAt: now }, messages: [] };
  }
  return failed(job, cleanup, fact.data.failure.message, now);
}

function failed(job: JobRow, cleanup: CleanupRow, message: string, now: Date): Decision {
  const line = (level: 'warn' | 'error', text: string): Outgoing =>
    messages.log(job, { level, phase: 'cleanup', message: text }, now);
  // A new attempt waits for it: that one clears away what it finds.
  if (job.status === 'pending') {
    const text = `The clean-up failed (${message}); the next attempt goes on without it.`;
    return { patch: { cleanup: null, updatedAt: now }, messages: [line('warn', text)] };
  }
  const failures = cleanup.failures + 1;
  if (failures > REPETITIONS) {
    const given: CleanupRow = { ...cleanup, status: 'failed', failures, message, next_try_at: null };
    const text = `The clean-up is given up after ${failures} tries: ${message}`;
    return { patch: { cleanup: given, updatedAt: now }, messages: [line('error', text)] };
  }
  const at = new Date(now.getTime() + FIRST_PAUSE_MS * 2 ** (failures - 1));
  const again = next(job, { ...cleanup, failures, message, next_try_at: at.toISOString() }, at);
  return {
    patch: { ...again.patch, updatedAt: now },
    messages: [
      line('warn', `The clean-up failed (${message}); it is tried again at ${at.toISOString()}.`),
      again.message,
    ],
  };
}
