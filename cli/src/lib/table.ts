import type { JobSummary } from '@hyper2kvm/contracts';
import { printable } from './format.js';
import { fit, pad, stringWidth } from './width.js';

/** Ids are shown whole: they are to be copied. */
const LEAST = 18;

/** Aligned columns under their heads. Where `columns` is given, wide columns, and then lines, are cut to fit. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], columns?: number): string[] {
  const all = [heads, ...rows];
  const wanted = heads.map((_, column) => Math.max(...all.map((row) => stringWidth(row[column] ?? ''))));
  const widths = columns === undefined || columns <= 0 ? wanted : narrowed(wanted, columns);
  return all.map((row) => {
    const line = row
      .map((cell, column) => pad(fit(cell, widths[column] ?? 0), widths[column] ?? 0))
      .join('  ')
      .trimEnd();
    return columns === undefined || columns <= 0 ? line : fit(line, columns);
  });
}

/** The widest columns give way first; the last one is cut with its line. */
function narrowed(wanted: readonly number[], columns: number): number[] {
  const widths = [...wanted];
  const last = widths.length - 1;
  const used = (): number => widths.reduce((sum, width, index) => sum + (index === last ? 0 : width + 2), 0);
  const room = columns - Math.min(LEAST, widths[last] ?? 0);
  while (used() > room) {
    const widest = widths.reduce(
      (best, width, index) => (index !== last && width > (widths[best] ?? 0) ? index : best),
      0,
    );
    if ((widths[widest] ?? 0) <= LEAST) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

export const jobTable = (jobs: readonly JobSummary[], columns?: number): string[] =>
  table(
    ['JOB ID', 'VM', 'STATUS', 'PROGRESS', 'PRIORITY', 'CREATED', 'ERROR'],
    jobs.map((job) => [
      job.job_id,
      printable(job.vm_name),
      job.status,
      `${Math.floor(job.percent_complete)}%`,
      job.priority,
      job.created_at.replace(/\.\d+/, ''),
      printable(job.error ?? ''),
    ]),
    columns,
  );
