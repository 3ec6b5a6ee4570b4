import type { DataSource } from 'typeorm';

/** How many of the newest completed jobs are looked at. */
const SAMPLE = 20;

/** Seconds that so many bytes of capacity will take, from what the last jobs took; null before the first is through. */
export async function estimateSeconds(source: DataSource, totalBytes: number): Promise<number | null> {
  const [row] = await source.query<{ rate: number | null }[]>(
    `SELECT sum(seconds) / nullif(sum(bytes), 0) AS rate FROM (
       SELECT (export_duration_seconds + conversion_duration_seconds)::float8 AS seconds, total_bytes::float8 AS bytes
       FROM jobs WHERE status = 'completed' ORDER BY created_at DESC LIMIT $1) AS newest`,
    [SAMPLE],
  );
  return row?.rate == null ? null : Math.max(1, row.rate * totalBytes);
}

/** What the last jobs took; null before the first. */
export interface MeasuredRates {
  readonly exportSecondsPerByte: number | null;
  /** Of the VMs that these were. */
  readonly bytesPerVm: number | null;
  /** Of a whole conversion: most of it does not depend on the size of the disks. */
  readonly conversionSeconds: number | null;
}

export async function measuredRates(source: DataSource): Promise<MeasuredRates> {
  const [row] = await source.query<{ rate: number | null; bytes: number | null; conversion: number | null }[]>(
    `SELECT exports.*, conversions.* FROM (
       SELECT sum(export_duration_seconds) / nullif(sum(total_bytes::float8), 0) AS rate, avg(total_bytes)::float8 AS bytes
       FROM (SELECT export_duration_seconds, total_bytes FROM jobs WHERE export_completed_at IS NOT NULL
         ORDER BY export_completed_at DESC LIMIT $1) AS newest) AS exports, (
       SELECT avg(conversion_duration_seconds)::float8 AS conversion
       FROM (SELECT conversion_duration_seconds FROM jobs WHERE conversion_completed_at IS NOT NULL
         ORDER BY conversion_completed_at DESC LIMIT $1) AS newest) AS conversions`,
    [SAMPLE],
  );
  return {
    exportSecondsPerByte: row?.rate ?? null,
    bytesPerVm: row?.bytes ?? null,
    conversionSeconds: row?.conversion ?? null,
  };
}

/** Up to so many jobs ahead are gone through one by one; beyond, the slots even out. */
const ONE_BY_ONE = 500;

/**
 * Seconds until a job starts, when slots take what is ahead of it one after the other.
 * @param running seconds that each job that runs still takes
 * @param ahead how many jobs start before it
 * @param secondsAhead that these take together
 */
export function secondsUntilStart(
  slots: number,
  running: readonly number[],
  ahead: number,
  secondsAhead: number,
): number {
  const busy = running.toSorted((one, other) => one - other);
  // Where more run than there are slots (a worker went away), the last to end free none.
  const free = [...Array.from({ length: Math.max(0, slots - busy.length) }, () => 0), ...busy].slice(-slots);
  if (ahead > ONE_BY_ONE) return (free.reduce((sum, one) => sum + one, 0) + secondsAhead) / slots;
  for (let job = 0; job < ahead; job += 1) {
    const first = free.indexOf(Math.min(...free));
    free[first] = (free[first] ?? 0) + secondsAhead / ahead;
  }
  return Math.min(...free);
}
