import { JOB_STATUSES, isEnded, type BatchTotals, type JobStatus } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';

/** Jobs of a batch, or of one of its waves. */
export interface Counts {
  readonly totals: BatchTotals;
  /** Came to their end, or rest in exported because nobody wants them converted. */
  readonly over: number;
  /** Pending, and not admitted. */
  readonly waiting: number;
}
export type WaveCounts = ReadonlyMap<string, Counts>;

export interface CountRow {
  readonly batch_id: string;
  readonly wave: string;
  readonly status: JobStatus;
  readonly resting: boolean;
  readonly admitted: boolean;
  readonly count: number;
}

/**
 * By batch, then by wave. An index holds all columns.
 * @param wave this one alone
 */
export async function readCounts(
  manager: EntityManager,
  ids: readonly string[],
  wave?: string,
): Promise<Map<string, WaveCounts>> {
  const rows = await manager.query<CountRow[]>(
    `SELECT batch_id, wave, status, status = 'exported' AND conversion_status IS NULL AS resting,
       admitted_at IS NOT NULL AS admitted, count(*)::int AS count
     FROM jobs WHERE batch_id = ANY ($1::text[]) AND ($2::text IS NULL OR wave = $2) GROUP BY 1, 2, 3, 4, 5`,
    [ids, wave ?? null],
  );
  const batches = new Map<string, CountRow[]>(ids.map((id) => [id, []]));
  for (const row of rows) batches.get(row.batch_id)?.push(row);
  return new Map([...batches].map(([id, of]) => [id, byWave(of)]));
}

function byWave(rows: readonly CountRow[]): WaveCounts {
  const waves = new Map<string, CountRow[]>();
  for (const row of rows) waves.set(row.wave, [...(waves.get(row.wave) ?? []), row]);
  return new Map([...waves].map(([wave, of]) => [wave, countsOf(of)]));
}

export function countsOf(rows: readonly Omit<CountRow, 'batch_id' | 'wave'>[]): Counts {
  const totals = { ...NONE.totals };
  let [over, waiting] = [0, 0];
  for (const { status, resting, admitted, count } of rows) {
    totals[status] += count;
    totals.total += count;
    if (isEnded(status) || resting) over += count;
    if (status === 'pending' && !admitted) waiting += count;
  }
  return { totals, over, waiting };
}

const ZERO = Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])) as Record<JobStatus, number>;
/** Of a wave whose jobs are gone. */
export const NONE: Counts = { totals: { total: 0, ...ZERO }, over: 0, waiting: 0 };

/** Of all waves together. */
export function sumOf(waves: WaveCounts): Counts {
  const totals = { ...NONE.totals };
  let [over, waiting] = [0, 0];
  for (const counts of waves.values()) {
    for (const status of JOB_STATUSES) totals[status] += counts.totals[status];
    totals.total += counts.totals.total;
    over += counts.over;
    waiting += counts.waiting;
  }
  return { totals, over, waiting };
}

/** An exported VM is half moved. */
export function percentOf({ totals, over }: Counts): number {
  if (totals.total === 0) return 100;
  const resting = over - totals.completed - totals.failed - totals.cancelled;
  const half = totals.exported - resting + totals.converting;
  return Math.floor((100 * (over + half / 2)) / totals.total);
}
