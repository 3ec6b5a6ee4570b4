import { JobError } from '@hyper2kvm/contracts';
import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import { ACTIVE_VM_INDEX, Job } from '../database/index.js';
import { writeOutbox } from '../outbox/index.js';
import type { Decision } from './decision.js';

/** Another change came in between; the caller starts again from the new row. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict';
}

/** The job's row, locked until the transaction ends. */
export const lockJob = (manager: EntityManager, id: string): Promise<Job | null> =>
  manager.findOne(Job, { where: { id }, lock: { mode: 'pessimistic_write' } });

/** Writes a decision: the row if it still has the version that was decided on, and its messages. */
export async function applyDecision(manager: EntityManager, job: Job, decision: Decision): Promise<Job> {
  const version = job.version + 1;
  const patch = { ...decision.patch, version };
  const { affected } = await manager
    .createQueryBuilder()
    .update(Job)
    .set(patch)
    .where('id = :id AND version = :version', { id: job.id, version: job.version })
    .execute();
  if (affected !== 1) throw new VersionConflict(`${job.id} changed since version ${job.version}`);
  await writeOutbox(manager, job.id, decision.messages);
  return Object.assign(new Job(), job, patch);
}

/** True the first time that this consumer sees this event. */
export async function receive(manager: EntityManager, consumer: string, eventId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    'INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING event_id',
    [consumer, eventId],
  );
  return rows.length === 1;
}

/** Runs `work`; where it would make a second active job for a VM, says which is the first. */
export async function oneJobPerVm<T>(
  source: DataSource,
  job: Pick<Job, 'vmName' | 'instanceUuid'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!violates(error, ACTIVE_VM_INDEX)) throw error;
    throw busy(job.vmName, await activeJobOf(source.manager, job.instanceUuid), error);
  }
}

/** The job that moves a VM now. @param uuid its instance UUID; null where the source has none */
export function activeJobOf(manager: EntityManager, uuid: string | null): Promise<Job | null> {
  if (uuid === null) return Promise.resolve(null);
  return manager
    .createQueryBuilder(Job, 'job')
    .where("job.instance_uuid = :uuid AND job.status IN ('pending', 'exporting', 'exported', 'converting')", { uuid })
    .getOne();
}

export function busy(vmName: string, first: Pick<Job, 'id' | 'status'> | null, cause?: unknown): JobError {
  const name = first === null ? 'another job' : `${first.id} (${first.status})`;
  return new JobError('VM_BUSY', `${vmName} is already being moved by ${name}.`, { cause });
}

function violates(error: unknown, index: string): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code, constraint } = error.driverError as { code?: string; constraint?: string };
  return code === '23505' && constraint === index;
}

/** Takes back commands that have not left (their names without the version); how many. */
export async function dropWaiting(manager: EntityManager, jobId: string, commands: readonly string[]): Promise<number> {
  const rows = await manager.query<[unknown[], number]>(
    `DELETE FROM outbox WHERE job_id = $1 AND kind = 'command' AND published_at IS NULL
       AND split_part(type, '.v', 1) = ANY ($2::text[])`,
    [jobId, commands],
  );
  return rows[1];
}
