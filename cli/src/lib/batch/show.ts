import {
  durationWord,
  type BatchDetail,
  type BatchReport,
  type BatchSummary,
  type BatchTotals,
} from '@hyper2kvm/contracts';
import { printable, sizeWord } from '../format.js';
import { table } from '../table.js';
import { localTime } from '../when.js';
import { fit } from '../width.js';
import { totalsWord } from './view.js';

const LABEL = 12;
const row = (label: string, value: string): string => `${`${label}:`.padEnd(LABEL)} ${value}`;
const under = ({ exporting, exported, converting }: BatchTotals): number => exporting + exported + converting;

export const batchTable = (batches: readonly BatchSummary[], columns?: number): string[] =>
  table(
    ['BATCH ID', 'STATUS', 'DONE', 'FAILED', 'NAME', 'CREATED'],
    batches.map((batch) => [
      batch.batch_id,
      batch.status,
      `${batch.totals.completed}/${batch.totals.total}`,
      String(batch.totals.failed),
      printable(batch.name ?? ''),
      batch.created_at.replace(/\.\d+/, ''),
    ]),
    columns,
  );

export const limitWord = (value: number | null): string => (value === null ? 'no limit' : String(value));

/** A batch as it is now. */
export function batchLines(batch: BatchDetail, columns?: number): string[] {
  const eta = batch.eta_seconds === null ? '' : `, ETA ${durationWord(batch.eta_seconds)}`;
  const lines = [
    row('Batch ID', batch.batch_id),
    ...(batch.name === null ? [] : [row('Name', printable(batch.name))]),
    row('Status', `${batch.status}${batch.reason === null ? '' : `: ${printable(batch.reason)}`}`),
    row('VMs', totalsWord(batch.totals)),
    row('Progress', `${Math.floor(batch.percent_complete)}%${eta}`),
    row('Data', `${sizeWord(batch.bytes_downloaded)} fetched of disks of ${sizeWord(batch.total_bytes)}`),
    row('Parallel', limitWord(batch.max_parallel)),
    row('Stop after', batch.stop_after_failures === null ? 'no limit' : `${batch.stop_after_failures} failed VMs`),
    row('By', printable(batch.requested_by)),
    row('Created', localTime(new Date(batch.created_at))),
    ...(batch.completed_at === null ? [] : [row('Ended', localTime(new Date(batch.completed_at)))]),
  ];
  const [only] = batch.waves;
  if (batch.waves.length <= 1) return only?.reason ? [...lines, row('Waiting', printable(only.reason))] : lines;
  const waves = table(
    ['WAVE', 'STATUS', 'DONE', 'FAILED', 'RUNNING', 'AFTER', ''],
    batch.waves.map((wave) => [
      wave.name,
      wave.status,
      `${wave.totals.completed}/${wave.totals.total}`,
      String(wave.totals.failed),
      String(under(wave.totals)),
      wave.after.join(', '),
      printable(wave.reason ?? ''),
    ]),
    columns,
  );
  return [...lines, '', ...waves];
}

/** What became of each VM. */
export function reportTable(report: BatchReport, columns?: number): string[] {
  const heads = ['VM', 'STATUS', 'TIME', 'SIZE', 'BOOTED', 'JOB', 'ERROR'];
  const rows = report.vms.map((vm) => [
    printable(vm.vm_name),
    vm.status,
    vm.duration_seconds === null ? '' : durationWord(vm.duration_seconds),
    vm.capacity_bytes === 0 ? '' : sizeWord(vm.capacity_bytes),
    vm.booted === null ? '' : vm.booted ? 'yes' : 'no',
    vm.job_id,
    vm.error === null ? '' : `${vm.error_code ?? ''}: ${printable(vm.error)}`,
  ]);
  const waves = report.hooks.map(
    ({ wave, moment, status, failure }) =>
      `Hook ${moment} wave ${wave}: ${status}${failure === null ? '' : `: ${printable(failure.message)}`}`,
  );
  const hooks = columns === undefined ? waves : waves.map((line) => fit(line, columns));
  return [...table(heads, rows, columns), ...(hooks.length === 0 ? [] : ['', ...hooks])];
}
