import {
  conversionRequested,
  cleanupRequested,
  ConversionOptions,
  ExportOptions,
  exportRequested,
  importRequested,
  jobCancelled,
  jobCompleted,
  jobCreated,
  jobFailed,
  jobLog,
  jobReprioritised,
  jobRetried,
  verifyRequested,
  ANY_POOL,
  type CommandDefinition,
  type ConversionCompleted,
  type Failure,
  type JobLog,
  type Phase,
} from '@hyper2kvm/contracts';
import type { CleanupRow, JobRow } from '../database/index.js';
import { outgoing, type Outgoing } from '../outbox/index.js';

export type { Outgoing } from '../outbox/index.js';

export const created = (job: JobRow): Outgoing =>
  outgoing(jobCreated, {
    job_id: job.id,
    vm_name: job.vmName,
    priority: job.priority,
    created_at: job.createdAt.toISOString(),
    requested_by: job.requestedBy,
    tags: job.tags,
    ...(job.batchId === null ? {} : { batch_id: job.batchId }),
  });

/** @param keepForRetry another attempt may follow by itself, which goes on from what this one leaves */
export const requestExport = (job: JobRow, keepForRetry: boolean): Outgoing =>
  outgoing(exportRequested, {
    job_id: job.id,
    attempt: job.exportAttempt,
    generation: job.generation,
    lane: job.priority,
    pool: ANY_POOL,
    vm_name: job.vmName,
    ...(job.machine?.moref === undefined ? {} : { moref: job.machine.moref }),
    source: job.source,
    options: ExportOptions.parse(job.options),
    keep_for_retry: keepForRetry,
  });

/** Whose converters write, and later read, the output of the job. */
const outputPool = (job: JobRow): string => job.targetPool ?? job.artifactPool ?? ANY_POOL;

export const requestConversion = (job: JobRow): Outgoing => {
  if (job.artifactDir === null) throw new Error(`${job.id} has no artifact to convert`);
  return outgoing(conversionRequested, {
    job_id: job.id,
    attempt: job.conversionAttempt,
    generation: job.generation,
    lane: job.priority,
    pool: outputPool(job),
    vm_name: job.vmName,
    artifact_dir: job.artifactDir,
    options: ConversionOptions.parse(job.options),
    requested_at: job.createdAt.toISOString(),
  });
};

export const retried = (job: JobRow, from: Phase): Outgoing =>
  outgoing(jobRetried, { job_id: job.id, vm_name: job.vmName, retry_count: job.retryCount, from });

export const reprioritised = (job: JobRow): Outgoing =>
  outgoing(jobReprioritised, { job_id: job.id, vm_name: job.vmName, priority: job.priority });

/** The same command, of a higher generation, in place of the one that waits. @param at when it leaves; default: at once */
export const inAnotherLane = (command: Outgoing, at?: Date): Outgoing => ({
  ...command,
  kind: 'move',
  ...(at === undefined ? {} : { availableAt: at }),
});

/** What every fact of a job's end has, so that rules can choose it and its own wishes are known. */
const ended = (job: JobRow) => ({
  job_id: job.id,
  vm_name: job.vmName,
  priority: job.priority,
  tags: job.tags,
  ...(job.options.notify_email === undefined ? {} : { notify_email: job.options.notify_email }),
  ...(job.options.callback_url === undefined ? {} : { callback_url: job.options.callback_url }),
  ...(job.options.slack_webhook === undefined ? {} : { slack_webhook: job.options.slack_webhook }),
  ...(job.batchId === null ? {} : { batch_id: job.batchId }),
  ...(job.traceId === null ? {} : { trace_id: job.traceId }),
});

const outcome = (job: JobRow, at: Date) => ({
  ...ended(job),
  created_at: job.createdAt.toISOString(),
  completed_at: at.toISOString(),
});

export const completed = (job: JobRow, result: ConversionCompleted, at: Date): Outgoing =>
  outgoing(jobCompleted, { ...outcome(job, at), bytes_downloaded: job.bytesDownloaded ?? 0, result });

export const failed = (job: JobRow, failure: Failure, at: Date): Outgoing =>
  outgoing(jobFailed, {
    ...outcome(job, at),
    phase: job.phase,
    failure,
    retry_count: job.retryCount,
    retry_available: true,
    ...(job.errorFile === null ? {} : { error_file: job.errorFile }),
  });

export const cancelled = (job: JobRow, by: string): Outgoing =>
  outgoing(jobCancelled, { ...ended(job), cancelled_by: by });

/** Withdraws a command that waits or runs. */
export const withdraw = (command: CommandDefinition, jobId: string): Outgoing => ({
  kind: 'cancel',
  type: command.type,
  data: { job_id: jobId },
});

/** One try of a clean-up. */
export const requestCleanup = (job: JobRow, wanted: Pick<CleanupRow, 'remove_files' | 'files_only'>): Outgoing =>
  outgoing(cleanupRequested, {
    job_id: job.id,
    attempt: job.cleanupAttempt,
    generation: 0,
    lane: 'normal',
    pool: job.artifactPool ?? ANY_POOL,
    vm_name: job.vmName,
    source: job.source,
    ...(job.machine?.moref === undefined ? {} : { moref: job.machine.moref }),
    remove_files: wanted.remove_files,
    ...(wanted.files_only === true ? { files_only: true } : {}),
  });

/** @param folder of `artifact.json` or `manifest.json` */
export const requestVerify = (job: JobRow, folder: string): Outgoing =>
  outgoing(verifyRequested, {
    job_id: job.id,
    attempt: job.verifyAttempt,
    generation: 0,
    lane: 'normal',
    pool: job.status === 'completed' ? outputPool(job) : (job.artifactPool ?? ANY_POOL),
    folder,
  });

export interface ImportOrder {
  /** Folder of `manifest.json`. */
  readonly folder: string;
  readonly target: string | undefined;
  /** Of the target's converters, where it has its own. */
  readonly pool: string | undefined;
  readonly start: boolean;
}

export const requestImport = (job: JobRow, { folder, target, pool, start }: ImportOrder): Outgoing =>
  outgoing(importRequested, {
    job_id: job.id,
    attempt: job.importAttempt,
    generation: 0,
    lane: 'normal',
    pool: pool ?? outputPool(job),
    folder,
    ...(target === undefined ? {} : { target }),
    start,
  });

/** A line of the job's log. */
export const log = (job: JobRow, line: Pick<JobLog, 'level' | 'phase' | 'message'>, at: Date): Outgoing =>
  outgoing(jobLog, { job_id: job.id, time: at.toISOString(), ...line });

/** @param bytesPerSecond null lifts the limit */
export const limitBandwidth = (jobId: string, bytesPerSecond: number | null): Outgoing => ({
  kind: 'bandwidth',
  type: 'bandwidth.job',
  data: { job_id: jobId, bytes_per_second: bytesPerSecond },
});
