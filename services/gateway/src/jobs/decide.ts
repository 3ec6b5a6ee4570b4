import {
  ArtifactDisk,
  retryDelayMs,
  transition,
  type ConversionCompleted,
  type ConversionFailed,
  type ConversionStarted,
  type ExportCompleted,
  type ExportFailed,
  type ExportStarted,
  type Failure,
  type JobStatus,
  type RetryPolicy,
} from '@hyper2kvm/contracts';
import type { JobRow } from '../database/index.js';
import { decideCleanup, type CleanupFact } from './cleanup.js';
import type { Decision, RowPatch } from './decision.js';
import { decideImported, type ImportFact } from './import.js';
import { notTriedAgain, triedAgain } from './log-sentences.js';
import * as messages from './messages.js';
import { moved, nextAttempt, withCleanup, withConversion, type Retry } from './moves.js';
import type { Retryable } from './retry-classes.js';
import { decideVerified, type VerifyFact } from './verify.js';

/** The facts of workers that move a job. */
export type WorkerFact =
  | { readonly name: 'export.started'; readonly data: ExportStarted }
  | { readonly name: 'export.completed'; readonly data: ExportCompleted }
  | { readonly name: 'export.failed'; readonly data: ExportFailed }
  | { readonly name: 'conversion.started'; readonly data: ConversionStarted }
  | { readonly name: 'conversion.completed'; readonly data: ConversionCompleted }
  | { readonly name: 'conversion.failed'; readonly data: ConversionFailed };

/** Every fact that changes a row. */
export type Fact = WorkerFact | CleanupFact | VerifyFact | ImportFact;

export const isWorkerFact = (fact: Fact): fact is WorkerFact =>
  fact.name.startsWith('export.') || fact.name.startsWith('conversion.');

/** The hashes stay in `artifact.json`: thousands of them for a large disk. */
const SummaryDisk = ArtifactDisk.omit({ segments: true });

export interface Setting {
  /** When the fact arrived here. */
  readonly now: Date;
  readonly policy: RetryPolicy;
  readonly retryable: Retryable;
}

/**
 * Given a job and a fact: what follows. Undefined when nothing does: the fact speaks of another attempt, or came after a later
 * one (the transition table has no row for it).
 */
export function decide(job: JobRow, fact: Fact, setting: Setting): Decision | undefined {
  if (isWorkerFact(fact)) return decideState(job, fact, setting);
  switch (fact.name) {
    case 'cleanup.completed':
    case 'cleanup.failed':
      return decideCleanup(job, fact, setting.now);
    case 'verify.completed':
    case 'verify.failed':
      return decideVerified(job, fact);
    case 'import.completed':
    case 'import.failed':
      return decideImported(job, fact);
  }
}

function decideState(job: JobRow, fact: WorkerFact, setting: Setting): Decision | undefined {
  const attempt = fact.name.startsWith('export.') ? job.exportAttempt : job.conversionAttempt;
  if (fact.data.attempt !== attempt) return undefined;
  const to = transition(job.status, fact.name);
  if (to === undefined) return undefined;
  switch (fact.name) {
    case 'export.started':
      return { patch: { ...moved(job, to, setting.now), ...exportStart(job, fact.data) }, messages: [] };
    case 'export.completed':
      return exported(job, to, fact.data, setting);
    case 'conversion.started':
      return {
        patch: { ...moved(job, to, setting.now), conversionStartedAt: new Date(fact.data.started_at) },
        messages: [],
      };
    case 'conversion.completed':
      return completed(job, to, fact.data, setting);
    case 'export.failed':
      return failed(job, 'retry export', fact.data.failure, null, setting);
    case 'conversion.failed':
      return failed(job, 'retry conversion', fact.data.failure, fact.data.error_file ?? null, setting);
  }
}

function exportStart(job: JobRow, data: ExportStarted): RowPatch {
  return {
    exportStartedAt: new Date(data.started_at),
    machine: data.machine,
    host: data.machine.host ?? job.host,
    sourceFiles: data.machine.disks.map((disk) => disk.name),
    totalBytes: data.machine.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0),
  };
}

/** Where "completed" overtook "started", the start is reckoned back from the duration. */
const startOf = (known: Date | null, end: Date, seconds: number): Date =>
  known ?? new Date(end.getTime() - seconds * 1000);

function exported(job: JobRow, to: JobStatus, data: ExportCompleted, setting: Setting): Decision {
  const patch: RowPatch = {
    ...moved(job, to, setting.now),
    exportStartedAt: startOf(job.exportStartedAt, setting.now, data.duration_seconds),
    exportCompletedAt: setting.now,
    exportDurationSeconds: Math.round(data.duration_seconds),
    bytesDownloaded: data.bytes_downloaded,
    machine: data.artifact.machine,
    artifactDir: data.artifact_dir,
    artifactPool: data.pool,
    artifact: { disks: data.artifact.disks.map((disk) => SummaryDisk.parse(disk)) },
    phaseRetries: 0,
  };
  const next = job.options.auto_convert ? withConversion(job, patch) : { patch, messages: [] };
  return data.leftover === undefined ? next : withCleanup(job, next, { removeFiles: false });
}

function completed(job: JobRow, to: JobStatus, data: ConversionCompleted, setting: Setting): Decision {
  const patch: RowPatch = {
    ...moved(job, to, setting.now),
    conversionStartedAt: startOf(job.conversionStartedAt, setting.now, data.duration_seconds),
    conversionCompletedAt: setting.now,
    conversionDurationSeconds: Math.round(data.duration_seconds),
    outputDir: data.output_dir,
    result: data,
  };
  return { patch, messages: [messages.completed({ ...job, ...patch }, data, setting.now)] };
}

function failed(job: JobRow, retry: Retry, failure: Failure, errorFile: string | null, setting: Setting): Decision {
  const failedPatch: RowPatch = {
    ...moved(job, 'failed', setting.now),
    error: failure.message,
    failure,
    errorFile,
  };
  const { now, policy } = setting;
  const retryable = setting.retryable(failure);
  const delay = retryDelayMs(policy, job.phaseRetries, retryable);
  const final: JobRow = { ...job, ...failedPatch };
  if (delay === undefined) {
    const told = [messages.failed(final, failure, now), notTriedAgain(job, failure, retryable, now)];
    const end = { patch: failedPatch, messages: told };
    // Between attempts the snapshot and the finished disks are kept; now nobody comes back to them.
    return retry === 'retry export' ? withCleanup(job, end, { removeFiles: true }) : end;
  }
  const at = new Date(setting.now.getTime() + delay);
  const again = nextAttempt(final, retry, setting.now);
  return {
    // The failure stays in sight while the job waits for its next attempt.
    patch: {
      ...again.patch,
      error: failure.message,
      failure,
      errorFile,
      phaseRetries: job.phaseRetries + 1,
      nextRetryAt: at,
    },
    messages: [
      ...again.messages.map((message) => (message.kind === 'command' ? { ...message, availableAt: at } : message)),
      triedAgain(job, failure, policy, at, now),
    ],
  };
}
