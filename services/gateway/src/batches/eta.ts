import type { DataSource } from 'typeorm';
import type { Batch } from '../database/index.js';
import { measuredRates } from '../jobs/estimate.js';
import { underWay } from './state.js';
import type { Counts } from './counts.js';

/**
 * Seconds until the last VM is through, from what the last jobs took, and from how many are moved side by side now. Null where
 * nothing is known yet, and where nothing is left.
 */
export async function remainingSeconds(
  source: DataSource,
  batch: Pick<Batch, 'id' | 'maxParallel'>,
  counts: Counts,
): Promise<number | null> {
  if (counts.over === counts.totals.total) return null;
  const { exportSecondsPerByte: perByte, conversionSeconds } = await measuredRates(source);
  if (perByte === null || conversionSeconds === null) return null;
  const { unexported, unconverted } = await left(source, batch.id);
  const running = counts.totals.exporting + counts.totals.converting;
  const asideEachOther = running > 0 ? running : Math.max(1, Math.min(underWay(counts), batch.maxParallel ?? Infinity));
  return Math.ceil((unexported * perByte + unconverted * conversionSeconds) / asideEachOther);
}

/** Bytes to fetch, and VMs to convert. One that nobody has looked at yet counts like the average of the others. */
async function left(source: DataSource, id: string): Promise<{ unexported: number; unconverted: number }> {
  const [row] = await source.query<{ known: number; unseen: number; average: number | null; unconverted: number }[]>(
    `SELECT coalesce(sum(total_bytes) FILTER (WHERE status IN ('pending', 'exporting')), 0)::float8 AS known,
       count(*) FILTER (WHERE status = 'pending' AND machine IS NULL)::int AS unseen,
       avg(total_bytes) FILTER (WHERE machine IS NOT NULL)::float8 AS average,
       count(*) FILTER (WHERE status IN ('pending', 'exporting', 'exported', 'converting')
         AND NOT (status = 'exported' AND conversion_status IS NULL))::int AS unconverted
     FROM jobs WHERE batch_id = $1`,
    [id],
  );
  if (row === undefined) return { unexported: 0, unconverted: 0 };
  return { unexported: row.known + row.unseen * (row.average ?? 0), unconverted: row.unconverted };
}
