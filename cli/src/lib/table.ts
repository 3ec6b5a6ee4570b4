import type { JobSummary } from '@hyper2kvm/contracts';
import { printable } from './format.js';
import { fit, pad, stringWidth } from './width.js';

/** Aligned columns under their heads. Lines are cut to `columns` cells where that is given. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], columns?: number): string[] {
  const all = [heads, ...rows];
  const widths = heads.map((_, column) => Math.max(...all.map((row) => stringWidth(row[column] ?? ''))));
  return all.map((row) => {
    const line = row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd();
    return columns === undefined || columns <= 0 ? line : fit(line, columns);
  });
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
