import type { JobLog, JobLogsQuery } from '@hyper2kvm/contracts';

const LEVELS: readonly JobLog['level'][] = ['debug', 'info', 'warn', 'error'];

/** Whether a line is asked for: by its time, and its level or what is worse. */
export function wantedBy({
  since,
  until,
  level,
}: Pick<JobLogsQuery, 'since' | 'until' | 'level'>): (line: JobLog) => boolean {
  const from = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
  const to = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
  const least = level === undefined ? 0 : LEVELS.indexOf(level);
  return (line) => {
    const at = Date.parse(line.time);
    return at >= from && at <= to && LEVELS.indexOf(line.level) >= least;
  };
}
