import { LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { Batch } from '../database/index.js';
import { HookOutcomes } from '../hooks/index.js';
import { JobActions } from '../jobs/actions.js';
import { JobChanges } from '../jobs/changes.js';
import type { Setting } from '../jobs/decide.js';
import { classify } from '../jobs/retry-classes.js';
import { OutboxRelay } from '../outbox/index.js';
import { Releaser } from '../release/index.js';
import { Loop } from '../system/loop.js';
import { admitBatch, AT_A_TIME, admitLone, nothing, settleVms, type Done, type Pass } from './admit.js';
import { closeWaves, complete, stopAfter } from './completion.js';
import { leftOf } from './left.js';
import { Outlook } from './outlook.js';
import { pulseOfAll, readPulses } from './pulse.js';
import { readTickets } from './tickets.js';

/** Any constant: gateways let jobs in one after the other, or each would fill the same room. */
const ADMISSION_LOCK = 724_512_010;
/** What other gateways did is found within this time; own changes kick. */
const TICK_MS = 500;
/** Jobs of a cancelled batch that one pass cancels. */
const CANCELS = 200;
/** Kicks within this time are one: many jobs may move at once. */
const GATHER_MS = 25;
/** Of a busy database no more than about a fifth of the time is spent here. */
const REST = 4;
const MOST_REST_MS = 1000;

/** The first gate of a waiting job: its batch and its hook let it in. Also tells when a batch is through. */
@Injectable()
export class Admission implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: Loop;
  readonly #outlook = new Outlook();
  readonly #retries: Pick<Setting, 'policy' | 'retryable'>;
  #gathering: NodeJS.Timeout | undefined;
  #tookMs = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly relay: OutboxRelay,
    private readonly releaser: Releaser,
    private readonly changes: JobChanges,
    private readonly actions: JobActions,
    outcomes: HookOutcomes,
    @InjectSections() { retry_policy: policy }: Sections,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#retries = { policy, retryable: classify(policy) };
    changes.onAny(() => this.kick());
    outcomes.onEnded(() => this.kick());
    this.#loop = new Loop({
      tickMs: TICK_MS,
      pass: async () => {
        const begun = performance.now();
        const more = await this.pass();
        this.#tookMs = performance.now() - begun;
        return more;
      },
      failed: (error) => logger.warn({ err: error }, 'waiting jobs cannot be let in now'),
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.#gathering);
    await this.#loop.stop();
  }

  /** A batch, a job or a hook has changed. */
  kick(): void {
    const rest = Math.min(MOST_REST_MS, Math.max(GATHER_MS, this.#tookMs * REST));
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#loop.kick();
    }, rest);
  }

  /** Looks at all batches that are not through, and at jobs whose hook holds them; whether there is more to do. */
  async pass(): Promise<boolean> {
    const due = await this.#outlook.due(this.dataSource.manager, new Date());
    let more = false;
    for (const id of due) {
      const done = await this.dataSource.transaction((manager) => this.#one(manager, id));
      if (done.left.length > 0) await this.#cancel(id, done.left);
      if (done.wrote) this.relay.kick();
      if (done.changed.length > 0) this.releaser.kick();
      for (const job of done.changed) this.changes.changed(job);
      if (done.more || done.left.length === CANCELS) more = true;
      if (done.more || done.wrote || done.changed.length > 0) this.#outlook.forget(id);
    }
    return more;
  }

  /** The rest of what a request to cancel a batch began. */
  async #cancel(id: string | null, jobs: readonly string[]): Promise<void> {
    const batch = id === null ? null : await this.dataSource.manager.findOneBy(Batch, { id });
    await this.actions.cancelMany(jobs, batch?.cancelledBy ?? 'local');
  }

  /** @param id null: jobs of no batch */
  async #one(manager: EntityManager, id: string | null): Promise<Done> {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [ADMISSION_LOCK]);
    const pass: Pass = { manager, setting: { now: new Date(), ...this.#retries }, done: nothing() };
    if (id === null) {
      await settleVms(pass, await readTickets(manager, null, AT_A_TIME), true);
      await admitLone(pass);
    } else await this.#batch(pass, id);
    return pass.done;
  }

  async #batch(pass: Pass, id: string): Promise<void> {
    // Whoever has a job of it go on takes this row too: what is counted below holds until the end.
    const found = await pass.manager.findOne(Batch, {
      where: { id, completedAt: IsNull() },
      lock: { mode: 'for_no_key_update' },
    });
    if (found === null) return;
    const pulses = await readPulses(
      pass.manager,
      id,
      found.waves.map(({ name }) => name),
    );
    const tickets = await readTickets(pass.manager, id, AT_A_TIME);
    await closeWaves(pass, found, pulses, tickets);
    if (await complete(pass, found, pulses)) return;
    if (found.cancelledAt !== null) {
      pass.done.left.push(...(await leftOf(pass.manager, id, CANCELS)));
      return;
    }
    const batch = await stopAfter(pass, found, pulseOfAll(pulses));
    const isOpen = batch.stoppedAt === null;
    await settleVms(pass, tickets, isOpen);
    if (isOpen) await admitBatch(pass, batch, pulses, tickets);
  }
}
