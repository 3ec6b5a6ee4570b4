import type { DataSource } from 'typeorm';
import type { Batch } from '../database/index.js';
import { measuredRates } from '../jobs/estimate.js';
import type { Counts } from './counts.js';
import type { Sizes } from './sizes.js';
import { underWay } from './state.js';

/**
 * Seconds until the last VM is through, from what the last jobs took, and from how many are moved side by side now. Null where
 * nothing is known yet, and where nothing is left.
 */
export async function remainingSeconds(
  source: DataSource,
  batch: Pick<Batch, 'maxParallel'>,
  counts: Counts,
  { unexportedBytes, unconverted }: Sizes,
): Promise<number | null> {
  if (counts.over === counts.totals.total) return null;
  const { exportSecondsPerByte: perByte, conversionSeconds } = await measuredRates(source);
  if (perByte === null || conversionSeconds === null) return null;
  const running = counts.totals.exporting + counts.totals.converting;
  const sideBySide = running > 0 ? running : Math.max(1, Math.min(underWay(counts), batch.maxParallel ?? Infinity));
  return Math.ceil((unexportedBytes * perByte + unconverted * conversionSeconds) / sideBySide);
}
