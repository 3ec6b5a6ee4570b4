import {
  conversionWord,
  durationWord,
  ExportOptions,
  exportWord,
  STEP_WORDS,
  stepsOf,
  type Import,
  type JobDetail,
  type JobProgress,
  type JobSummary,
  type Phase,
  type Verification,
} from '@hyper2kvm/contracts';
import type { ImportRow, JobRow, VerificationRow } from '../database/index.js';
import { shownAddress } from '../http/shown-address.js';

/** What is known of a job outside of its row. */
export interface Live {
  readonly progress: JobProgress | undefined;
  readonly queuePosition: number | null;
  /** Why a pending job is not in the queue. */
  readonly waitingReason: string | null;
  readonly estimatedStart?: Date | null;
}

/** The seed's GB: 10^9 bytes, one decimal. */
export const gigabytes = (count: number): number => Math.round(count / 1e8) / 10;
export const durationOrNull = (seconds: number | null): string | null =>
  seconds === null ? null : durationWord(seconds);
const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** A cancelled job is in clean-up while there is something to clear away. */
const shownPhase = (job: JobRow): Phase =>
  job.status === 'cancelled' && job.cleanup?.status === 'queued' ? 'cleanup' : job.phase;

const ATTEMPTS: Readonly<Record<Phase, (job: JobRow) => number>> = {
  export: (job) => job.exportAttempt,
  conversion: (job) => job.conversionAttempt,
  cleanup: (job) => job.cleanupAttempt,
};

/** The progress if it speaks of the attempt that the row is in. */
export function currentProgress(job: JobRow, progress: JobProgress | undefined): JobProgress | undefined {
  const phase = shownPhase(job);
  return progress?.phase === phase && progress.attempt === ATTEMPTS[phase](job) ? progress : undefined;
}

function percent(job: JobRow, progress: JobProgress | undefined): number {
  if (job.status === 'completed') return 100;
  return Math.floor(progress?.percent_complete ?? 0);
}

export function toSummary(job: JobRow, latest: JobProgress | undefined): JobSummary {
  return {
    job_id: job.id,
    vm_name: job.vmName,
    vcenter_server: job.vcenterServer,
    status: job.status,
    phase: shownPhase(job),
    priority: job.priority,
    tags: job.tags,
    percent_complete: percent(job, currentProgress(job, latest)),
    requested_by: job.requestedBy,
    retry_count: job.retryCount,
    error: job.error,
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
    completed_at: iso(job.completedAt),
    batch_id: job.batchId,
    wave: job.wave,
  };
}

export function toDetail(job: JobRow, live: Live): JobDetail {
  const progress = currentProgress(job, live.progress);
  const { result } = job;
  const wanted = ExportOptions.parse(job.options);
  return {
    ...toSummary(job, live.progress),
    progress: progressOf(job, progress),
    next_retry_at: iso(job.nextRetryAt),
    queue_position: live.queuePosition,
    estimated_start: iso(live.estimatedStart ?? null),
    waiting_reason: live.waitingReason,
    not_before: iso(job.notBefore),
    window: job.options.window ?? null,
    ...toldOf(job),
    connection: job.connection,
    cleanup: cleanupOf(job, live.progress),
    source_kind: job.source.kind,
    source_power: wanted.source_power,
    bandwidth_bytes_per_second: wanted.bandwidth_bytes_per_second ?? null,
    export: exportOf(job, progress),
    conversion: conversionOf(job, progress),
    machine:
      job.machine === null
        ? null
        : { cpus: job.machine.cpus, memory_bytes: job.machine.memory_bytes, firmware: job.machine.firmware },
    failure: job.failure,
    error_file: job.errorFile,
    retry_available: job.status === 'failed',
    output_dir: job.outputDir,
    files: result?.files ?? [],
    domain_xml: result?.domain_xml ?? null,
    duration_seconds: job.completedAt === null ? null : (job.completedAt.getTime() - job.createdAt.getTime()) / 1000,
    modifications: result?.modifications ?? null,
    guest: result?.guest.product ?? result?.guest.distro ?? null,
    concerns: result?.concerns ?? [],
    proof: result?.proof ?? null,
    libvirt_domain: job.libvirtImport?.report?.libvirt_domain ?? result?.libvirt_domain ?? null,
    import: job.libvirtImport === null ? null : toImport(job.libvirtImport, job.importAttempt, live.progress),
    trace_id: job.traceId,
  };
}

/** Who hears of its end beside those that rules name. */
const toldOf = ({ options }: JobRow): Pick<JobDetail, 'callback_url' | 'slack_webhook' | 'notify_email'> => ({
  notify_email: options.notify_email ?? null,
  callback_url: options.callback_url === undefined ? null : shownAddress(options.callback_url),
  slack_webhook: options.slack_webhook === undefined ? null : shownAddress(options.slack_webhook),
});

function progressOf(job: JobRow, progress: JobProgress | undefined): JobDetail['progress'] {
  const total = job.machine?.disks.length ?? 0;
  const disks = progress?.disks ?? [];
  const unfinished = disks.find((disk) => disk.state !== 'done');
  return {
    phase: shownPhase(job),
    current_disk: unfinished?.index ?? (job.phase === 'export' && disks.length === 0 ? Math.min(1, total) : total),
    total_disks: total,
    percent_complete: percent(job, progress),
    eta_seconds: progress?.eta_seconds ?? null,
    bytes_per_second: progress?.bytes_per_second ?? null,
    disks,
  };
}

/** Its images may be gone since: retention removes those of a failed job. */
const wasExported = (job: JobRow): boolean => job.artifactDir !== null || job.exportCompletedAt !== null;

/** A finished export's figures are the row's; a running one's come from its progress. */
function exportOf(job: JobRow, progress: JobProgress | undefined): JobDetail['export'] {
  const fetched = (progress?.disks ?? []).reduce((sum, disk) => sum + disk.bytes_downloaded, 0);
  return {
    status: exportWord(job.status, wasExported(job)),
    duration: durationOrNull(job.exportDurationSeconds),
    duration_seconds: job.exportDurationSeconds,
    bytes_downloaded: job.bytesDownloaded ?? fetched,
    total_bytes: job.totalBytes,
  };
}

const isResting = (job: JobRow): boolean => job.status === 'exported' && job.conversionStatus === null;

function conversionOf(job: JobRow, progress: JobProgress | undefined): JobDetail['conversion'] {
  // Which engine it will be is known when the guest was looked into; until then our own.
  const total = progress?.steps_total ?? stepsOf(job.options).filter((step) => step !== 'virt-v2v').length;
  const step = job.phase === 'conversion' ? progress?.step : undefined;
  return {
    // One that rests has no place in the queue: it waits to be asked for.
    status: isResting(job) ? 'waiting' : conversionWord(job.status, wasExported(job)),
    current_step: step === undefined ? null : STEP_WORDS[step],
    steps_completed: job.status === 'completed' ? total : Math.min(total, progress?.steps_completed ?? 0),
    steps_total: total,
    duration_seconds: job.conversionDurationSeconds,
  };
}

function cleanupOf(job: JobRow, latest: JobProgress | undefined): JobDetail['cleanup'] {
  if (job.cleanup === null) return null;
  const { status, message, next_try_at } = job.cleanup;
  const begun = latest?.phase === 'cleanup' && latest.attempt === job.cleanupAttempt;
  return status === 'queued' && begun
    ? { status: 'in_progress', message, next_try_at: null }
    : { status, message, next_try_at };
}

export function toVerification(row: VerificationRow, attempt: number, latest: JobProgress | undefined): Verification {
  if (row.status !== 'queued') return { ...row, percent_complete: row.status === 'completed' ? 100 : 0 };
  const begun = latest?.phase === 'verify' && latest.attempt === attempt;
  return {
    ...row,
    status: begun ? 'in_progress' : 'queued',
    percent_complete: begun ? Math.floor(latest.percent_complete) : 0,
  };
}

export function toImport(row: ImportRow, attempt: number, latest: JobProgress | undefined): Import {
  const begun = row.status === 'queued' && latest?.phase === 'import' && latest.attempt === attempt;
  return begun ? { ...row, status: 'in_progress' } : row;
}
