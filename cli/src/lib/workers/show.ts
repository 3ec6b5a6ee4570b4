import { durationWord, type JobDetail, type Worker } from '@hyper2kvm/contracts';
import { plural, printable, rateWord, sizeWord } from '../format.js';
import { table } from '../table.js';
import { localTime } from '../when.js';
import { labelled } from '../wrap.js';

const LABEL = 11;
const HOUR = 3600;

const uptime = ({ uptime_hours: hours }: Worker): string => (hours < 0.1 ? 'just now' : durationWord(hours * HOUR));
const free = ({ disk_free_bytes: bytes }: Worker): string => (bytes === null ? 'unknown' : sizeWord(bytes));

/** One line each: what it does, and what it has to do it with. */
export const workerTable = (workers: readonly Worker[], columns?: number): string[] =>
  table(
    ['WORKER', 'SERVICE', 'STATUS', 'JOBS', 'QUEUE', 'FREE', 'UPTIME', 'HOST', 'VERSION'],
    workers.map((worker) => [
      printable(worker.worker_id),
      worker.service,
      worker.status,
      `${worker.active_jobs.length}/${worker.slots}`,
      String(worker.queue_depth),
      free(worker),
      uptime(worker),
      printable(worker.host),
      printable(worker.version),
    ]),
    columns,
  );

/** What a status means for whoever looks at it. */
const MEANING: Readonly<Record<Worker['status'], string>> = {
  running: 'it takes work',
  paused: 'it takes nothing new until it is resumed, also when it is started anew',
  draining: 'it ends what it has and takes nothing new',
  drained: 'nothing runs on it, and it takes nothing new until it is resumed or started anew',
};

/** A job that a worker is at; undefined of one that cannot be looked at (a hook). */
export interface ActiveJob {
  readonly id: string;
  readonly job: JobDetail | undefined;
}

/** One worker, and its jobs. */
export function workerLines(worker: Worker, active: readonly ActiveJob[], columns?: number): string[] {
  const limit = worker.bandwidth_bytes_per_second;
  const row = (label: string, value: string): string => labelled(label, value, LABEL, columns);
  const lines = [
    row('Worker', printable(worker.worker_id)),
    row('Service', `${worker.service} ${printable(worker.version)}`),
    row('Status', `${worker.status}: ${MEANING[worker.status]}`),
    row('Host', `${printable(worker.host)}, process ${worker.pid}`),
    row('Started', `${localTime(new Date(worker.started_at))} (${uptime(worker)})`),
    row('Pools', worker.pools.map((pool) => printable(pool)).join(', ')),
    row('Jobs', `${worker.active_jobs.length} of ${worker.slots} at a time`),
    row('Queue', plural(worker.queue_depth, 'message')),
    row('Free space', free(worker)),
    ...(limit === undefined ? [] : [row('Bandwidth', `at most ${rateWord(limit)}`)]),
  ];
  if (worker.active_jobs.length === 0) return lines;
  const rows = active.map(({ id, job }) => [
    id,
    job === undefined ? '' : printable(job.vm_name),
    job?.status ?? '',
    job === undefined ? '' : `${Math.floor(job.percent_complete)}%`,
  ]);
  const more = worker.active_jobs.length - active.length;
  return [
    ...lines,
    '',
    ...table(['JOB ID', 'VM', 'STATUS', 'PROGRESS'], rows, columns),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}
