import { durationWord, type Attempt, type JobDetail, type TimelineEvent } from '@hyper2kvm/contracts';
import { printable } from '../format.js';
import { table } from '../table.js';
import { fit, pad, stringWidth } from '../width.js';
import { wrap } from '../wrap.js';
import { timeCell } from './time-cell.js';

function took({ duration_seconds: seconds, started_at: start, ended_at: end }: Attempt, now: number): string {
  if (seconds !== null) return durationWord(seconds);
  if (start === null) return '';
  return durationWord(((end === null ? now : Date.parse(end)) - Date.parse(start)) / 1000);
}

/** Each try of a phase or a task: who, when, how long, and how it ended. @param now in ms since 1970 */
export function attemptLines(attempts: readonly Attempt[], now: number, columns?: number): string[] {
  return table(
    ['ATTEMPT', 'OUTCOME', 'TIME', 'WORKER', 'STARTED', 'ERROR'],
    attempts.map((one) => [
      `${one.activity} ${one.attempt}`,
      one.outcome,
      took(one, now),
      printable(one.worker ?? ''),
      one.started_at === null ? '' : timeCell(one.started_at, columns),
      one.failure?.code ?? '',
    ]),
    columns,
  );
}

/** With less room than this beside who and when, a sentence stands beneath. */
const LEAST_TEXT = 28;

/**
 * What happened, oldest first: when, how long after the first, by whom, what. A day stands above its lines; sentences are broken,
 * never cut.
 */
export function eventLines(events: readonly TimelineEvent[], columns?: number): string[] {
  const sorted = events.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  const [first] = sorted;
  if (first === undefined) return [];
  const start = Date.parse(first.time);
  const rows = sorted.map((event) => ({
    day: event.time.slice(0, 10),
    cells: [
      event.time.slice(11, 19),
      `+${durationWord((Date.parse(event.time) - start) / 1000)}`,
      printable(event.by ?? ''),
    ],
    text: printable(event.message),
  }));
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map(({ cells }) => stringWidth(cells[column] ?? ''))));
  return rows.flatMap(({ day, cells, text }, index) => {
    const head = `  ${cells.map((cell, column) => pad(cell, (widths[column] ?? 0) + 2)).join('')}`;
    const line =
      columns === undefined
        ? [head + text]
        : columns - stringWidth(head) < LEAST_TEXT
          ? [fit(head.trimEnd(), columns), ...wrap(`    ${text}`, columns, 4)]
          : wrap(head + text, columns, head.length);
    return rows[index - 1]?.day === day ? line : [`${day} UTC`, ...line];
  });
}

/** The job in a line: how it stands, and since when. @param now in ms since 1970 */
export function headLine(job: JobDetail, now: number): string {
  const end = job.completed_at === null ? now : Date.parse(job.completed_at);
  const time = durationWord((end - Date.parse(job.created_at)) / 1000);
  const retries = job.retry_count === 0 ? '' : `, retry ${job.retry_count}`;
  const span = job.completed_at === null ? `for ${time} so far` : `after ${time}`;
  return `${job.job_id} (${printable(job.vm_name)}): ${job.status} ${span}${retries}`;
}
