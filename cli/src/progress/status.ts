import { durationWord, STEP_WORDS, type JobDetail } from '@hyper2kvm/contracts';
import { printable, rateWord, sizeWord } from '../lib/format.js';
import { fullTime } from '../lib/when.js';
import { painter } from '../lib/width.js';
import { originOfJob } from '../lib/origin.js';
import { STEP_TEXT } from './steps.js';
import { toldRows } from './told.js';
import { cleanupRow, row, summaryLines, type SummaryOptions } from './summary.js';

/** A job as it is now, for `hyperctl status`; an ended one as its summary. */
export function statusLines(job: JobDetail, options: SummaryOptions): string[] {
  const ended = summaryLines(job, { ...options, full: true });
  if (ended.length > 0 && job.next_retry_at === null) return ended;
  const { progress } = job;
  const eta = progress.eta_seconds === null ? '' : `, ETA ${durationWord(progress.eta_seconds)}`;
  const rate = progress.bytes_per_second === null ? '' : `, ${rateWord(progress.bytes_per_second)}`;
  return [
    row('Job ID', job.job_id),
    row('Source VM', `${printable(job.vm_name)} (${printable(originOfJob(job).label)})`),
    row('Status', `${job.status} (${job.phase})`),
    row('Priority', job.priority),
    row('Progress', `${Math.floor(progress.percent_complete)}%${rate}${eta}`),
    ...plan(job),
    ...(job.queue_position === null ? [] : [row('Queue', `position ${job.queue_position}`)]),
    ...(job.estimated_start === null ? [] : [row('Starts', `about ${timeWord(job.estimated_start)}`)]),
    ...(job.waiting_reason === null ? [] : [row('Waiting', printable(job.waiting_reason))]),
    ...(job.bandwidth_bytes_per_second === null
      ? []
      : [row('Bandwidth', `at most ${rateWord(job.bandwidth_bytes_per_second)}`)]),
    ...(job.source_power === 'keep' ? [] : [row('Source power', job.source_power)]),
    ...progress.disks.map((disk) =>
      row(
        `Disk ${disk.index}`,
        `${disk.state}, ${sizeWord(disk.done_bytes)} of ${sizeWord(disk.capacity_bytes)} (${printable(disk.name)})`,
      ),
    ),
    row('Export', withDuration(job.export.status, job.export.duration_seconds)),
    row('Conversion', conversion(job)),
    ...(job.next_retry_at === null ? [] : [row('Next retry', job.next_retry_at)]),
    ...(job.failure === null ? [] : [row('Last error', `${printable(job.failure.message)} (${job.failure.code})`)]),
    ...cleanupRow(job, painter(options.color)),
    ...(job.trace_id === null ? [] : [row('Trace', job.trace_id)]),
  ];
}

/** What was asked of it beforehand. */
function plan(job: JobDetail): string[] {
  const wave = job.wave === null || job.wave === ONLY_WAVE ? '' : `, wave ${job.wave}`;
  return [
    ...(job.batch_id === null ? [] : [row('Batch', `${job.batch_id}${wave}`)]),
    ...(job.tags.length === 0 ? [] : [row('Tags', job.tags.map(printable).join(', '))]),
    ...(job.connection === null ? [] : [row('Login', `vCenter connection ${job.connection}`)]),
    ...(job.not_before === null ? [] : [row('Not before', timeWord(job.not_before))]),
    ...(job.window === null ? [] : [row('Window', printable(job.window))]),
    ...toldRows(job).map(([label, value]) => row(label, value)),
  ];
}

/** The wave of a batch that has no waves. */
const ONLY_WAVE = 'all';

const timeWord = (time: string): string => fullTime(new Date(time), new Date());

const withDuration = (text: string, seconds: number | null): string =>
  seconds === null ? text : `${text} (${durationWord(seconds)})`;

function conversion(job: JobDetail): string {
  const {
    status,
    current_step: word,
    steps_completed: done,
    steps_total: total,
    duration_seconds: seconds,
  } = job.conversion;
  if (word === null || status !== 'in_progress') return withDuration(status, seconds);
  const step = Object.entries(STEP_WORDS).find(([, name]) => name === word)?.[0];
  const text = step === undefined ? word : STEP_TEXT[step as keyof typeof STEP_TEXT].doing;
  return `${status}: ${text} (${done} of ${total} steps done)`;
}
