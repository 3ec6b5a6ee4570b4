import { JobError } from '@hyper2kvm/contracts';
import { contextFrom, LOGGER, withSpan, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { decideRelease } from '../jobs/asked.js';
import { JobChanges } from '../jobs/changes.js';
import type { Decision } from '../jobs/decision.js';
import { decideRefuse } from '../jobs/refuse.js';
import { classify } from '../jobs/retry-classes.js';
import { applyDecision, lockJobs } from '../jobs/store.js';
import type { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { Loop } from '../system/loop.js';
import { VcenterSources } from '../vcenters/index.js';
import { limitsOf, readHeads, readReleased } from './board.js';
import { plan, type Limits } from './planner.js';
import { exportRoom, lowestWithRoom, WorkerSlots } from './slots.js';
import { readTurn, writeTurn } from './turn-store.js';

/** Any constant: gateways release one after the other, or each would fill the same room. */
const RELEASE_LOCK = 724_512_002;
/** Retries whose time has come and jobs of other gateways are found within this time; own changes kick. */
const TICK_MS = 500;
/** Of each host and lane: where there is room for more, the next pass follows at once. */
const MOST_HEADS = 64;

/** Lets pending jobs into the queue of exports while their host, their vCenter and the exporters have room. */
@Injectable()
export class Releaser implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: Loop;
  readonly #limits: Limits;
  /** Who else wants to know that there may be room, or one more that waits. */
  readonly #listeners: (() => void)[] = [];
  /** Exports that could be let out at the end of the last pass, if there were any to let out. */
  #unfilled = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly relay: OutboxRelay,
    private readonly changes: JobChanges,
    private readonly slots: WorkerSlots,
    private readonly sources: VcenterSources,
    @InjectSections() private readonly config: Sections,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#limits = limitsOf(config);
    this.#loop = new Loop({
      tickMs: TICK_MS,
      pass: async () => (await this.pass()) > 0,
      failed: (error) => logger.warn({ err: error }, 'waiting jobs cannot be released now'),
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }

  /** A job has changed: there may be room, or one more that waits. */
  kick(): void {
    this.#loop.kick();
    for (const listener of this.#listeners) listener();
  }

  onKick(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** How many more exports could be let out now, if more VMs had been looked at. */
  unfilled(): number {
    return this.#unfilled;
  }

  /** Releases what there is room for; how many jobs changed. */
  async pass(): Promise<number> {
    const capacity = await this.slots.capacity();
    const changed = await this.dataSource.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock($1)', [RELEASE_LOCK]);
      const released = await readReleased(manager);
      const slots = exportRoom(capacity, released);
      const lowest = lowestWithRoom(slots);
      this.#unfilled = Math.max(0, slots.room.high);
      if (lowest === undefined) return [];
      const heads = await readHeads(manager, lowest, Math.min(slots.room.high, MOST_HEADS));
      if (heads.length === 0) return [];
      const { release, turn, room } = plan(heads, released, this.#limits, slots, await readTurn(manager));
      this.#unfilled = Math.max(0, room.high);
      if (release.length === 0) return [];
      await writeTurn(manager, turn);
      return this.#release(manager, release);
    });
    if (changed.length === 0) return 0;
    this.relay.kick();
    for (const id of changed) this.changes.changed(id);
    return changed.length;
  }

  async #release(manager: EntityManager, ids: readonly string[]): Promise<string[]> {
    const released: string[] = [];
    const jobs = new Map((await lockJobs(manager, ids)).map((job) => [job.id, job]));
    for (const id of ids) {
      const job = jobs.get(id);
      // It may have been cancelled since it was read.
      const decided = job === undefined ? undefined : await this.#decide(job);
      if (decided === undefined) continue;
      await withSpan(
        'export release',
        { 'job.id': id },
        async () => applyDecision(manager, decided.job, decided.decision),
        {
          parent: contextFrom(decided.job.traceparent),
        },
      );
      released.push(id);
    }
    return released;
  }

  /** With the login as it is now; a connection that is gone refuses the job. */
  async #decide(job: Job): Promise<{ job: Job; decision: Decision } | undefined> {
    const now = new Date();
    try {
      const source = job.connection === null ? job.source : await this.sources.current(job);
      Object.assign(job, { source });
      const decision = decideRelease(job, now, this.config.retry_policy.max_retries);
      return decision && { job, decision: { ...decision, patch: { ...decision.patch, source } } };
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      const { retry_policy: policy } = this.config;
      const decision = decideRefuse(job, error.toFailure(), { now, policy, retryable: classify(policy) });
      return decision && { job, decision };
    }
  }
}
