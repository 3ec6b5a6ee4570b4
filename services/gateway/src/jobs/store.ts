import { cleanupRequested, JobError } from '@hyper2kvm/contracts';
import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import { ACTIVE_VM_INDEX, Job, receive } from '../database/index.js';
import { cancelAttempts, writeAttempts, writeEvents } from '../history/index.js';
import { jobsMoved } from '../hooks/index.js';
import { writeOutboxOfMany } from '../outbox/index.js';
import { forgetSecrets } from '../vcenters/index.js';
import { withBatchNames } from './batch-names.js';
import type { Fact } from './decide.js';
import type { Decision } from './decision.js';
import { inTraceOf } from './job-trace.js';
import { askedBy, eventOf, lineOf, newsOf } from './timeline.js';
import { updateRows } from './update-rows.js';

/** The job's row, locked until the transaction ends. */
export const lockJob = (manager: EntityManager, id: string): Promise<Job | null> =>
  manager.findOne(Job, { where: { id }, lock: { mode: 'pessimistic_write' } });

/** The rows of several jobs, locked until the transaction ends; always in the same order, so that two of these never wait for each other. */
export const lockJobs = (manager: EntityManager, ids: readonly string[]): Promise<Job[]> =>
  manager
    .createQueryBuilder(Job, 'job')
    .where('job.id = ANY (:ids)', { ids })
    .orderBy('job.id')
    .setLock('pessimistic_write')
    .getMany();

export interface Change {
  readonly job: Job;
  readonly decision: Decision;
}

/** Writes a decision: the row if it still has the version that was decided on, its messages, and what the history says of it. */
export async function applyDecision(manager: EntityManager, job: Job, decision: Decision): Promise<Job> {
  const [after] = await applyDecisions(manager, [{ job, decision }]);
  if (after === undefined) throw new Error(`${job.id} was not written`);
  return after;
}

/** The same of several jobs, in as few statements as can be. */
export async function applyDecisions(manager: EntityManager, changes: readonly Change[]): Promise<Job[]> {
  const updates = changes.map(({ job, decision }) => ({
    job,
    patch: { ...decision.patch, ...forgetSecrets(job, decision.patch) },
  }));
  await updateRows(manager, updates);
  const written = updates.map(({ job, patch }) => Object.assign(new Job(), job, patch, { version: job.version + 1 }));
  const messages = changes.flatMap(({ job, decision }) => {
    const trace = decision.messages.length === 0 ? {} : inTraceOf(job, decision.events?.[0]?.event);
    return decision.messages.map((message) => ({ id: job.id, message, ...trace }));
  });
  await writeOutboxOfMany(manager, await withBatchNames(manager, messages));
  await remember(manager, changes);
  await jobsMoved(
    manager,
    written.map((after, index) => ({ before: changes[index]?.job ?? after, after })),
  );
  return written;
}

/** The history of what was decided. */
async function remember(manager: EntityManager, changes: readonly Change[]): Promise<void> {
  const lines = changes.flatMap(({ job, decision }) =>
    [...(decision.events ?? []), ...decision.messages.map((message) => lineOf(message))].flatMap((happened) =>
      happened === undefined ? [] : [{ jobId: job.id, happened }],
    ),
  );
  await writeEvents(manager, lines);
  const asked = changes.flatMap(({ job, decision }) =>
    decision.messages.flatMap((message) => askedBy(job.id, message) ?? []),
  );
  await writeAttempts(manager, asked);
  const cancelled = changes.filter(({ decision }) => decision.patch.status === 'cancelled').map(({ job }) => job.id);
  await cancelAttempts(manager, cancelled, ['export', 'conversion']);
}

/** A fact as it came: its data, the id that tells repetitions, and when it happened. */
export interface Received {
  readonly fact: Fact;
  readonly eventId: string;
  readonly time: Date;
}

/**
 * Takes in a fact: its job, locked, with the fact in the history. `seen` where it was taken in before, null where there is no
 * such job.
 */
export async function receiveFact(
  manager: EntityManager,
  consumer: string,
  { fact, eventId, time }: Received,
): Promise<Job | null | 'seen'> {
  if (!(await receive(manager, consumer, eventId))) return 'seen';
  const job = await lockJob(manager, fact.data.job_id);
  if (job === null) return null;
  await writeEvents(manager, [{ jobId: job.id, happened: eventOf(fact, time) }]);
  await writeAttempts(manager, [newsOf(fact, time)]);
  return job;
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

/** A command that was taken back before it left. */
export interface TakenBack {
  readonly jobId: string;
  readonly type: string;
  readonly availableAt: Date;
}

/** Takes back commands of these jobs that have not left (names without the version). Clean-ups among them are over. */
export async function takeBack(
  manager: EntityManager,
  jobIds: readonly string[],
  commands: readonly string[],
): Promise<TakenBack[]> {
  const [rows] = await manager.query<[TakenBack[], number]>(
    `DELETE FROM outbox WHERE job_id = ANY ($1::text[]) AND kind IN ('command', 'move') AND published_at IS NULL
       AND split_part(type, '.v', 1) = ANY ($2::text[])
     RETURNING job_id AS "jobId", type, available_at AS "availableAt"`,
    [jobIds, commands],
  );
  const cleanups = rows.filter(({ type }) => type === cleanupRequested.type).map(({ jobId }) => jobId);
  await cancelAttempts(manager, cleanups, ['cleanup']);
  return rows;
}
