import {
  durationWord,
  isEnded,
  JOB_STATUSES,
  type Health,
  type Stats,
  type Status,
  type Worker,
} from '@hyper2kvm/contracts';
import { plural, rateWord, sizeWord } from '../format.js';
import { table } from '../table.js';
import { labelled } from '../wrap.js';
import { localTime } from '../when.js';
import { workerTable } from '../workers/show.js';
import type { Working } from '../workers/daemons.js';
import { queueWord, type Depths } from './queues.js';

const LABEL = 13;
type Row = (label: string, value: string) => string;
const rowsOf =
  (columns: number | undefined): Row =>
  (label, value) =>
    labelled(label, value, LABEL, columns);
/** Days and failures that are listed; --json has all. */
const MOST_DAYS = 14;
const MOST_FAILURES = 10;

/** Of the jobs that came to an end of their own: cancelled ones say nothing. Null where there is none. */
export function successRate({ jobs }: Stats): number | null {
  const [completed, failed] = [jobs['completed'] ?? 0, jobs['failed'] ?? 0];
  return completed + failed === 0 ? null : completed / (completed + failed);
}

/** 99.96 % is not 100 %. */
const percent = (share: number): string => `${(Math.floor(share * 1000) / 10).toString()} %`;

function jobsWord(jobs: Stats['jobs']): string {
  const total = Object.values(jobs).reduce((sum, count) => sum + count, 0);
  const each = JOB_STATUSES.filter((status) => (jobs[status] ?? 0) > 0).map((status) => `${jobs[status]} ${status}`);
  return total === 0 ? 'none' : `${total}: ${each.join(', ')}`;
}

function rateOf(stats: Stats): string {
  const rate = successRate(stats);
  if (rate === null) return 'none ended yet';
  const ended = (stats.jobs['completed'] ?? 0) + (stats.jobs['failed'] ?? 0);
  const retries = stats.retries === 1 ? '1 retry' : `${stats.retries} retries`;
  return `${percent(rate)} of ${plural(ended, 'job')} that ended${stats.retries === 0 ? '' : `, ${retries}`}`;
}

type Durations = Pick<Stats['exporter'], 'count' | 'failed' | 'mean_seconds' | 'p50_seconds' | 'p99_seconds'>;
const secondsWord = (seconds: number | null): string => (seconds === null ? '-' : durationWord(seconds));

function durationLines(rows: readonly (readonly [string, Durations])[], columns?: number): string[] {
  if (rows.every(([, { count }]) => count === 0)) return [];
  return [
    '',
    ...table(
      ['ATTEMPTS', 'ENDED', 'FAILED', 'MEAN', 'P50', 'P99'],
      rows.map(([name, one]) => [
        name,
        String(one.count),
        String(one.failed),
        secondsWord(one.mean_seconds),
        secondsWord(one.p50_seconds),
        secondsWord(one.p99_seconds),
      ]),
      columns,
    ),
  ];
}

function dataWord({
  bytes_downloaded: bytes,
  capacity_bytes: capacity,
  bytes_per_second: rate,
}: Stats['exporter']): string {
  if (bytes === 0) return 'nothing fetched';
  return `${sizeWord(bytes)} fetched for disks of ${sizeWord(capacity)}${rate === null ? '' : `, ${rateWord(rate)} per export`}`;
}

const bootWord = ({ booted, proof_failed: failed }: Stats['converter']): string =>
  booted + failed === 0 ? 'none' : `${plural(booted, 'guest')} proved to boot, ${failed} did not`;

function failureLines(failures: Stats['failures'], columns?: number): string[] {
  if (failures.length === 0) return [];
  const some = failures.slice(0, MOST_FAILURES);
  const rest = failures.length - some.length;
  return [
    '',
    ...table(
      ['FAILED WITH', 'TIMES'],
      some.map(({ code, count }) => [code, String(count)]),
      columns,
    ),
    ...(rest > 0 ? [`and ${plural(rest, 'other code')}`] : []),
  ];
}

const dayLines = (days: Stats['days'], columns?: number): string[] =>
  days.length === 0
    ? []
    : [
        '',
        ...table(
          ['DAY (UTC)', 'COMPLETED', 'FAILED', 'FETCHED'],
          days
            .slice(-MOST_DAYS)
            .map((one) => [one.day, String(one.completed), String(one.failed), sizeWord(one.bytes_downloaded)]),
          columns,
        ),
      ];

const sinceWord = (stats: Stats): string => localTime(new Date(stats.since));

/** `2 exporters, 3 of 8 slots busy`, and what keeps some from work. */
function workersWord(workers: readonly Worker[], service: Working): string {
  const own = workers.filter((one) => one.service === service);
  if (own.length === 0) return 'none is running';
  const busy = own.reduce((sum, one) => sum + one.active_jobs.length, 0);
  const slots = own.reduce((sum, one) => sum + one.slots, 0);
  const held = (['paused', 'draining', 'drained'] as const)
    .map((status) => [status, own.filter((one) => one.status === status).length] as const)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `, ${count} ${status}`);
  return `${own.length}, at ${busy} of ${slots} jobs${held.join('')}`;
}

/** All of it. */
export function statsLines(stats: Stats, status: Status, workers: readonly Worker[], columns?: number): string[] {
  const row = rowsOf(columns);
  return [
    row('Since', sinceWord(stats)),
    row('Jobs', jobsWord(stats.jobs)),
    row('Success', rateOf(stats)),
    row('Data', dataWord(stats.exporter)),
    row('Boot proofs', bootWord(stats.converter)),
    row('Queue', queueWord(status.queue_depth)),
    row('Exporters', workersWord(workers, 'exporter')),
    row('Converters', workersWord(workers, 'converter')),
    ...durationLines(
      [
        ['export', stats.exporter],
        ['conversion', stats.converter],
      ],
      columns,
    ),
    ...failureLines(stats.failures, columns),
    ...dayLines(stats.days, columns),
  ];
}

/** Of the exporters, or of the converters. */
export function serviceLines(
  service: Working,
  stats: Stats,
  queue: Depths,
  workers: readonly Worker[],
  columns?: number,
): string[] {
  const row = rowsOf(columns);
  const own = workers.filter((one) => one.service === service);
  const mine =
    service === 'exporter' ? [row('Data', dataWord(stats.exporter))] : [row('Boot proofs', bootWord(stats.converter))];
  return [
    row('Since', sinceWord(stats)),
    row(service === 'exporter' ? 'Exporters' : 'Converters', workersWord(workers, service)),
    row('Queue', queueWord(queue)),
    ...mine,
    ...durationLines([[service === 'exporter' ? 'export' : 'conversion', stats[service]]], columns),
    ...(own.length === 0 ? [] : ['', ...workerTable(own, columns)]),
  ];
}

/** Of the gateway itself. */
export function gatewayLines(stats: Stats, status: Status, health: Health, columns?: number): string[] {
  const row = rowsOf(columns);
  const active = JOB_STATUSES.filter((one) => !isEnded(one)).reduce((sum, one) => sum + (status.jobs[one] ?? 0), 0);
  const free = health.disk_space_available_gb;
  return [
    row('Gateway', `${health.status}, version ${status.version}, up for ${durationWord(status.uptime_seconds)}`),
    row('Database', health.database),
    row('NATS', health.nats),
    row('vSphere', health.vsphere_connection),
    row('Workers', `exporter ${reached(health.exporter_reachable)}, converter ${reached(health.converter_reachable)}`),
    row('Least space', free === null ? 'unknown' : `${free} GB free in a worker's folder`),
    row('Active jobs', String(active)),
    row('Queue', queueWord(status.queue_depth)),
    row('Since', sinceWord(stats)),
    row('Jobs', jobsWord(stats.jobs)),
    row('Success', rateOf(stats)),
  ];
}

const reached = (yes: boolean): string => (yes ? 'reachable' : 'not reachable');
