import { ERRORS, hookRequested, type Failure } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import { writeOutboxOfMany } from '../outbox/index.js';

const WITHDRAWN: Failure = {
  code: 'CANCELLED',
  message: 'What it was to run before is not done any more.',
  advice: ERRORS.CANCELLED.advice,
  retryable: false,
};

/** Takes back hooks that wait, and stops those that run. */
export async function withdraw(manager: EntityManager, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const rows = await manager.query<{ id: string; status: string }[]>(
    'SELECT id, status FROM hooks WHERE id = ANY ($1::text[]) AND NOT spent ORDER BY id FOR UPDATE',
    [ids],
  );
  const queued = rows.filter(({ status }) => status === 'queued').map(({ id }) => id);
  await manager.query(
    "DELETE FROM outbox WHERE job_id = ANY ($1::text[]) AND kind = 'command' AND published_at IS NULL",
    [queued],
  );
  await writeOutboxOfMany(
    manager,
    queued.map((id) => ({ id, message: { kind: 'cancel', type: hookRequested.type, data: { job_id: id } } })),
  );
  await manager.query(
    `UPDATE hooks SET spent = true, status = CASE status WHEN 'queued' THEN 'failed' ELSE status END,
       failure = CASE status WHEN 'queued' THEN $2::jsonb ELSE failure END, completed_at = coalesce(completed_at, now())
     WHERE id = ANY ($1::text[])`,
    [rows.map(({ id }) => id), JSON.stringify(WITHDRAWN)],
  );
}
