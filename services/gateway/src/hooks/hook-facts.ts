import { jobLog, type HookCompleted, type HookFailed, type JobLog } from '@hyper2kvm/contracts';
import { LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { HookRow, receive, storable } from '../database/index.js';
import { writeEvents } from '../history/index.js';
import { outgoing, OutboxRelay, writeOutbox, type Outgoing } from '../outbox/index.js';
import { HookOutcomes } from './outcomes.js';
import { hookWords } from './words.js';

/** Name of this consumer in the inbox. */
const CONSUMER = 'gateway';

export type HookFact =
  | { readonly name: 'hook.completed'; readonly data: HookCompleted }
  | { readonly name: 'hook.failed'; readonly data: HookFailed };

/** Writes the ends of hooks down. What follows of them is admission's. */
@Injectable()
export class HookFacts {
  constructor(
    private readonly dataSource: DataSource,
    private readonly relay: OutboxRelay,
    private readonly outcomes: HookOutcomes,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async apply(told: HookFact, eventId: string): Promise<void> {
    const fact = storable(told);
    const { job_id: id } = fact.data;
    const applied = await this.dataSource.transaction(async (manager) => {
      if (!(await receive(manager, CONSUMER, eventId))) return false;
      const row = await lockHook(manager, id);
      if (row?.status !== 'queued') {
        this.logger.info(
          { hook_id: id, job_id: row?.jobId ?? undefined, fact: fact.name, status: row?.status },
          'the end of a hook that nobody waits for',
        );
        return false;
      }
      await manager.update(HookRow, { id }, { ...outcome(fact), completedAt: new Date() });
      await tell(manager, row, fact);
      return true;
    });
    if (!applied) return;
    this.relay.kick();
    this.outcomes.ended();
  }
}

/** Its job first, as whoever ends a job and withdraws its hook does: neither waits for the other for ever. */
async function lockHook(manager: EntityManager, id: string): Promise<HookRow | null> {
  await manager.query('SELECT 1 FROM jobs WHERE id = (SELECT job_id FROM hooks WHERE id = $1) FOR KEY SHARE', [id]);
  return manager.findOne(HookRow, { where: { id }, lock: { mode: 'pessimistic_write' } });
}

const outcome = (fact: HookFact): Partial<Pick<HookRow, 'status' | 'code' | 'output' | 'failure'>> =>
  fact.name === 'hook.completed'
    ? { status: 'completed', code: fact.data.code, output: fact.data.output }
    : { status: 'failed', failure: fact.data.failure };

/** In the log and the timeline of its job. What a wave's said stands in the report of its batch. */
async function tell(manager: EntityManager, { jobId, moment, hook }: HookRow, fact: HookFact): Promise<void> {
  if (jobId === null) return;
  const words = hookWords(moment, hook);
  const { worker } = fact.data;
  const time = new Date().toISOString();
  const line = (level: JobLog['level'], message: string, source?: string): Outgoing =>
    outgoing(jobLog, {
      job_id: jobId,
      time,
      level,
      phase: 'hook',
      message,
      worker,
      ...(source === undefined ? {} : { source }),
    });
  if (fact.name === 'hook.failed') {
    const message = `${words} failed: ${fact.data.failure.message}`;
    const held = moment === 'before' && hook.on_failure === 'fail';
    await writeOutbox(manager, jobId, [line(held ? 'error' : 'warn', message)]);
    await writeEvents(manager, [{ jobId, happened: { event: fact.name, message, by: worker } }]);
    return;
  }
  const { code, output, duration_seconds: seconds } = fact.data;
  const message = `${words} ended with ${code} after ${seconds.toFixed(1)} s`;
  const said = output.trim() === '' ? [] : [line('debug', output.trimEnd(), nameOf(hook))];
  await writeOutbox(manager, jobId, [line('info', message), ...said]);
  await writeEvents(manager, [{ jobId, happened: { event: fact.name, message, by: worker } }]);
}

const nameOf = (hook: HookRow['hook']): string => ('command' in hook ? hook.command : new URL(hook.url).host);
