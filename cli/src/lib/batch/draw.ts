import { durationWord, type BatchDetail, type JobSummary } from '@hyper2kvm/contracts';
import { plural, printable, shellQuote } from '../format.js';
import { fit, pad, stringWidth, type Paint } from '../width.js';
import { isHeld, isOver, running, totalsWord, unhappy, type BatchHappened, type BatchView } from './view.js';

/** Failures that the end of a watch lists; the report has all. */
const MOST_FAILURES = 20;
const WIDEST_BAR = 32;
const WIDEST_NAME = 32;

/** `night-1 (batch-7k2m9x4qa3hd)` */
export const batchName = (batch: { readonly batch_id: string; readonly name: string | null }): string =>
  batch.name === null ? batch.batch_id : `${printable(batch.name)} (${batch.batch_id})`;

const stamp = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

/** Lines for what happened from number `from` on, where there is no terminal. */
export const plainLines = (view: BatchView, from: number): string[] =>
  view.happened.slice(from).map(({ at, what }) => `${stamp(at)} ${words(what)}`);

/** How far it is, for a log that is watched now and then. */
export function progressLine(view: BatchView, now: number): string[] {
  if (view.detail === null) return [];
  return [
    `${stamp(now)} ${Math.floor(view.detail.percent_complete)}%: ${totalsWord(view.detail.totals)}${eta(view.detail)}`,
  ];
}

const eta = ({ eta_seconds: seconds }: BatchDetail): string =>
  seconds === null ? '' : `, ETA ${durationWord(seconds)}`;

function words(what: BatchHappened): string {
  switch (what.kind) {
    case 'batch':
      return batchWords(what.detail);
    case 'wave':
      return waveWords(what);
    case 'job':
      return jobWords(what.job, what.again);
    case 'lost':
      return 'The gateway does not answer; the batch goes on without it. Trying again...';
    case 'restored':
      return 'The gateway is back';
  }
}

function waveWords({ name, status, reason }: Extract<BatchHappened, { kind: 'wave' }>): string {
  const wave = name === null ? 'The batch' : `Wave ${name}`;
  if (status === 'held') return `${wave} waits: ${printable(reason ?? '')}`;
  return status === 'running' ? `${wave} begins` : `${wave} is through`;
}

function batchWords(detail: BatchDetail): string {
  const name = `Batch ${batchName(detail)}`;
  switch (detail.status) {
    case 'running': {
      if (detail.reason !== null) return `${name}: ${printable(detail.reason)}`;
      const waves = detail.waves.length > 1 ? ` in ${detail.waves.length} waves` : '';
      return `${name}: ${plural(detail.totals.total, 'VM')}${waves}, ${totalsWord(detail.totals)}`;
    }
    case 'stopped':
      return `${name}: ${printable(detail.reason ?? 'it stopped: too many VMs failed')}`;
    case 'completed':
      return `${name} is through: ${totalsWord(detail.totals)}`;
    case 'cancelled':
      return `${name} is cancelled: ${totalsWord(detail.totals)}`;
  }
}

function jobWords(job: JobSummary, again: boolean): string {
  const vm = printable(job.vm_name);
  const why = job.error === null ? '' : `: ${printable(job.error)}`;
  if (again) return `${vm}: waits for retry ${job.retry_count}${why} (${job.job_id})`;
  switch (job.status) {
    case 'pending':
      return `${vm}: waiting (${job.job_id})`;
    case 'exporting':
    case 'exported':
    case 'converting':
    case 'completed':
    case 'cancelled':
      return `${vm}: ${job.status} (${job.job_id})`;
    case 'failed':
      return `${vm}: failed${why} (${job.job_id})`;
  }
}

export interface BatchDrawing {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

/** Lines that scroll away above the table: ends of VMs, waves, and what befalls the batch. */
export function happenedLines(view: BatchView, from: number, { columns, paint }: BatchDrawing): string[] {
  return view.happened.slice(from).flatMap(({ what }) => {
    switch (what.kind) {
      case 'batch':
        return isHeld(what.detail) ? [paint('yellow', `⏸️  ${words(what)}`)] : [`📋 ${words(what)}`];
      case 'wave':
        return [what.status === 'held' ? paint('yellow', `⏳ ${words(what)}`) : `🌊 ${words(what)}`];
      case 'job': {
        const { status } = what.job;
        if (what.again) return [paint('yellow', `🔁 ${words(what)}`)];
        if (status === 'completed') return [fit(`✅ ${words(what)}`, columns)];
        if (status === 'failed') return [paint('red', `❌ ${words(what)}`)];
        return status === 'cancelled' ? [fit(`🛑 ${words(what)}`, columns)] : [];
      }
      case 'lost':
        return [];
      case 'restored':
        return [`✅ ${words(what)}`];
    }
  });
}

/** The moving part: totals, bar, and the VMs under way. */
export function tableLines(view: BatchView, { columns, rows, paint }: BatchDrawing): string[] {
  const { detail } = view;
  if (detail === null) return [];
  const share = detail.percent_complete / 100;
  const percent = `${Math.floor(detail.percent_complete)}%`;
  const left = detail.eta_seconds === null ? '' : `  ETA: ${durationWord(detail.eta_seconds)}`;
  const width = Math.max(0, Math.min(WIDEST_BAR, columns - 4 - percent.length - stringWidth(left)));
  const full = Math.round(share * width);
  const bar = width < 6 ? '' : `[${paint('green', '█'.repeat(full))}${paint('dim', '░'.repeat(width - full))}] `;
  const jobs = running(view);
  // Three lines above, one below, one for the cursor.
  const room = Math.max(1, rows - 5);
  const shown = jobs.length > room ? jobs.slice(0, room - 1) : jobs;
  const name = Math.min(WIDEST_NAME, Math.max(8, columns - 20), widest(shown));
  const lines = [
    '',
    `${bar}${percent}${left}`,
    totalsWord(detail.totals),
    ...shown.map(
      (job) =>
        `  ${pad(fit(printable(job.vm_name), name), name)}  ${job.status.padEnd(10)} ${String(Math.floor(job.percent_complete)).padStart(3)}%`,
    ),
    ...(shown.length < jobs.length ? [paint('dim', `  and ${jobs.length - shown.length} more`)] : []),
    ...(view.lost ? [paint('yellow', '⚠️  The gateway does not answer; trying again')] : []),
  ];
  return lines.map((line) => fit(line, columns));
}

const widest = (jobs: readonly JobSummary[]): number =>
  Math.max(0, ...jobs.map((job) => stringWidth(printable(job.vm_name))));

/** The end of a watch: what came out, and what to do next. Commands are never cut: they are to be copied. */
export function endLines(detail: BatchDetail, jobs: Iterable<JobSummary>, paint: Paint): string[] {
  const bad = unhappy(jobs).filter(({ status }) => status === 'failed');
  const id = detail.batch_id;
  const file = `${/^[\w.-]+$/.test(detail.name ?? '') ? detail.name : id}.csv`;
  const took =
    detail.completed_at === null
      ? ''
      : ` in ${durationWord((Date.parse(detail.completed_at) - Date.parse(detail.created_at)) / 1000)}`;
  const { status } = detail;
  const held = printable(detail.reason ?? status);
  const words = { running: held, stopped: held, completed: `completed${took}`, cancelled: 'cancelled' };
  return [
    '',
    `Batch ${batchName(detail)}: ${words[status]}`,
    totalsWord(detail.totals),
    ...bad.slice(0, MOST_FAILURES).map((job) => paint('red', `  ❌ ${jobWords(job, false)}`)),
    ...(bad.length > MOST_FAILURES ? [`  and ${bad.length - MOST_FAILURES} more`] : []),
    '',
    ...(status === 'stopped' ? [`Go on:      hyperctl batches resume ${id}`] : []),
    ...(detail.totals.failed > 0 && (isOver(detail) || isHeld(detail))
      ? [`Try again:  hyperctl retry --all-failed --batch ${id}`]
      : []),
    `Report:     hyperctl batches report ${id} --format csv -o ${shellQuote(file)}`,
  ];
}
