import { context, contextFrom, LOGGER, withSpan, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import { Job } from '../database/index.js';
import { Loop } from '../system/loop.js';
import { Backoff } from '../system/backoff.js';
import { readUnseen, seenBefore, type Unseen } from './look-queue.js';
import { Looks } from './looks.js';
import { Releaser } from './releaser.js';
import { WorkerSlots } from './slots.js';

/** Any constant: one gateway looks at a time, so that no VM is asked for twice at once. */
const LOOK_LOCK = 724_512_003;
/** Schedules that open and jobs of other gateways are found within this time; own changes kick. */
const TICK_MS = 500;
/** VMs that are looked at side by side. */
const SIDE_BY_SIDE = 8;
/** The same of one vCenter: one that does not answer leaves some for the others. */
const OF_ONE_VCENTER = 6;
/** VMs that are known before their turn comes: those that find room at once are released at once. */
const AHEAD = 8;
/** Where the hosts of so many are full, no more are looked at to find one that is not: what is known of a VM gets old. */
const MOST_SEEN = 500;

/**
 * Looks at the VMs of jobs that were taken in without: when their turn comes, with the login as it is then. No more of them than
 * are about to be released, but all that it takes to find one whose host has room.
 */
@Injectable()
export class Looker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: Loop;
  /** Jobs for which nobody answered, each with its own pause. */
  readonly #unanswered = new Backoff({ firstMs: 2000, maxMs: 60_000 });
  readonly #under = new Map<string, { readonly vcenter: string; readonly look: Promise<void> }>();
  #stopping = false;
  #wake: () => void = () => {};

  constructor(
    private readonly dataSource: DataSource,
    private readonly looks: Looks,
    private readonly releaser: Releaser,
    private readonly slots: WorkerSlots,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#loop = new Loop({
      tickMs: TICK_MS,
      pass: async () => {
        await this.pass();
        return false;
      },
      failed: (error) => logger.warn({ err: error }, 'VMs of waiting jobs cannot be looked at now'),
    });
    this.releaser.onKick(() => {
      this.#loop.kick();
      this.#wake();
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#loop.stop();
  }

  /** Looks until there is nothing to look at, unless another gateway does. A crash in the midst leaves the jobs as they were. */
  async pass(): Promise<void> {
    if ((await this.#next()).length === 0) return;
    const holder = this.dataSource.createQueryRunner();
    try {
      await holder.connect();
      const [row] = (await holder.query('SELECT pg_try_advisory_lock($1) AS mine', [LOOK_LOCK])) as { mine: boolean }[];
      if (row?.mine !== true) return;
      try {
        await this.#lookOn();
      } finally {
        await this.#unlock(holder);
      }
    } finally {
      await holder.release();
    }
  }

  async #unlock(holder: QueryRunner): Promise<void> {
    await Promise.allSettled([...this.#under.values()].map(({ look }) => look));
    // Where the connection is gone, so is the lock.
    await holder.query('SELECT pg_advisory_unlock($1)', [LOOK_LOCK]).catch(() => {});
  }

  async #lookOn(): Promise<void> {
    while (!this.#stopping) {
      for (const unseen of await this.#next()) this.#start(unseen);
      if (this.#under.size === 0) return;
      await this.#something();
    }
  }

  /** Until a look ends, a job changes, or the tick. */
  async #something(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const kicked = new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, TICK_MS);
    });
    await Promise.race([kicked, ...[...this.#under.values()].map(({ look }) => look)]);
    clearTimeout(timer);
  }

  /** What is to be looked at now beside what is being looked at. */
  async #next(): Promise<Unseen[]> {
    const { exporters, converters } = await this.slots.capacity();
    const free = SIDE_BY_SIDE - this.#under.size;
    if (exporters === 0 || free <= 0) return [];
    const { manager } = this.dataSource;
    const skip = [...this.#under.keys(), ...this.#unanswered.waiting()];
    const candidates = this.#spread(await readUnseen(manager, OF_ONE_VCENTER, skip, converters > 0));
    const [first] = candidates;
    if (first === undefined) return [];
    const seen = await seenBefore(manager, first, MOST_SEEN);
    const unfilled = seen < MOST_SEEN ? this.releaser.unfilled() : 0;
    const wanted = Math.max(AHEAD - seen, unfilled) - this.#under.size;
    return candidates.slice(0, Math.max(0, Math.min(free, wanted)));
  }

  /** No more of one vCenter than may be looked at side by side. */
  #spread(candidates: readonly Unseen[]): Unseen[] {
    const looks = new Map<string, number>();
    const more = ({ vcenter }: { readonly vcenter: string }): number => {
      const count = (looks.get(vcenter) ?? 0) + 1;
      looks.set(vcenter, count);
      return count;
    };
    for (const under of this.#under.values()) more(under);
    return candidates.filter((candidate) => more(candidate) <= OF_ONE_VCENTER);
  }

  #start({ id, vcenter }: Unseen): void {
    const look = this.#look(id).finally(() => this.#under.delete(id));
    this.#under.set(id, { vcenter, look });
  }

  /** Never rejects. */
  async #look(id: string): Promise<void> {
    try {
      const job = await this.dataSource.manager.findOneBy(Job, { id });
      if (job === null) return;
      await context.with(contextFrom(job.traceparent), () => this.#lookAt(job));
    } catch (error) {
      this.#postpone(id, error);
    }
  }

  async #lookAt(job: Job): Promise<void> {
    try {
      const answered = await withSpan('job look', { 'job.id': job.id }, () => this.looks.look(job));
      if (answered) this.#unanswered.clear(job.id);
      else this.#unanswered.failed(job.id);
      this.releaser.kick();
    } catch (error) {
      this.#postpone(job.id, error);
    }
  }

  #postpone(id: string, error: unknown): void {
    const pause = this.#unanswered.failed(id);
    if (!this.#stopping)
      this.logger.warn(
        { err: error, job_id: id, again_in_ms: pause },
        'the VM of a waiting job cannot be looked at now',
      );
  }
}
