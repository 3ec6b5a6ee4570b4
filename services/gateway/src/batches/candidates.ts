import type { Hook } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import { isOpen } from '../release/board.js';

/** A job that could be let in now. */
export interface Candidate {
  readonly id: string;
  readonly before: Hook | null;
}

interface Row extends Candidate {
  readonly window: string;
}

/**
 * Jobs that may start now by their own times, in the order of lanes and the plan; without those whose hook runs. Windows that
 * are closed are found as they come up, and left out from then on: there are few of them.
 * @param batchId null for jobs of no batch
 */
export async function candidatesOf(
  manager: EntityManager,
  {
    batchId,
    waves,
    limit,
  }: { readonly batchId: string | null; readonly waves: readonly string[]; readonly limit: number },
  now: Date,
): Promise<Candidate[]> {
  const closed: string[] = [];
  for (;;) {
    const rows = await manager.query<Row[]>(
      `SELECT id, window_key AS window, options->'hooks'->'before' AS before FROM jobs
       WHERE status = 'pending' AND admitted_at IS NULL
         AND ${batchId === null ? 'batch_id IS NULL AND $1::text IS NULL' : 'batch_id = $1'}
         AND ($2::text[] IS NULL OR wave = ANY ($2::text[]))
         AND (not_before IS NULL OR not_before <= $3) AND (next_retry_at IS NULL OR next_retry_at <= $3)
         AND window_key <> ALL ($4::text[])
         AND NOT EXISTS (SELECT 1 FROM hooks
           WHERE hooks.job_id = jobs.id AND scope = 'vm' AND moment = 'before' AND NOT spent)
       ORDER BY lane_rank, plan_order, queued_at, id
       LIMIT $5`,
      [batchId, batchId === null ? null : waves, now, closed, limit],
    );
    const shut = new Set(rows.flatMap(({ window }) => (isOpen(window, now.getTime()) ? [] : [window])));
    if (shut.size === 0) return rows;
    closed.push(...shut);
  }
}
