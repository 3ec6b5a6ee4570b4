import type { RetentionReport } from '@hyper2kvm/contracts';
import { forgetSubject, type Bus } from '@hyper2kvm/runtime';
import type { DataSource, EntityManager } from 'typeorm';
import { STANDING } from './artifacts.js';

type Ended = RetentionReport['jobs'][number];

/** Jobs that ended before $1, of which nothing is under way and nothing is left anywhere but their results. */
const THROUGH = `(completed_at IS NOT NULL AND completed_at < $1 AND status IN ('completed', 'failed', 'cancelled')
  AND (cleanup IS NULL OR cleanup->>'status' = 'completed')
  AND verification->>'status' IS DISTINCT FROM 'queued' AND libvirt_import->>'status' IS DISTINCT FROM 'queued'
  AND NOT ${STANDING}
  AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = jobs.id AND published_at IS NULL)
  AND NOT EXISTS (SELECT FROM hooks WHERE hooks.job_id = jobs.id AND hooks.status = 'queued'))`;

/** Batches of which every job is: their totals follow from their jobs, so they go together. */
const BATCH_THROUGH = `(batches.completed_at < $1
  AND NOT EXISTS (SELECT FROM jobs WHERE jobs.batch_id = batches.id AND NOT ${THROUGH})
  AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = batches.id AND published_at IS NULL)
  AND NOT EXISTS (SELECT FROM hooks WHERE hooks.batch_id = batches.id AND hooks.status = 'queued'))`;

/** Whether it belongs to no batch that stays. */
const FREE = `NOT EXISTS (SELECT FROM batches WHERE batches.id = jobs.batch_id)`;

/**
 * The oldest first.
 * @param batches that are removed before
 */
export async function findJobs(
  manager: EntityManager,
  before: Date,
  limit: number,
  batches: readonly string[] = [],
): Promise<Ended[]> {
  const rows = await manager.query<{ id: string; vm_name: string; status: string; completed_at: Date }[]>(
    `SELECT id, vm_name, status, completed_at FROM jobs
     WHERE ${THROUGH} AND (${FREE} OR batch_id = ANY ($3::text[])) ORDER BY completed_at LIMIT $2`,
    [before, limit, batches],
  );
  return rows.map(({ id, vm_name, status, completed_at }) => ({
    job_id: id,
    vm_name,
    status,
    completed_at: completed_at.toISOString(),
  }));
}

export async function findBatches(manager: EntityManager, before: Date, limit: number): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM batches WHERE ${BATCH_THROUGH} ORDER BY completed_at LIMIT $2`,
    [before, limit],
  );
  return rows.map(({ id }) => id);
}

/**
 * Removes a batch and lets go of its jobs, which are removed one by one afterwards. Its jobs are locked first: one that is tried
 * again at this moment keeps its batch, or is free of it.
 */
export const removeBatch = (source: DataSource, bus: Bus, id: string, before: Date): Promise<boolean> =>
  source.transaction(async (manager) => {
    await manager.query('SELECT FROM jobs WHERE batch_id = $1 ORDER BY id FOR UPDATE', [id]);
    const found = await manager.query<unknown[]>(
      `SELECT id FROM batches WHERE id = $2 AND ${BATCH_THROUGH} FOR UPDATE SKIP LOCKED`,
      [before, id],
    );
    if (found.length === 0) return false;
    // Those of VMs go with their jobs: thousands of them would hold all these rows for minutes.
    await manager.query("UPDATE hooks SET batch_id = NULL WHERE batch_id = $1 AND scope = 'vm'", [id]);
    const hooks = await hooksOf(manager, 'batch_id', id);
    for (const one of [id, ...hooks]) await forgetSubject(bus, one);
    await manager.query('UPDATE jobs SET batch_id = NULL, version = version + 1 WHERE batch_id = $1', [id]);
    await manager.query('DELETE FROM outbox WHERE job_id = ANY ($1::text[])', [[id, ...hooks]]);
    await manager.query('DELETE FROM batches WHERE id = $1', [id]);
    return true;
  });

/**
 * Removes a job: all that NATS keeps of it, and then its row, with its history. In this order, under the row's lock: cut off in
 * between, it is done again; and nobody can have it tried again meanwhile.
 */
export const removeJob = (source: DataSource, bus: Bus, id: string, before: Date): Promise<boolean> =>
  source.transaction(async (manager) => {
    const found = await manager.query<unknown[]>(
      `SELECT id FROM jobs WHERE id = $2 AND ${THROUGH} AND ${FREE} FOR UPDATE SKIP LOCKED`,
      [before, id],
    );
    if (found.length === 0) return false;
    const ids = [id, ...(await hooksOf(manager, 'job_id', id))];
    for (const one of ids) await forgetSubject(bus, one);
    await manager.query('DELETE FROM outbox WHERE job_id = ANY ($1::text[])', [ids]);
    await manager.query('DELETE FROM jobs WHERE id = $1', [id]);
    return true;
  });

async function hooksOf(manager: EntityManager, column: 'job_id' | 'batch_id', id: string): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(`SELECT id FROM hooks WHERE ${column} = $1`, [id]);
  return rows.map((row) => row.id);
}
