import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { admissionReason } from '../batches/reason.js';
import { InjectSections, type Sections } from '../config.js';
import type { JobRow } from '../database/index.js';
import { measuredRates, secondsUntilStart } from '../jobs/estimate.js';
import { scheduleOf } from '../schedule/index.js';
import { limitsOf, readReleased } from './board.js';
import { cached } from './cached.js';
import { placeReason, Places } from './places.js';
import { slotReason, weightOf, type Limits, type Load } from './planner.js';
import { conversionsAhead, exportsAhead, hostQueue, openWindows, type Ahead, type Eligibility } from './queue.js';
import { exportRoom, WorkerSlots } from './slots.js';

const WINDOWS_MS = 1000;
const RATES_MS = 5000;
const CONVERTING_MS = 500;

/** What a user is told of a job that waits. */
export interface WaitingState {
  /** Why it is not in the queue yet; null where it is, or is about to be. */
  readonly reason: string | null;
  /** From 1. */
  readonly position: number | null;
  readonly estimatedStart: Date | null;
}

const NOT_WAITING: WaitingState = { reason: null, position: null, estimatedStart: null };

/** Knows why a job waits, for how many others, and until when about. */
@Injectable()
export class Waiting {
  readonly #limits: Limits;
  readonly #windows: () => Promise<string[]>;
  readonly #rates: () => ReturnType<typeof measuredRates>;
  readonly #converting: () => Promise<Date[]>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly slots: WorkerSlots,
    @InjectSections() config: Sections,
  ) {
    this.#limits = limitsOf(config);
    this.#windows = cached(WINDOWS_MS, () => openWindows(dataSource.manager));
    this.#rates = cached(RATES_MS, () => measuredRates(dataSource));
    this.#converting = cached(CONVERTING_MS, () => this.#readConverting());
  }

  async waitingOf(job: JobRow): Promise<WaitingState> {
    if (job.status === 'pending') return this.#export(job);
    if (job.status === 'exported' && job.conversionStatus === 'queued') return this.#conversion(job);
    return NOT_WAITING;
  }

  /** The same of `waitingOf`, alone. */
  async reasonOf(job: JobRow): Promise<string | null> {
    if (job.status !== 'pending' || job.releasedAt !== null) return null;
    return (await this.#held(job)) ?? this.#roomReason(job);
  }

  async #export(job: JobRow): Promise<WaitingState> {
    const { manager } = this.dataSource;
    const held = job.releasedAt === null ? await this.#held(job) : null;
    const eligibility: Eligibility = held === null ? 'eligible' : 'held';
    const [ahead, reason] = await Promise.all([
      this.#windows().then((windows) => exportsAhead(manager, job, eligibility, windows)),
      held !== null || job.releasedAt !== null ? held : this.#roomReason(job),
    ]);
    return { reason, position: ahead.jobs + 1, estimatedStart: await this.#exportStart(job, ahead) };
  }

  /** What holds a job before room is thought of: its batch, its hook, its times, an attempt that left something. */
  async #held(job: JobRow): Promise<string | null> {
    const now = new Date();
    const schedule = scheduleOf(job, now);
    if (!schedule.due) return schedule.reason;
    const admission = await admissionReason(this.dataSource.manager, job);
    if (admission !== null) return admission;
    if (job.cleanup?.status === 'queued') return 'what the last attempt left is cleared away first';
    if (job.nextRetryAt !== null && job.nextRetryAt > now)
      return `it is tried again at ${job.nextRetryAt.toISOString()}`;
    return null;
  }

  async #roomReason(job: JobRow): Promise<string | null> {
    const capacity = await this.slots.capacity();
    if (job.machine === null) {
      if (capacity.exporters === 0) return 'no exporter is running that could look at its VM';
      if (job.options.auto_convert && job.options.to_libvirt && capacity.converters === 0)
        return 'no converter is running that could look at its target';
      return 'its VM is looked at shortly before its turn';
    }
    const { manager } = this.dataSource;
    const windows = await this.#windows();
    const load = loadOf(job);
    // First who waits, then what runs: a job that is released in between counts twice rather than not at all.
    const queue =
      load.vcenter === undefined
        ? undefined
        : await hostQueue(
            manager,
            job,
            { vcenter: load.vcenter, host: load.host ?? '' },
            windows,
            this.#limits.disksPerHost + 1,
          );
    const released = await readReleased(manager);
    const places = new Places(this.#limits);
    for (const one of released) for (const place of places.of(one)) place.used += weightOf(one, this.#limits);
    if (queue !== undefined) {
      const [host, vcenter] = load.host === undefined ? [undefined, ...places.of(load)] : places.of(load);
      const weight = weightOf(load, this.#limits);
      const fit = host === undefined ? undefined : this.#fit(host.used, queue.first, load);
      if (host !== undefined && fit !== undefined && !fit.has(job.id)) {
        // Those that fit start now.
        for (const one of queue.first)
          if (fit.has(one.id)) host.used += weightOf({ ...load, disks: one.disks }, this.#limits);
        return placeReason(host, weight, Math.max(0, queue.ahead - fit.size));
      }
      if (vcenter !== undefined && vcenter.used + weight > vcenter.limit)
        return placeReason(vcenter, weight, queue.aheadOfVcenter);
    }
    const slots = exportRoom(capacity, released);
    if (slots.room[job.priority] > 0) return null;
    return slotReason(slots, (await exportsAhead(manager, job, 'eligible', windows)).unreleased);
  }

  /** Ids of the first jobs of a host that find room there at once. */
  #fit(used: number, first: readonly { id: string; disks: number }[], load: Load): Set<string> {
    const fit = new Set<string>();
    let taken = used;
    for (const { id, disks } of first) {
      taken += weightOf({ ...load, disks }, this.#limits);
      if (taken > this.#limits.disksPerHost) break;
      fit.add(id);
    }
    return fit;
  }

  async #exportStart(job: JobRow, ahead: Ahead): Promise<Date | null> {
    const [{ exportSecondsPerByte: rate, bytesPerVm }, { exportSlots }, released] = await Promise.all([
      this.#rates(),
      this.slots.capacity(),
      readReleased(this.dataSource.manager),
    ]);
    if (rate === null || exportSlots === 0) return null;
    const now = new Date();
    // Its batch decides when it is let in.
    if (job.admittedAt === null && scheduleOf(job, now).due) return null;
    const running = released.flatMap(({ started, bytes }) =>
      started === null ? [] : [left(bytes * rate, started, now)],
    );
    const bytes = ahead.bytes + ahead.unseen * (bytesPerVm ?? 0);
    const seconds = secondsUntilStart(exportSlots, running, ahead.jobs, bytes * rate);
    return latest(new Date(now.getTime() + seconds * 1000), job.nextRetryAt, opensAt(job, now));
  }

  async #conversion(job: JobRow): Promise<WaitingState> {
    const [ahead, { conversionSeconds }, { conversionSlots }, converting] = await Promise.all([
      conversionsAhead(this.dataSource.manager, job),
      this.#rates(),
      this.slots.capacity(),
      this.#converting(),
    ]);
    const position = ahead + 1;
    if (conversionSeconds === null || conversionSlots === 0) return { reason: null, position, estimatedStart: null };
    const now = new Date();
    const running = converting.map((started) => left(conversionSeconds, started, now));
    const seconds = secondsUntilStart(conversionSlots, running, ahead, ahead * conversionSeconds);
    return {
      reason: null,
      position,
      estimatedStart: latest(new Date(now.getTime() + seconds * 1000), job.nextRetryAt),
    };
  }

  /** When those that are converted now began. */
  async #readConverting(): Promise<Date[]> {
    const rows = await this.dataSource.query<{ started: Date }[]>(
      "SELECT coalesce(conversion_started_at, updated_at) AS started FROM jobs WHERE status = 'converting'",
    );
    return rows.map(({ started }) => started);
  }
}

const loadOf = (job: JobRow): Load => ({
  host: job.host ?? undefined,
  vcenter: job.source.kind === 'vsphere' ? job.source.server.toLowerCase().replace(/:443$/, '') : undefined,
  disks: job.sourceFiles.length,
});

/** Seconds of so many that are left; one that takes longer than reckoned may end any moment. */
const left = (seconds: number, started: Date, now: Date): number =>
  Math.max(0, seconds - (now.getTime() - started.getTime()) / 1000);

function opensAt(job: JobRow, now: Date): Date | null {
  const schedule = scheduleOf(job, now);
  return schedule.due ? null : schedule.opensAt;
}

const latest = (first: Date, ...others: readonly (Date | null)[]): Date =>
  others.reduce<Date>((late, one) => (one !== null && one > late ? one : late), first);
