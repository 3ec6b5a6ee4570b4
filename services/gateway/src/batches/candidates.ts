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

/** Whose jobs are looked for. */
export interface Search {
  /** Null: jobs of no batch. */
  readonly batchId: string | null;
  /** Of these waves; of a batch alone. */
  readonly waves: readonly string[];
  readonly limit: number;
}

/**
 * Jobs that may start now by their own times, in the order of lanes and the plan; without those whose hook runs. Windows that
 * are closed are found as they come up, and left out from then on: there are few of them.
 */
export async function candidatesOf(manager: EntityManager, search: Search, now: Date): Promise<Candidate[]> {
  const closed: string[] = [];
  for (;;) {
    const rows = await waiting(manager, search, now, closed);
    const shut = new Set(rows.flatMap(({ window }) => (isOpen(window, now.getTime()) ? [] : [window])));
    if (shut.size === 0) return rows;
    closed.push(...shut);
  }
}

const SELECT = `
  SELECT id, window_key AS window, options->'hooks'->'before' AS before, lane_rank, plan_order, queued_at FROM jobs
  WHERE status = 'pending' AND admitted_at IS NULL
    AND (not_before IS NULL OR not_before <= $1) AND (next_retry_at IS NULL OR next_retry_at <= $1)
    AND window_key <> ALL ($2::text[])
    AND NOT EXISTS (SELECT 1 FROM hooks
      WHERE hooks.job_id = jobs.id AND scope = 'vm' AND moment = 'before' AND NOT spent)`;

function waiting(manager: EntityManager, search: Search, now: Date, closed: readonly string[]): Promise<Row[]> {
  const { batchId, waves, limit } = search;
  if (batchId === null)
    return manager.query<Row[]>(`${SELECT} AND batch_id IS NULL ORDER BY lane_rank, queued_at, id LIMIT $3`, [
      now,
      closed,
      limit,
    ]);
  // Wave by wave in the order of idx_jobs_unadmitted, so that no more are read than can be let in.
  return manager.query<Row[]>(
    `SELECT first.id, first.window, first.before FROM unnest($4::text[]) AS open (name), LATERAL (
       ${SELECT} AND batch_id = $5 AND wave = open.name ORDER BY lane_rank, plan_order LIMIT $3) AS first
     ORDER BY lane_rank, plan_order LIMIT $3`,
    [now, closed, limit, waves, batchId],
  );
}
