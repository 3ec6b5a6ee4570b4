import type { Failure, Hook } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import type { HookRow } from '../database/index.js';

/** A hook before a VM or a wave that has not been made use of yet. */
export interface Ticket {
  readonly id: string;
  readonly wave: string | null;
  readonly jobId: string | null;
  readonly hook: Hook;
  readonly status: HookRow['status'];
  readonly failure: Failure | null;
}

/** Those of a batch, or of jobs of no batch. */
export interface Tickets {
  /** One of each wave at most. */
  readonly waves: readonly Ticket[];
  /** How many VMs have one. */
  readonly vms: number;
  /** Of VMs whose hook ended, the oldest first. */
  readonly ended: readonly Ticket[];
}

const COLUMNS = 'id, wave, job_id AS "jobId", hook, status, failure';
const open = (batchId: string | null): string =>
  `NOT spent AND moment = 'before' AND ${batchId === null ? 'batch_id IS NULL AND $1::text IS NULL' : 'batch_id = $1'}`;

/** @param limit of those that ended */
export async function readTickets(manager: EntityManager, batchId: string | null, limit: number): Promise<Tickets> {
  const [count = { waves: 0, vms: 0, ended: 0 }] = await manager.query<{ waves: number; vms: number; ended: number }[]>(
    `SELECT count(*) FILTER (WHERE scope = 'wave')::int AS waves, count(*) FILTER (WHERE scope = 'vm')::int AS vms,
       count(*) FILTER (WHERE scope = 'vm' AND status <> 'queued')::int AS ended
     FROM hooks WHERE ${open(batchId)}`,
    [batchId],
  );
  return {
    waves: count.waves === 0 ? [] : await waveTickets(manager, batchId),
    vms: count.vms,
    ended:
      count.ended === 0
        ? []
        : await manager.query<Ticket[]>(
            `SELECT ${COLUMNS} FROM hooks WHERE ${open(batchId)} AND scope = 'vm' AND status <> 'queued'
             ORDER BY completed_at, id LIMIT $2`,
            [batchId, limit],
          ),
  };
}

const waveTickets = (manager: EntityManager, batchId: string | null): Promise<Ticket[]> =>
  manager.query<Ticket[]>(`SELECT ${COLUMNS} FROM hooks WHERE ${open(batchId)} AND scope = 'wave'`, [batchId]);

/** Of one job. */
export async function ticketOf(manager: EntityManager, jobId: string): Promise<Ticket | undefined> {
  const [ticket] = await manager.query<Ticket[]>(
    `SELECT ${COLUMNS} FROM hooks WHERE scope = 'vm' AND moment = 'before' AND job_id = $1 AND NOT spent`,
    [jobId],
  );
  return ticket;
}

/** Why its own hook holds a wave; null where none does. */
export const hookWait = (wave: string, { waves }: Tickets): string | null =>
  waves.find((ticket) => ticket.wave === wave)?.status === 'queued'
    ? `the hook before wave ${wave} has not ended yet`
    : null;

/** Whether what it stands before may go on; undefined while it runs. */
export function passed({ status, hook }: Pick<Ticket, 'status' | 'hook'>): boolean | undefined {
  if (status === 'queued') return undefined;
  return status === 'completed' || hook.on_failure === 'continue';
}

export async function spend(manager: EntityManager, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await manager.query('UPDATE hooks SET spent = true WHERE id = ANY ($1::text[])', [ids]);
}
