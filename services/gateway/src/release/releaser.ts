import { contextFrom, LOGGER, withSpan, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { JobChanges } from '../jobs/changes.js';
import { decideRelease } from '../jobs/asked.js';
import { applyDecision, lockJob } from '../jobs/store.js';
import { OutboxRelay } from '../outbox/index.js';
import { Loop } from '../system/loop.js';
import { limitsOf, readBoard } from './board.js';
import { plan, type Limits } from './planner.js';

/** Any constant: gateways release one after the other, or each would fill the same room. */
const RELEASE_LOCK = 724_512_002;
/** Retries whose time has come and jobs of other gateways are found within this time; own changes kick. */
const TICK_MS = 500;

/** Lets pending jobs into the queue of exports while their host and vCenter have room. */
@Injectable()
export class Releaser implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: Loop;
  readonly #limits: Limits;

  constructor(
    private readonly dataSource: DataSource,
    private readonly relay: OutboxRelay,
    private readonly changes: JobChanges,
    @InjectSections() private readonly config: Sections,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#limits = limitsOf(config);
    this.#loop = new Loop({
      tickMs: TICK_MS,
      pass: async () => {
        await this.pass();
        return false;
      },
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
  }

  /** Releases all that there is room for. */
  async pass(): Promise<void> {
    const released = await this.dataSource.transaction((manager) => this.#release(manager));
    if (released.length === 0) return;
    this.relay.kick();
    for (const id of released) this.changes.changed(id);
  }

  async #release(manager: EntityManager): Promise<string[]> {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [RELEASE_LOCK]);
    const board = await readBoard(manager);
    const { release } = plan(board.waiting, board.running, this.#limits);
    const released: string[] = [];
    for (const id of release) {
      const job = await lockJob(manager, id);
      // It may have been cancelled since it was read.
      const decision = job === null ? undefined : decideRelease(job, new Date(), this.config.retry_policy.max_retries);
      if (job === null || decision === undefined) continue;
      await withSpan('export release', { 'job.id': id }, async () => applyDecision(manager, job, decision), {
        parent: contextFrom(job.traceparent ?? undefined),
      });
      released.push(id);
    }
    return released;
  }
}
