import {
  ArtifactDisk,
  conversionRequested,
  exportRequested,
  isEnded,
  phaseOf,
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
  type JobTrigger,
  type RetryPolicy,
} from '@hyper2kvm/contracts';
import type { ConversionStatus, JobRow } from '../database/index.js';
import * as messages from './messages.js';
import type { Outgoing } from './messages.js';

/** The facts of workers that move a job. */
export type WorkerFact =
  | { readonly name: 'export.started'; readonly data: ExportStarted }
  | { readonly name: 'export.completed'; readonly data: ExportCompleted }
  | { readonly name: 'export.failed'; readonly data: ExportFailed }
  | { readonly name: 'conversion.started'; readonly data: ConversionStarted }
  | { readonly name: 'conversion.completed'; readonly data: ConversionCompleted }
  | { readonly name: 'conversion.failed'; readonly data: ConversionFailed };

/** The hashes stay in `artifact.json`: thousands of them for a large disk. */
const SummaryDisk = ArtifactDisk.omit({ segments: true });

export type JobPatch = Partial<Omit<JobRow, 'id' | 'version' | 'createdAt'>>;
/** What a fact or a request changes: the row, and the messages that leave because of it. */
export interface Decision {
  readonly patch: JobPatch;
  readonly messages: readonly Outgoing[];
}
export interface Setting {
  /** When the fact arrived here. */
  readonly now: Date;
  readonly policy: RetryPolicy;
}

/**
 * Given a job and a fact: what follows. Undefined when nothing does: the fact speaks of another attempt, or came after a later
 * one (the transition table has no row for it).
 */
export function decide(job: JobRow, fact: WorkerFact, setting: Setting): Decision | undefined {
  const attempt = fact.name.startsWith('export.') ? job.exportAttempt : job.conversionAttempt;
  if (fact.data.attempt !== attempt) return undefined;
  const to = transition(job.status, fact.name);
  if (to === undefined) return undefined;
  switch (fact.name) {
    case 'export.started':
      return { patch: { ...moved(job, to, setting), ...exportStart(fact.data) }, messages: [] };
    case 'export.completed':
      return exported(job, to, fact.data, setting);
    case 'conversion.started':
      return {
        patch: { ...moved(job, to, setting), conversionStartedAt: new Date(fact.data.started_at) },
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

/** The columns that follow from a status alone. */
export function moved(job: JobRow, status: JobStatus, { now }: Pick<Setting, 'now'>): JobPatch {
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
  };
}

function conversionStatus(status: JobStatus, inConversion: boolean, wanted: boolean): ConversionStatus | null {
  if (status === 'converting' || status === 'completed') return status;
  if (status === 'exported') return wanted ? 'queued' : null;
  return status === 'failed' && inConversion ? 'failed' : null;
}

function exportStart(data: ExportStarted): JobPatch {
  return {
    exportStartedAt: new Date(data.started_at),
    machine: data.machine,
    sourceFiles: data.machine.disks.map((disk) => disk.name),
    totalBytes: data.machine.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0),
  };
}

/** Where "completed" overtook "started", the start is reckoned back from the duration. */
const startOf = (known: Date | null, end: Date, seconds: number): Date =>
  known ?? new Date(end.getTime() - seconds * 1000);

function exported(job: JobRow, to: JobStatus, data: ExportCompleted, setting: Setting): Decision {
  const patch: JobPatch = {
    ...moved(job, to, setting),
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
  if (!job.options.auto_convert) return { patch, messages: [] };
  return withConversion(job, patch);
}

/** Asks for the next attempt of the conversion. */
function withConversion(job: JobRow, patch: JobPatch): Decision {
  const asked: JobPatch = { ...patch, conversionAttempt: job.conversionAttempt + 1, conversionStatus: 'queued' };
  return { patch: asked, messages: [messages.requestConversion({ ...job, ...asked })] };
}

function completed(job: JobRow, to: JobStatus, data: ConversionCompleted, setting: Setting): Decision {
  const patch: JobPatch = {
    ...moved(job, to, setting),
    conversionStartedAt: startOf(job.conversionStartedAt, setting.now, data.duration_seconds),
    conversionCompletedAt: setting.now,
    conversionDurationSeconds: Math.round(data.duration_seconds),
    outputDir: data.output_dir,
    result: data,
  };
  return { patch, messages: [messages.completed({ ...job, ...patch }, data, setting.now)] };
}

type Retry = Extract<JobTrigger, 'retry export' | 'retry conversion'>;

function failed(job: JobRow, retry: Retry, failure: Failure, errorFile: string | null, setting: Setting): Decision {
  const failedPatch: JobPatch = {
    ...moved(job, 'failed', setting),
    error: failure.message,
    failure,
    errorFile,
  };
  const delay = retryDelayMs(setting.policy, job.phaseRetries, failure.retryable);
  const final: JobRow = { ...job, ...failedPatch };
  if (delay === undefined) return { patch: failedPatch, messages: [messages.failed(final, failure, setting.now)] };
  const at = new Date(setting.now.getTime() + delay);
  const again = nextAttempt(final, retry, setting);
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
    messages: again.messages.map((message) => (message.kind === 'command' ? { ...message, availableAt: at } : message)),
  };
}

/** Another attempt of a failed job: by itself, or because a user asked. */
function nextAttempt(job: JobRow, retry: Retry, setting: Pick<Setting, 'now'>): Decision {
  const to = transition(job.status, retry);
  if (to === undefined) throw new Error(`${retry} is not possible for a job that is ${job.status}`);
  const base: JobPatch = { ...moved(job, to, setting), retryCount: job.retryCount + 1 };
  const from = retry === 'retry export' ? 'export' : 'conversion';
  if (from === 'conversion') {
    const { patch, messages: commands } = withConversion(job, { ...base, conversionStartedAt: null });
    return { patch, messages: [messages.retried({ ...job, ...patch }, from), ...commands] };
  }
  const patch: JobPatch = {
    ...base,
    exportAttempt: job.exportAttempt + 1,
    exportStartedAt: null,
    exportCompletedAt: null,
    exportDurationSeconds: null,
    bytesDownloaded: null,
    artifactDir: null,
    artifact: null,
  };
  const next: JobRow = { ...job, ...patch };
  return { patch, messages: [messages.retried(next, from), messages.requestExport(next)] };
}

/** A user's retry. The conversion alone is repeated while the artifacts stand. Undefined where the state does not allow it. */
export function decideRetry(job: JobRow, now: Date): Decision | undefined {
  if (job.status !== 'failed') return undefined;
  const artifacts = job.artifactDir !== null && job.failure?.code !== 'ARTIFACT_MISSING';
  const decision = nextAttempt(job, artifacts ? 'retry conversion' : 'retry export', { now });
  return { ...decision, patch: { ...decision.patch, phaseRetries: 0 } };
}

/** A user's cancel. Undefined where the state does not allow it. */
export function decideCancel(job: JobRow, by: string, now: Date): Decision | undefined {
  const to = transition(job.status, 'cancel');
  if (to === undefined) return undefined;
  return { patch: moved(job, to, { now }), messages: [...underWay(job), messages.cancelled(job, by)] };
}

/** Withdraws the command that a worker has or may take. */
function underWay(job: JobRow): Outgoing[] {
  if (job.status === 'pending' || job.status === 'exporting') return [messages.withdraw(exportRequested, job.id)];
  if (isEnded(job.status) || job.conversionAttempt === 0) return [];
  return [messages.withdraw(conversionRequested, job.id)];
}
