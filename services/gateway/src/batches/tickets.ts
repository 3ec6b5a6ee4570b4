import type { Failure, Hook } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import type { HookRow } from '../database/index.js';

/** A hook before a VM or a wave that has not been made use of yet. */
export interface Ticket {
  readonly id: string;
  readonly scope: HookRow['scope'];
  readonly wave: string | null;
  readonly jobId: string | null;
  readonly hook: Hook;
  readonly status: HookRow['status'];
  readonly failure: Failure | null;
}

/** Those of a batch, or of jobs of no batch. */
export const ticketsOf = (manager: EntityManager, batchId: string | null): Promise<Ticket[]> =>
  manager.query<Ticket[]>(
    `SELECT id, scope, wave, job_id AS "jobId", hook, status, failure FROM hooks
     WHERE NOT spent AND moment = 'before' AND ${batchId === null ? 'batch_id IS NULL AND $1::text IS NULL' : 'batch_id = $1'}
     ORDER BY queued_at, id`,
    [batchId],
  );

/** Whether what it stands before may go on; undefined while it runs. */
export function passed({ status, hook }: Pick<Ticket, 'status' | 'hook'>): boolean | undefined {
  if (status === 'queued') return undefined;
  return status === 'completed' || hook.on_failure === 'continue';
}

export async function spend(manager: EntityManager, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await manager.query('UPDATE hooks SET spent = true WHERE id = ANY ($1::text[])', [ids]);
}
