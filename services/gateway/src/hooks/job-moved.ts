import { ERRORS, hookRequested, isEnded, type Failure } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import { Batch, type JobRow } from '../database/index.js';
import { writeOutboxOfMany } from '../outbox/index.js';
import { askHooks, ofJob } from './ask.js';

/** Nothing goes on by itself: it ended, or rests in exported because nobody wants it converted. */
const isOver = ({ status, conversionStatus }: JobRow): boolean =>
  isEnded(status) || (status === 'exported' && conversionStatus === null);

/** What hooks and batch make of a change of a job, in the transaction that changes it. */
export async function jobMoved(manager: EntityManager, before: JobRow, after: JobRow): Promise<void> {
  if (!isEnded(before.status) && isEnded(after.status)) {
    if (after.options.hooks?.before !== undefined) await withdrawHooks(manager, after.id);
    await askAfterHook(manager, after);
  }
  if (after.batchId !== null && after.wave !== null && isOver(before) && !isOver(after))
    await reopenBatch(manager, after.batchId, after.wave);
}

/** Tells the hook after a VM of its end, whatever that was. */
export async function askAfterHook(manager: EntityManager, job: JobRow): Promise<void> {
  const hook = job.options.hooks?.after;
  if (hook === undefined) return;
  const batch = job.batchId === null ? null : await manager.findOneBy(Batch, { id: job.batchId });
  await askHooks(manager, [ofJob(job, hook, 'after', batch?.name ?? null)]);
}

const CANCELLED: Failure = {
  code: 'CANCELLED',
  message: 'Its job ended first.',
  advice: ERRORS.CANCELLED.advice,
  retryable: false,
};

/** What was to run before the VM need not any more. */
async function withdrawHooks(manager: EntityManager, jobId: string): Promise<void> {
  const rows = await manager.query<{ id: string; status: string }[]>(
    "SELECT id, status FROM hooks WHERE scope = 'vm' AND moment = 'before' AND job_id = $1 AND NOT spent FOR UPDATE",
    [jobId],
  );
  if (rows.length === 0) return;
  const queued = rows.filter(({ status }) => status === 'queued').map(({ id }) => id);
  await manager.query(
    `DELETE FROM outbox WHERE job_id = ANY ($1::text[]) AND kind = 'command' AND published_at IS NULL`,
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
    [rows.map(({ id }) => id), JSON.stringify(CANCELLED)],
  );
}

/**
 * A job of it goes on. A batch that was told to be complete is begun again: what stopped or cancelled it then is past, and the
 * failures up to now count no more. Takes the batch's row, as its completion does: neither misses the other.
 */
async function reopenBatch(manager: EntityManager, id: string, wave: string): Promise<void> {
  await manager.query(
    `UPDATE batches SET version = version + 1, updated_at = now(), completed_at = NULL,
       cancelled_at = CASE WHEN completed_at IS NULL THEN cancelled_at END,
       stopped_at = CASE WHEN completed_at IS NULL THEN stopped_at END,
       failures_forgiven = CASE WHEN completed_at IS NULL THEN failures_forgiven
         ELSE (SELECT count(*) FROM jobs WHERE batch_id = $1 AND status = 'failed') END
     WHERE id = $1`,
    [id],
  );
  await manager.query(
    `UPDATE hooks SET spent = true
     WHERE scope = 'wave' AND moment = 'after' AND batch_id = $1 AND wave = $2 AND NOT spent`,
    [id, wave],
  );
}
