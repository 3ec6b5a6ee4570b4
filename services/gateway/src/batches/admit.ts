import { JobError, type Failure } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import { Job, type Batch, type WaveRow } from '../database/index.js';
import { askHooks, ofJob } from '../hooks/index.js';
import { decideRefuse } from '../jobs/refuse.js';
import { applyDecision } from '../jobs/store.js';
import type { Setting } from '../jobs/decide.js';
import { candidatesOf, type Candidate } from './candidates.js';
import { pulseOf, pulseOfAll, type Pulses } from './pulse.js';
import { blocker } from './state.js';
import { passed, spend, type Ticket, type Tickets } from './tickets.js';

/** Jobs that one pass lets in or refuses at most: the next one goes on. */
export const AT_A_TIME = 500;

/** What one pass did. */
export interface Done {
  /** Jobs whose rows changed. */
  readonly changed: string[];
  /** Messages may have been written. */
  wrote: boolean;
  /** There may be more to do at once. */
  more: boolean;
  /** Jobs of a cancelled batch that are left. */
  readonly left: string[];
}
export const nothing = (): Done => ({ changed: [], wrote: false, more: false, left: [] });

export interface Pass {
  readonly manager: EntityManager;
  readonly setting: Setting;
  readonly done: Done;
}

/** VMs whose hook ended: in, or refused. @param isOpen whether anything is let in now */
export async function settleVms(pass: Pass, { ended }: Tickets, isOpen: boolean): Promise<void> {
  const through = isOpen ? ended.filter((ticket) => passed(ticket) === true) : [];
  const settled = await admit(
    pass,
    through.map(({ jobId }) => jobId ?? ''),
  );
  for (const { jobId, failure } of ended.filter((ticket) => passed(ticket) === false))
    if (await refuse(pass, jobId ?? '', hookFailure('The hook before the migration failed', failure)))
      settled.add(jobId ?? '');
  await spend(
    pass.manager,
    ended.filter(({ jobId }) => settled.has(jobId ?? '')).map(({ id }) => id),
  );
  if (ended.length === AT_A_TIME && settled.size > 0) pass.done.more = true;
}

/** Lets in what has its turn: asks for its hook first, where it has one. */
export async function letIn(pass: Pass, batch: Batch | null, candidates: readonly Candidate[]): Promise<void> {
  await admit(
    pass,
    candidates.filter(({ before }) => before === null).map(({ id }) => id),
  );
  const hooked = candidates.filter(({ before }) => before !== null).map(({ id }) => id);
  if (hooked.length === 0) return;
  const waiting = await pass.manager
    .createQueryBuilder(Job, 'job')
    .where("job.id = ANY (:hooked) AND job.status = 'pending' AND job.admittedAt IS NULL", { hooked })
    .setLock('pessimistic_write')
    .setOnLocked('skip_locked')
    .getMany();
  await askHooks(
    pass.manager,
    hooked.flatMap((id) => {
      const job = waiting.find((one) => one.id === id);
      const hook = job?.options.hooks?.before;
      return job === undefined || hook === undefined ? [] : [ofJob(job, hook, 'before', batch?.name ?? null)];
    }),
  );
  pass.done.wrote = true;
}

// A job that somebody else is changing at this moment is left for the next pass: waiting for one while others are held here
// could have both wait for ever.

/** Ids of those that are in now. */
async function admit({ manager, done, setting }: Pass, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const [rows] = await manager.query<[{ id: string }[], number]>(
    `UPDATE jobs SET admitted_at = $2, queued_at = $2, updated_at = $2, version = version + 1
     WHERE id IN (SELECT id FROM jobs WHERE id = ANY ($1::text[]) AND status = 'pending' AND admitted_at IS NULL
       FOR UPDATE SKIP LOCKED)
     RETURNING id`,
    [ids, setting.now],
  );
  done.changed.push(...rows.map(({ id }) => id));
  return new Set(rows.map(({ id }) => id));
}

/** Whether it was: one that nobody waits with any more is not. */
async function refuse({ manager, done, setting }: Pass, id: string, failure: Failure): Promise<boolean> {
  const job = await manager.findOne(Job, {
    where: { id },
    lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
  });
  const decision = job === null || job.admittedAt !== null ? undefined : decideRefuse(job, failure, setting);
  if (job === null || decision === undefined) return false;
  await applyDecision(manager, job, decision);
  done.changed.push(id);
  done.wrote = true;
  return true;
}

const hookFailure = (what: string, failure: Failure | null): Failure =>
  new JobError('HOOK_FAILED', `${what}: ${failure?.message ?? 'without a reason'}`).toFailure();

/** Lets in all of a batch that may start now. */
export async function admitBatch(pass: Pass, batch: Batch, pulses: Pulses, tickets: Tickets): Promise<void> {
  const room = batch.maxParallel === null ? AT_A_TIME : batch.maxParallel - pulseOfAll(pulses).underWay - tickets.vms;
  const limit = Math.min(room, AT_A_TIME);
  const open: string[] = [];
  for (const wave of batch.waves) {
    if (!pulseOf(pulses, wave.name).waits || blocker(wave, pulses) !== undefined) continue;
    if (await waveOpens(pass, batch, wave, tickets, limit > 0)) open.push(wave.name);
  }
  if (limit <= 0 || open.length === 0) return;
  const candidates = await candidatesOf(pass.manager, { batchId: batch.id, waves: open, limit }, pass.setting.now);
  await letIn(pass, batch, candidates);
  if (candidates.length === AT_A_TIME) pass.done.more = true;
}

/** The jobs of no batch: their hooks alone hold them. */
export async function admitLone(pass: Pass): Promise<void> {
  const candidates = await candidatesOf(pass.manager, { batchId: null, waves: [], limit: AT_A_TIME }, pass.setting.now);
  await letIn(pass, null, candidates);
  if (candidates.length === AT_A_TIME) pass.done.more = true;
}

/** Whether the wave's own hook lets its VMs in; asks for it as soon as one of them could start. */
async function waveOpens(
  pass: Pass,
  batch: Batch,
  wave: WaveRow,
  tickets: Tickets,
  hasRoom: boolean,
): Promise<boolean> {
  const hook = wave.hooks?.before;
  if (hook === undefined) return true;
  const ticket = tickets.waves.find((one) => one.wave === wave.name);
  if (ticket === undefined) {
    if (!hasRoom) return false;
    const search = { batchId: batch.id, waves: [wave.name], limit: 1 };
    if ((await candidatesOf(pass.manager, search, pass.setting.now)).length === 0) return false;
    await askWaveHook(pass, batch, wave.name, 'before', hook);
    return false;
  }
  const through = passed(ticket);
  if (through === false) await refuseWave(pass, batch, wave, ticket);
  return through === true;
}

export async function askWaveHook(
  { manager, done }: Pass,
  batch: Batch,
  wave: string,
  moment: 'before' | 'after',
  hook: NonNullable<WaveRow['hooks']>['before'],
): Promise<void> {
  if (hook === undefined) return;
  const name = batch.name === null ? {} : { batch_name: batch.name };
  await askHooks(manager, [
    { hook, traceparent: batch.traceparent, about: { moment, scope: 'wave', batch_id: batch.id, ...name, wave } },
  ]);
  done.wrote = true;
}

/** None of the VMs that wait in it is moved. Another try of one of them has the hook run again. */
async function refuseWave(pass: Pass, batch: Batch, wave: WaveRow, ticket: Ticket): Promise<void> {
  const rows = await pass.manager.query<{ id: string }[]>(
    `SELECT id FROM jobs WHERE batch_id = $1 AND wave = $2 AND status = 'pending' AND admitted_at IS NULL
     ORDER BY plan_order LIMIT $3`,
    [batch.id, wave.name, AT_A_TIME],
  );
  const failure = hookFailure(`The hook before wave ${wave.name} failed`, ticket.failure);
  let refused = 0;
  for (const { id } of rows) if (await refuse(pass, id, failure)) refused += 1;
  if (refused === rows.length && rows.length < AT_A_TIME) await spend(pass.manager, [ticket.id]);
  else if (refused > 0) pass.done.more = true;
}
