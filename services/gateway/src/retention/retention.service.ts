import type { RetentionReport } from '@hyper2kvm/contracts';
import { Bus, LOGGER, oldestUnhandled, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { JobChanges } from '../jobs/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { Loop } from '../system/loop.js';
import { findArtifacts, removeArtifact } from './artifacts.js';
import { findBatches, findJobs, removeBatch, removeJob } from './ended-jobs.js';
import { cutoff, policyOf, type Policy } from './policy.js';
import { countAged, removeAged, type Aged } from './rows.js';

/** Jobs, artifacts and batches of one run, each: the rest goes with the next. */
const MOST = 1000;
/** Jobs that are removed at the same time. */
const AT_ONCE = 4;
/** Between two looks whether a run is due. */
const TICK_MS = 10 * 60_000;

/**
 * What grows old goes: messages that left and arrived long ago once an hour, and with `gateway.retention.enabled` once a day
 * what the policy says of exported images, jobs and the audit. Each thing is removed in a transaction of its own that locks it
 * and looks at it again, so gateways may do this at the same time, and one that is killed in it has done all of it or nothing
 * to each.
 */
@Injectable()
export class Retention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #policy: Policy;
  readonly #loop: Loop;
  #stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly relay: OutboxRelay,
    private readonly changes: JobChanges,
    @InjectSections() private readonly config: Sections,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#policy = policyOf(config);
    this.#loop = new Loop({
      tickMs: TICK_MS,
      pass: async () => {
        await this.#whenDue();
        return false;
      },
      failed: (error) => this.logger.warn({ err: error }, 'what is old cannot be removed now'),
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    await this.#loop.stop();
  }

  /** What a run would remove now. */
  async plan(): Promise<RetentionReport> {
    const now = new Date();
    const { manager } = this.dataSource;
    const [jobsBefore, artifactsBefore] = this.#cutoffs(now);
    const counts = await Promise.all((await this.#messages(now)).map((aged) => countAged(this.dataSource, aged)));
    const audit = this.#audit(now);
    return this.#report(true, {
      jobs:
        jobsBefore === undefined
          ? []
          : await findJobs(manager, jobsBefore, MOST, await findBatches(manager, jobsBefore, MOST)),
      artifacts: artifactsBefore === undefined ? [] : await findArtifacts(manager, artifactsBefore, MOST),
      audit_entries: audit === undefined ? 0 : await countAged(this.dataSource, audit),
      messages: counts.reduce((sum, count) => sum + count, 0),
    });
  }

  /** Removes what is old enough, some of it where there is much; says what. */
  async run(): Promise<RetentionReport> {
    await this.dataSource.query('UPDATE retention SET last_run_at = now(), looked_at = now()');
    return this.#remove();
  }

  async #remove(): Promise<RetentionReport> {
    const now = new Date();
    const audit = this.#audit(now);
    const removed = {
      artifacts: await this.#removeArtifacts(now),
      jobs: await this.#removeJobs(now),
      audit_entries: audit === undefined ? 0 : await removeAged(this.dataSource, audit),
      messages: await this.#removeMessages(now),
    };
    const { artifacts, jobs, audit_entries, messages } = removed;
    if (artifacts.length + jobs.length + audit_entries + messages > 0)
      this.logger.info(
        { artifacts: artifacts.length, jobs: jobs.length, audit_entries, messages },
        'what was old enough has been removed',
      );
    return this.#report(false, removed);
  }

  async #whenDue(): Promise<void> {
    if (this.config.gateway.retention.enabled && (await this.#claim('last_run_at', '1 day'))) {
      await this.#removeAll().catch(async (error: unknown) => {
        await this.dataSource.query("UPDATE retention SET last_run_at = now() - interval '23 hours'");
        throw error;
      });
    } else if (await this.#claim('looked_at', '1 hour')) await this.#removeMessages(new Date());
  }

  async #removeAll(): Promise<void> {
    for (let more = true; more && !this.#stopping;) {
      const { artifacts, jobs } = await this.#remove();
      more = artifacts.length >= MOST || jobs.length >= MOST;
    }
  }

  /** True for one of the gateways, as often as is said. */
  async #claim(column: 'last_run_at' | 'looked_at', every: string): Promise<boolean> {
    const [, count] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE retention SET ${column} = now() WHERE ${column} IS NULL OR ${column} < now() - $1::interval`,
      [every],
    );
    return count > 0;
  }

  async #removeArtifacts(now: Date): Promise<RetentionReport['artifacts']> {
    const [, before] = this.#cutoffs(now);
    if (before === undefined) return [];
    const found = await findArtifacts(this.dataSource.manager, before, MOST);
    const removed = await this.#each(found, ({ job_id: id }) => removeArtifact(this.dataSource, id, before));
    this.relay.kick();
    for (const { job_id: id } of removed) this.changes.changed(id);
    return removed;
  }

  async #removeJobs(now: Date): Promise<RetentionReport['jobs']> {
    const [before] = this.#cutoffs(now);
    // Without NATS what it keeps of them would stay for ever.
    if (before === undefined || this.bus.status() !== 'connected') return [];
    const { dataSource, bus } = this;
    const batches = await findBatches(dataSource.manager, before, MOST);
    await this.#each(batches, (id) => removeBatch(dataSource, bus, id, before));
    const found = await findJobs(dataSource.manager, before, MOST);
    return this.#each(found, ({ job_id: id }) => removeJob(dataSource, bus, id, before));
  }

  async #removeMessages(now: Date): Promise<number> {
    let removed = 0;
    for (const aged of await this.#messages(now)) removed += await removeAged(this.dataSource, aged);
    return removed;
  }

  /** Those of which something was done. */
  async #each<T>(things: readonly T[], remove: (thing: T) => Promise<boolean>): Promise<T[]> {
    const done: T[] = [];
    for (let at = 0; at < things.length && !this.#stopping; at += AT_ONCE) {
      const some = things.slice(at, at + AT_ONCE);
      const removed = await Promise.all(some.map((thing) => remove(thing)));
      done.push(...some.filter((_, index) => removed[index]));
    }
    return done;
  }

  #cutoffs(now: Date): [jobs: Date | undefined, artifacts: Date | undefined] {
    return [cutoff(this.#policy.jobs_days, now), cutoff(this.#policy.artifacts_days, now)];
  }

  #audit(now: Date): Aged | undefined {
    const before = cutoff(this.#policy.audit_days, now);
    return before === undefined ? undefined : { table: 'audit', column: 'time', before };
  }

  /**
   * The inbox is what keeps a fact from being applied twice. So a row stays as long as its fact may come again, however old it
   * is: while this service has one that is older and not acknowledged, and while that cannot be asked.
   */
  async #messages(now: Date): Promise<Aged[]> {
    const before = cutoff(this.#policy.messages_days, now);
    if (before === undefined) return [];
    const sent: Aged[] = [
      { table: 'outbox', column: 'published_at', before },
      { table: 'idempotency_keys', column: 'created_at', before },
    ];
    if (this.bus.status() !== 'connected') return sent;
    const unhandled = await oldestUnhandled(this.bus, 'gateway');
    const received = unhandled === undefined || unhandled > before ? before : unhandled;
    return [...sent, { table: 'inbox', column: 'received_at', before: received }];
  }

  async #report(
    dryRun: boolean,
    found: Pick<RetentionReport, 'jobs' | 'artifacts' | 'audit_entries' | 'messages'>,
  ): Promise<RetentionReport> {
    const [row] = await this.dataSource.query<{ last_run_at: Date | null }[]>('SELECT last_run_at FROM retention');
    const { enabled } = this.config.gateway.retention;
    return {
      policy: this.#policy,
      enabled,
      dry_run: dryRun,
      ...found,
      last_run_at: row?.last_run_at?.toISOString() ?? null,
    };
  }
}
