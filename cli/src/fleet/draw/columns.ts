import { durationWord, STEP_WORDS, type JobSummary } from '@hyper2kvm/contracts';
import { printable, rateWord } from '../../lib/format.js';
import { STEP_TEXT } from '../../progress/steps.js';
import type { Model, ViewName } from '../model.js';
import type { Row } from '../rows.js';
import { count, shortSpan, since, spaceWord } from '../words.js';
import { workerState } from './header.js';
import { bar, type Line, type Style } from './spans.js';

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly width: number;
  /** Takes what is left; its width is the least that it needs. */
  readonly grows?: boolean;
  readonly align?: 'right';
  /** Lower ones stay longer where the terminal is narrow. */
  readonly rank: number;
  readonly text: (row: Row, model: Model) => string;
  readonly style?: (row: Row, model: Model) => Style | undefined;
  /** Instead of the text where there are colours to draw. */
  readonly draw?: (row: Row, width: number) => Line;
}

const ofJob =
  (text: (job: JobSummary, model: Model) => string | null | undefined) =>
  (row: Row, model: Model): string =>
    row.kind === 'job' ? printable(text(row.job, model) ?? '') : '';
const percent = (row: Row): number =>
  row.kind === 'job' ? row.job.percent_complete : row.kind === 'batch' ? row.batch.percent_complete : 0;

const detailOf = (job: JobSummary, { details }: Model) => details.get(job.job_id)?.job;

/** What the job is at: a disk, a step, or what it waits for. */
function activity(job: JobSummary, model: Model): string {
  const detail = detailOf(job, model);
  if (detail === undefined || detail.status !== job.status) return '';
  const { progress, conversion } = detail;
  switch (job.status) {
    case 'exporting':
      if (progress.total_disks === 0) return '';
      return progress.disks.length === 0 ? 'preparing' : `disk ${progress.current_disk}/${progress.total_disks}`;
    case 'exported':
      return conversion.status === 'waiting'
        ? 'rests'
        : (detail.waiting_reason ?? placeWord(detail.queue_position, true));
    case 'converting':
      return stepWord(conversion.current_step);
    case 'pending':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return waiting(job, model);
  }
}

const placeWord = (place: number | null, short: boolean): string =>
  place === null ? '' : `place ${count(place)}${short ? '' : ' in the queue'}`;

function waiting(job: JobSummary, model: Model): string {
  const detail = detailOf(job, model);
  if (detail === undefined) return '';
  if (detail.next_retry_at !== null) {
    const left = Date.parse(detail.next_retry_at) - model.now;
    return left > 0 ? `retry ${job.retry_count} in ${shortSpan(left)}` : `retry ${job.retry_count}`;
  }
  return detail.waiting_reason ?? placeWord(detail.queue_position, false);
}

/** `initramfs` of the wire's `injecting_virtio_drivers`. */
export function stepOf(word: string | null): keyof typeof STEP_TEXT | undefined {
  const found = Object.entries(STEP_WORDS).find(([, name]) => name === word)?.[0];
  return found as keyof typeof STEP_TEXT | undefined;
}
const stepWord = (word: string | null): string => stepOf(word) ?? word ?? 'starting';

const STATUS_STYLE: Readonly<Record<string, Style>> = {
  exporting: 'cyan',
  converting: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
  stopped: 'yellow',
};

const VM: Column = { title: 'VM', width: 12, grows: true, rank: 0, text: ofJob((job) => job.vm_name) };
const ID: Column = { title: 'JOB ID', width: 16, rank: 9, text: ofJob((job) => job.job_id) };
const AGE: Column = {
  title: 'AGE',
  width: 6,
  align: 'right',
  rank: 4,
  text: (row, { now }) =>
    row.kind === 'worker' ? '' : since(row.kind === 'job' ? row.job.created_at : row.batch.created_at, now),
};
const BATCH: Column = { title: 'BATCH', width: 18, rank: 8, text: ofJob((job) => job.batch_id) };
const DONE: Column = {
  title: 'DONE',
  width: 5,
  align: 'right',
  rank: 1,
  text: (row) => `${Math.floor(percent(row))}%`,
};
const BAR: Column = {
  title: '',
  width: 10,
  rank: 6,
  text: (row) =>
    bar(percent(row) / 100, 10)
      .map(({ text }) => text)
      .join(''),
  draw: (row, width) => bar(percent(row) / 100, width),
};
const ENDED: Column = {
  title: 'ENDED',
  width: 6,
  align: 'right',
  rank: 2,
  text: ofJob((job, { now }) => (job.completed_at === null ? '' : since(job.completed_at, now))),
};
const codeOf = (job: JobSummary, model: Model): string => detailOf(job, model)?.failure?.code ?? '';

const JOBS: Readonly<Record<'running' | 'waiting' | 'failed' | 'completed', readonly Column[]>> = {
  running: [
    VM,
    {
      title: 'STATUS',
      width: 10,
      rank: 2,
      text: ofJob((job) => job.status),
      style: (row) => (row.kind === 'job' ? STATUS_STYLE[row.job.status] : undefined),
    },
    { title: 'STEP', width: 12, rank: 5, text: ofJob(activity) },
    BAR,
    DONE,
    {
      title: 'RATE',
      width: 8,
      align: 'right',
      rank: 7,
      text: ofJob((job, model) => {
        const rate = job.status === 'exporting' ? detailOf(job, model)?.progress.bytes_per_second : null;
        return rate == null ? '' : rateWord(rate);
      }),
    },
    {
      title: 'ETA',
      width: 6,
      align: 'right',
      rank: 3,
      text: ofJob((job, model) => {
        const eta = detailOf(job, model)?.progress.eta_seconds;
        return eta == null ? '' : shortSpan(eta * 1000);
      }),
    },
    AGE,
    ID,
    BATCH,
  ],
  waiting: [
    VM,
    { title: 'PRIO', width: 6, rank: 1, text: ofJob((job) => job.priority) },
    {
      title: 'STARTS',
      width: 7,
      align: 'right',
      rank: 2,
      text: ofJob((job, model) => {
        const start = detailOf(job, model)?.estimated_start;
        return start == null ? '' : `~${shortSpan(Math.max(0, Date.parse(start) - model.now))}`;
      }),
    },
    { title: 'WAITS FOR', width: 26, rank: 4, grows: true, text: ofJob(waiting) },
    { ...AGE, rank: 3 },
    ID,
    BATCH,
  ],
  failed: [
    VM,
    { title: 'CODE', width: 16, rank: 1, text: ofJob(codeOf), style: () => 'red' },
    { title: 'ERROR', width: 20, rank: 4, grows: true, text: ofJob((job) => job.error) },
    { title: 'TRIES', width: 5, align: 'right', rank: 5, text: ofJob((job) => String(job.retry_count + 1)) },
    ENDED,
    ID,
    BATCH,
  ],
  completed: [
    VM,
    {
      title: 'TOOK',
      width: 8,
      align: 'right',
      rank: 1,
      text: ofJob((job) =>
        job.completed_at === null
          ? ''
          : durationWord((Date.parse(job.completed_at) - Date.parse(job.created_at)) / 1000),
      ),
    },
    ENDED,
    { title: 'FROM', width: 20, rank: 5, text: ofJob((job) => job.vcenter_server) },
    { ...ID, rank: 4 },
    BATCH,
  ],
};

const ofBatch =
  (text: (batch: (Row & { kind: 'batch' })['batch']) => string) =>
  (row: Row): string =>
    row.kind === 'batch' ? printable(text(row.batch)) : '';
const tally = (
  title: string,
  rank: number,
  value: (row: (Row & { kind: 'batch' })['batch']['totals']) => number,
): Column => ({
  title,
  width: 7,
  align: 'right',
  rank,
  text: ofBatch(({ totals }) => count(value(totals))),
});

const BATCHES: readonly Column[] = [
  { title: 'BATCH', width: 12, grows: true, rank: 0, text: ofBatch(({ name, batch_id: id }) => name ?? id) },
  {
    title: 'STATUS',
    width: 9,
    rank: 2,
    text: ofBatch(({ status }) => status),
    style: (row) => (row.kind === 'batch' ? STATUS_STYLE[row.batch.status] : undefined),
  },
  BAR,
  DONE,
  tally('VMS', 3, ({ total }) => total),
  tally('RUNNING', 5, ({ exporting, exported, converting }) => exporting + exported + converting),
  tally('FAILED', 4, ({ failed }) => failed),
  AGE,
  { title: 'WHY', width: 20, rank: 8, text: ofBatch(({ reason }) => reason ?? '') },
];

const ofWorker =
  (text: (worker: (Row & { kind: 'worker' })['worker'], model: Model) => string) =>
  (row: Row, model: Model): string =>
    row.kind === 'worker' ? printable(text(row.worker, model)) : '';
const WORKERS: readonly Column[] = [
  { title: 'WORKER', width: 12, grows: true, rank: 0, text: ofWorker(({ worker_id: id }) => id) },
  { title: 'SERVICE', width: 9, rank: 3, text: ofWorker(({ service }) => service) },
  {
    title: 'STATUS',
    width: 8,
    rank: 1,
    text: ofWorker((worker) => workerState(worker).word),
    style: (row) => (row.kind === 'worker' ? workerState(row.worker).style : undefined),
  },
  {
    title: 'SLOTS',
    width: 7,
    align: 'right',
    rank: 2,
    text: ofWorker(({ active_jobs: jobs, slots }) => `${jobs.length}/${slots}`),
  },
  {
    title: 'FREE',
    width: 8,
    align: 'right',
    rank: 4,
    text: ofWorker(({ disk_free_bytes: bytes }) => (bytes === null ? '' : spaceWord(bytes))),
  },
  { title: 'POOLS', width: 12, rank: 6, text: ofWorker(({ pools }) => pools.join(', ')) },
  {
    title: 'LIMIT',
    width: 9,
    align: 'right',
    rank: 7,
    text: ofWorker(({ bandwidth_bytes_per_second: rate }) => (rate === undefined ? '' : rateWord(rate))),
  },
  { title: 'HOST', width: 14, rank: 8, text: ofWorker(({ host }) => host) },
  {
    title: 'UP',
    width: 6,
    align: 'right',
    rank: 5,
    text: ofWorker(({ started_at: start }, { now }) => since(start, now)),
  },
];

export const COLUMNS: Readonly<Record<ViewName, readonly Column[]>> = { ...JOBS, batches: BATCHES, workers: WORKERS };
