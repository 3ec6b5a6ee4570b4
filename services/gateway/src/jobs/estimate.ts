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
