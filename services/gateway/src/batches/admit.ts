import { isEnded, JobError, type Failure } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import { Job, type Batch, type WaveRow } from '../database/index.js';
import { askHooks, ofJob } from '../hooks/index.js';
import { decideRefuse } from '../jobs/refuse.js';
import { applyDecision, lockJob } from '../jobs/store.js';
import type { Setting } from '../jobs/decide.js';
import { candidatesOf, type Candidate } from './candidates.js';
import { pulseOf, pulseOfAll, type Pulses } from './pulse.js';
import { blocker } from './state.js';
import { passed, spend, type Ticket } from './tickets.js';

/** Jobs that one pass lets in or refuses at most: the next one goes on. */
const AT_A_TIME = 500;

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

/** Jobs whose hook ended: in, or refused. @param isOpen whether anything is let in now */
export async function settleVms(pass: Pass, tickets: readonly Ticket[], isOpen: boolean): Promise<void> {
  const vms = tickets.filter(({ scope }) => scope === 'vm').slice(0, AT_A_TIME);
  const through = isOpen ? vms.filter((ticket) => passed(ticket) === true) : [];
  await admit(
    pass,
    through.map(({ jobId }) => jobId ?? ''),
  );
  for (const ticket of vms.filter((one) => passed(one) === false))
    await refuse(pass, ticket.jobId ?? '', hookFailure('The hook before the migration failed', ticket.failure));
  await spend(
    pass.manager,
    [...through, ...vms.filter((one) => passed(one) === false)].map(({ id }) => id),
  );
}

/** Lets in what has its turn: asks for its hook first, where it has one. */
export async function letIn(pass: Pass, batch: Batch | null, candidates: readonly Candidate[]): Promise<void> {
  await admit(
    pass,
    candidates.filter(({ before }) => before === null).map(({ id }) => id),
  );
  const hooked = candidates.filter(({ before }) => before !== null).map(({ id }) => id);
  if (hooked.length === 0) return;
  const jobs = await pass.manager
    .createQueryBuilder(Job, 'job')
    .where('job.id = ANY (:hooked)', { hooked })
    .orderBy('job.id')
    .setLock('pessimistic_write')
    .getMany();
  // One may have been cancelled since it was read.
  const waiting = jobs.filter((job) => job.status === 'pending' && job.admittedAt === null);
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

async function admit({ manager, done, setting }: Pass, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const [rows] = await manager.query<[{ id: string }[], number]>(
    `UPDATE jobs SET admitted_at = $2, queued_at = $2, updated_at = $2, version = version + 1
     WHERE id = ANY ($1::text[]) AND status = 'pending' AND admitted_at IS NULL RETURNING id`,
    [ids, setting.now],
  );
  done.changed.push(...rows.map(({ id }) => id));
}

async function refuse({ manager, done, setting }: Pass, id: string, failure: Failure): Promise<void> {
  const job = await lockJob(manager, id);
  const decision =
    job === null || isEnded(job.status) || job.admittedAt !== null ? undefined : decideRefuse(job, failure, setting);
  if (job === null || decision === undefined) return;
  await applyDecision(manager, job, decision);
  done.changed.push(id);
  done.wrote = true;
}

const hookFailure = (what: string, failure: Failure | null): Failure =>
  new JobError('HOOK_FAILED', `${what}: ${failure?.message ?? 'without a reason'}`).toFailure();

/** Lets in all of a batch that may start now. */
export async function admitBatch(pass: Pass, batch: Batch, pulses: Pulses, tickets: readonly Ticket[]): Promise<void> {
  const hooked = tickets.filter(({ scope }) => scope === 'vm').length;
  const room = batch.maxParallel === null ? AT_A_TIME : batch.maxParallel - pulseOfAll(pulses).underWay - hooked;
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
  tickets: readonly Ticket[],
  hasRoom: boolean,
): Promise<boolean> {
  const hook = wave.hooks?.before;
  if (hook === undefined) return true;
  const ticket = tickets.find((one) => one.scope === 'wave' && one.wave === wave.name);
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
  await askHooks(manager, [{ hook, about: { moment, scope: 'wave', batch_id: batch.id, ...name, wave } }]);
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
  for (const { id } of rows) await refuse(pass, id, failure);
  if (rows.length === AT_A_TIME) pass.done.more = true;
  else await spend(pass.manager, [ticket.id]);
}
