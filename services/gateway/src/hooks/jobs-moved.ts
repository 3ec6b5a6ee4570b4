import { isEnded } from '@hyper2kvm/contracts';
import { In, type EntityManager } from 'typeorm';
import { Batch, type JobRow } from '../database/index.js';
import { askHooks, ofJob } from './ask.js';
import { withdraw } from './withdraw.js';

/** A job before and after a change. */
export interface Move {
  readonly before: JobRow;
  readonly after: JobRow;
}

/** Nothing goes on by itself: it ended, or rests in exported because nobody wants it converted. */
const isOver = ({ status, conversionStatus }: JobRow): boolean =>
  isEnded(status) || (status === 'exported' && conversionStatus === null);

/** What hooks and batches make of changes of jobs, in the transaction that changes them. */
export async function jobsMoved(manager: EntityManager, moves: readonly Move[]): Promise<void> {
  const ended = moves
    .filter(({ before, after }) => !isEnded(before.status) && isEnded(after.status))
    .map(({ after }) => after);
  await withdrawHooks(
    manager,
    ended.filter(({ options }) => options.hooks?.before !== undefined).map(({ id }) => id),
  );
  await askAfterHooks(manager, ended);
  await reopenBatches(
    manager,
    moves.filter(({ before, after }) => isOver(before) && !isOver(after)).map(({ after }) => after),
  );
}

/** Tells the hooks after VMs of their end, whatever that was. */
async function askAfterHooks(manager: EntityManager, jobs: readonly JobRow[]): Promise<void> {
  const hooked = jobs.filter(({ options }) => options.hooks?.after !== undefined);
  if (hooked.length === 0) return;
  const ids = [...new Set(hooked.flatMap(({ batchId }) => batchId ?? []))];
  const batches = ids.length === 0 ? [] : await manager.findBy(Batch, { id: In(ids) });
  const names = new Map(batches.map(({ id, name }) => [id, name]));
  await askHooks(
    manager,
    hooked.flatMap((job) => {
      const hook = job.options.hooks?.after;
      return hook === undefined ? [] : [ofJob(job, hook, 'after', names.get(job.batchId ?? '') ?? null)];
    }),
  );
}

/** What was to run before these VMs need not any more. */
async function withdrawHooks(manager: EntityManager, jobIds: readonly string[]): Promise<void> {
  if (jobIds.length === 0) return;
  const rows = await manager.query<{ id: string }[]>(
    "SELECT id FROM hooks WHERE scope = 'vm' AND moment = 'before' AND job_id = ANY ($1::text[]) AND NOT spent ORDER BY id",
    [jobIds],
  );
  await withdraw(
    manager,
    rows.map(({ id }) => id),
  );
}

/**
 * Jobs of them go on. A batch that was told to be complete is begun again: what stopped or cancelled it then is past, and the
 * failures up to now count no more. Takes the batch's row, as its completion does: neither misses the other.
 */
async function reopenBatches(manager: EntityManager, jobs: readonly JobRow[]): Promise<void> {
  const waves = new Map<string, Set<string>>();
  for (const { batchId, wave } of jobs)
    if (batchId !== null) waves.set(batchId, (waves.get(batchId) ?? new Set()).add(wave ?? ''));
  // Always in the same order, so that two of these never wait for each other.
  for (const [id, names] of [...waves].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    await manager.query(
      `UPDATE batches SET version = version + 1, updated_at = now(), completed_at = NULL,
         cancelled_at = CASE WHEN completed_at IS NULL THEN cancelled_at END,
         cancelled_by = CASE WHEN completed_at IS NULL THEN cancelled_by END,
         stopped_at = CASE WHEN completed_at IS NULL THEN stopped_at END,
         failures_forgiven = CASE WHEN completed_at IS NULL THEN failures_forgiven
           ELSE (SELECT count(*) FROM jobs WHERE batch_id = $1 AND status = 'failed') END
       WHERE id = $1`,
      [id],
    );
    await manager.query(
      `UPDATE hooks SET spent = true
       WHERE scope = 'wave' AND moment = 'after' AND batch_id = $1 AND wave = ANY ($2::text[]) AND NOT spent`,
      [id, [...names]],
    );
  }
}
