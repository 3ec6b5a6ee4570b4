import { durationWord, type JobDetail, type JobLog } from '@hyper2kvm/contracts';
import { printable, rateWord, sizeWord } from '../../lib/format.js';
import { originOfJob } from '../../lib/origin.js';
import { spanWord } from '../../lib/when.js';
import { STEP_TEXT } from '../../progress/steps.js';
import type { Model, OpenJob } from '../model.js';
import { clock, count, since } from '../words.js';
import { stepOf } from './columns.js';
import { bar, cell, cells, ends, span, type Line, type Style } from './spans.js';

const LABEL = 12;
const BAR = 20;

const row = (label: string, ...value: Line): Line => [span(label.padEnd(LABEL), 'dim'), ...value];
const fact = (label: string, value: string | null | undefined, style?: Style): Line[] =>
  value == null || value === '' ? [] : [row(label, span(printable(value), style))];

/** All that is known of the open job; it may be longer than the screen. */
export function jobLines({ open, now }: Model & { open: OpenJob }, columns: number): Line[] {
  const { job, log, error } = open;
  if (job === null)
    return [[span(error === null ? 'Asking for the job...' : printable(error), error === null ? 'dim' : 'red')]];
  return [
    ...(error === null ? [] : [[span(printable(error), 'red')]]),
    row('Job', span(job.job_id), span(`  ${originOfJob(job).label}`, 'dim')),
    row('Status', span(job.status, STATUS[job.status]), span(`  ${Math.floor(job.percent_complete)}%`)),
    ...plan(job, now),
    ...waiting(job, now, columns),
    ...failure(job, columns),
    [],
    ...phases(job),
    ...(job.progress.disks.length > 0 ? [[], ...disks(job, columns)] : []),
    ...outcome(job),
    [],
    ...logLines(log, columns),
  ];
}

const STATUS: Readonly<Record<JobDetail['status'], Style | undefined>> = {
  pending: undefined,
  exporting: 'cyan',
  exported: 'cyan',
  converting: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
};

const plan = (job: JobDetail, now: number): Line[] => [
  ...fact('Asked', `${since(job.created_at, now)} ago by ${job.requested_by}, priority ${job.priority}`),
  ...fact('Batch', job.batch_id === null ? null : `${job.batch_id}${job.wave === null ? '' : `, wave ${job.wave}`}`),
  ...fact('Tags', job.tags.join(', ')),
];

function waiting(job: JobDetail, now: number, columns: number): Line[] {
  const starts =
    job.estimated_start === null ? null : `in about ${spanWord(Math.max(0, Date.parse(job.estimated_start) - now))}`;
  const again = job.next_retry_at === null ? null : Math.max(0, Date.parse(job.next_retry_at) - now);
  return [
    ...fact('Place', job.queue_position === null ? null : `${count(job.queue_position)} in the queue`),
    ...folded('Waits for', job.waiting_reason, columns, 'yellow'),
    ...fact('Starts', starts),
    ...fact('Window', job.window),
    ...fact('Next try', again === null ? null : `in ${spanWord(again)}`),
  ];
}

function failure({ failure: why, job_id: id, retry_count: tries, error }: JobDetail, columns: number): Line[] {
  if (why === null) return error === null ? [] : folded('Error', error, columns, 'red');
  return [
    ...folded('Error', why.message, columns, 'red'),
    ...fact('Code', `${why.code}${why.step === undefined ? '' : `, in the step ${why.step}`}, try ${tries + 1}`),
    ...folded('Try', why.advice.replaceAll('<id>', id), columns),
  ];
}

const SIGNS: Readonly<Record<string, readonly [string, Style | undefined]>> = {
  completed: ['✓', 'green'],
  in_progress: ['▶', 'cyan'],
  failed: ['✗', 'red'],
  cancelled: ['✗', 'yellow'],
};

function phase(name: string, status: string, words: readonly (string | null)[]): Line {
  const [sign, style] = SIGNS[status] ?? ['·', 'dim'];
  const rest = words.filter((word) => word !== null).join(', ');
  return [
    span(`${sign} `, style),
    span(name.padEnd(LABEL)),
    span(status.replace('_', ' ')),
    span(rest === '' ? '' : `  ${rest}`, 'dim'),
  ];
}

const took = (seconds: number | null): string | null => (seconds === null ? null : durationWord(seconds));

function phases(job: JobDetail): Line[] {
  const { export: moved, conversion, progress, cleanup } = job;
  const running = job.status === 'exporting' || job.status === 'converting';
  const rate = progress.bytes_per_second === null || !running ? null : rateWord(progress.bytes_per_second);
  const eta = progress.eta_seconds === null || !running ? null : `ETA ${durationWord(progress.eta_seconds)}`;
  const step = stepOf(conversion.current_step);
  const at =
    conversion.status !== 'in_progress' || conversion.current_step === null
      ? null
      : `${step === undefined ? conversion.current_step : STEP_TEXT[step].doing} (${conversion.steps_completed} of ${conversion.steps_total} steps done)`;
  const size = moved.total_bytes === 0 ? null : sizeWord(moved.total_bytes);
  return [
    phase('Export', moved.status, [
      size,
      took(moved.duration_seconds),
      ...(job.status === 'exporting' ? [rate, eta] : []),
    ]),
    phase('Conversion', conversion.status, [
      at,
      took(conversion.duration_seconds),
      ...(job.status === 'converting' ? [eta] : []),
    ]),
    ...(cleanup === null
      ? []
      : [phase('Clean-up', cleanup.status, [cleanup.message === null ? null : printable(cleanup.message)])]),
  ];
}

function disks({ progress }: JobDetail, columns: number): Line[] {
  const wide = columns >= 60;
  const name = Math.min(28, Math.max(...progress.disks.map((disk) => cells(printable(disk.name)))));
  return progress.disks.map((disk) => {
    const share = disk.capacity_bytes === 0 ? 1 : disk.done_bytes / disk.capacity_bytes;
    return [
      span(`Disk ${disk.index} `.padEnd(8), 'dim'),
      ...(wide ? [span(`${cell(printable(disk.name), name)} `)] : []),
      ...bar(share, wide ? BAR : 8),
      span(` ${String(Math.floor(share * 100)).padStart(3)}%`),
      span(` ${sizeWord(disk.done_bytes)} of ${sizeWord(disk.capacity_bytes)}`),
      span(`  ${disk.state}`, 'dim'),
    ];
  });
}

function outcome(job: JobDetail): Line[] {
  const lines = [
    ...fact('Guest', job.guest),
    ...fact('Output', job.output_dir),
    ...fact('Domain', job.libvirt_domain),
    ...fact('Boot proof', job.proof === null ? null : job.proof.booted ? 'booted' : 'did not boot'),
    ...job.concerns.flatMap((concern) => fact('Concern', concern, 'yellow')),
    ...fact('Trace', job.status === 'failed' ? job.trace_id : null),
  ];
  return lines.length === 0 ? [] : [[], ...lines];
}

const LEVELS: Readonly<Record<JobLog['level'], Style | undefined>> = {
  debug: 'dim',
  info: undefined,
  warn: 'yellow',
  error: 'red',
};

/** Newest first: what happened last is to be seen without scrolling. */
function logLines(log: readonly JobLog[], columns: number): Line[] {
  if (log.length === 0) return [[span('No log yet.', 'dim')]];
  const lines = log.toReversed().map((line): Line => {
    const text = `${line.step ?? line.phase}: ${printable(line.message)}`;
    return [span(`${clock(Date.parse(line.time))} `, 'dim'), span(text, LEVELS[line.level])];
  });
  return [
    ends([span('Log, newest first', 'bold')], [span(`${log.length} lines`, 'dim')], Math.min(columns, 60)),
    ...lines,
  ];
}

/** A sentence over as many lines as it takes, broken between words. */
function folded(label: string, text: string | null, columns: number, style?: Style): Line[] {
  if (text === null || text === '') return [];
  const room = Math.max(16, columns - LABEL);
  const lines: string[] = [''];
  for (const word of printable(text).split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && cells(last) + 1 + cells(word) > room) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line, index) => row(index === 0 ? label : '', span(line, style)));
}
