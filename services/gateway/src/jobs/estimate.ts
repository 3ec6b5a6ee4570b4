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

/** What the last completed jobs took; null before the first. */
export interface MeasuredRates {
  readonly exportSecondsPerByte: number | null;
  /** Of a whole conversion: most of it does not depend on the size of the disks. */
  readonly conversionSeconds: number | null;
}

export async function measuredRates(source: DataSource): Promise<MeasuredRates> {
  const [row] = await source.query<{ rate: number | null; conversion: number | null }[]>(
    `SELECT sum(export_duration_seconds) / nullif(sum(total_bytes::float8), 0) AS rate,
       avg(conversion_duration_seconds)::float8 AS conversion FROM (
         SELECT export_duration_seconds, conversion_duration_seconds, total_bytes
         FROM jobs WHERE status = 'completed' ORDER BY created_at DESC LIMIT $1) AS newest`,
    [SAMPLE],
  );
  return { exportSecondsPerByte: row?.rate ?? null, conversionSeconds: row?.conversion ?? null };
}
