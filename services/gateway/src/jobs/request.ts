import { JobError, type ErrorCode } from '@hyper2kvm/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import { Job } from '../database/index.js';
import type { Decision } from './decision.js';
import { applyDecisions, lockJobs, oneJobPerVm, takeBack, type Change, type TakenBack } from './store.js';

/** Jobs of one transaction. */
const CHUNK = 100;

/** What a user asks of a job, or of many. */
export interface Request {
  /** For a refusal: `retry is not possible: job-… is completed`. */
  readonly what: string;
  /** Of the timeline: `request.retry`. */
  readonly event: string;
  readonly by: string;
  /** Of the timeline: a plain sentence. */
  readonly message: string;
  /** Commands of the job that must not leave any more as they are (names without the version). */
  withdraws(job: Job): readonly string[];
  /**
   * Undefined where the state does not allow it. Asked with nothing taken back first: it has no effects.
   * @throws JobError where this job cannot have what is asked for
   */
  decide(job: Job, taken: readonly TakenBack[]): Decision | undefined;
}

export interface Refused {
  readonly job_id: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What became of a request to many jobs, each by itself. */
export interface Outcome {
  readonly changed: Job[];
  readonly refused: Refused[];
}

/**
 * Asks it of one job.
 * @throws JobError JOB_NOT_FOUND, STATE_CONFLICT, VM_BUSY, and what the request refuses
 */
export async function changeOne(source: DataSource, id: string, request: Request): Promise<Job> {
  const row = await source.manager.findOneBy(Job, { id });
  if (row === null) throw notFound(id);
  const [changed] = await oneJobPerVm(source, row, () =>
    source.transaction(async (manager) => {
      const { changes, errors } = await decideAll(manager, [id], request);
      const error = errors.get(id);
      if (error !== undefined) throw error;
      return applyDecisions(manager, changes);
    }),
  );
  if (changed === undefined) throw new Error(`${id} was not changed`);
  return changed;
}

/** Asks it of many jobs: what one refuses does not keep the others from it. */
export async function changeMany(source: DataSource, ids: readonly string[], request: Request): Promise<Outcome> {
  const outcome: Outcome = { changed: [], refused: [] };
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const { changed, refused } = await changeChunk(source, chunk, request).catch(() =>
      // One that the database refuses (another job moves its VM) undoes them all: each by itself then.
      changeEach(source, chunk, request),
    );
    outcome.changed.push(...changed);
    outcome.refused.push(...refused);
  }
  return outcome;
}

const changeChunk = (source: DataSource, ids: readonly string[], request: Request): Promise<Outcome> =>
  source.transaction(async (manager) => {
    const { changes, errors } = await decideAll(manager, ids, request);
    const refused = [...errors].map(([id, error]) => refusal(id, error));
    return { changed: await applyDecisions(manager, changes), refused };
  });

async function changeEach(source: DataSource, ids: readonly string[], request: Request): Promise<Outcome> {
  const outcome: Outcome = { changed: [], refused: [] };
  for (const id of ids) {
    try {
      outcome.changed.push(await changeOne(source, id, request));
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      outcome.refused.push(refusal(id, error));
    }
  }
  return outcome;
}

const refusal = (id: string, { code, message }: JobError): Refused => ({ job_id: id, code, message });
const notFound = (id: string): JobError => new JobError('JOB_NOT_FOUND', `There is no job ${id}.`);

/** Decides on each of these jobs, locked. Only of those that can have it something is taken back. */
async function decideAll(
  manager: EntityManager,
  ids: readonly string[],
  request: Request,
): Promise<{ changes: Change[]; errors: Map<string, JobError> }> {
  const errors = new Map(ids.map((id) => [id, notFound(id)]));
  const decided = new Map<Job, Decision>();
  for (const job of await lockJobs(manager, ids)) {
    try {
      const decision = request.decide(job, []);
      if (decision === undefined) throw conflict(job, request);
      decided.set(job, decision);
      errors.delete(job.id);
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      errors.set(job.id, error);
    }
  }
  const taken = await takenBy(manager, [...decided.keys()], request);
  const happened = { event: request.event, by: request.by, message: request.message };
  const changes = [...decided].map(([job, before]) => {
    const own = taken.get(job.id);
    const decision = own === undefined ? before : (request.decide(job, own) ?? before);
    return { job, decision: { ...decision, events: [happened, ...(decision.events ?? [])] } };
  });
  return { changes, errors };
}

const conflict = (job: Job, { what }: Request): JobError =>
  new JobError('STATE_CONFLICT', `${what} is not possible: ${job.id} is ${job.status}.`);

/** What of them is taken back, by job. */
async function takenBy(
  manager: EntityManager,
  jobs: readonly Job[],
  request: Request,
): Promise<Map<string, TakenBack[]>> {
  const taken = new Map<string, TakenBack[]>();
  const commands = new Map(jobs.map((job) => [job.id, request.withdraws(job)]));
  const ids = [...commands].filter(([, names]) => names.length > 0).map(([id]) => id);
  if (ids.length === 0) return taken;
  for (const one of await takeBack(manager, ids, [...new Set([...commands.values()].flat())]))
    taken.set(one.jobId, [...(taken.get(one.jobId) ?? []), one]);
  return taken;
}
