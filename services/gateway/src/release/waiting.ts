import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { admissionReason } from '../batches/reason.js';
import { InjectSections, type Sections } from '../config.js';
import type { JobRow } from '../database/index.js';
import { measuredRates, secondsUntilStart, type MeasuredRates } from '../jobs/estimate.js';
import { scheduleOf } from '../schedule/index.js';
import { limitsOf, readReleased, type ReleasedJob } from './board.js';
import { cached } from './cached.js';
import { placeReason, Places } from './places.js';
import { slotReason, weightOf, type Limits, type Load } from './planner.js';
import { aheadAt, conversionsAhead, exportsAhead, firstAt, openWindows, type Ahead } from './queue.js';
import { exportRoom, WorkerSlots, type Capacity } from './slots.js';

const WINDOWS_MS = 1000;
const RATES_MS = 5000;
const CONVERTING_MS = 500;

/** What a user is told of a job that waits. */
export interface WaitingState {
  /** Why it is not in the queue yet, or is taken by nobody there; null where it is about to be. */
  readonly reason: string | null;
  /** From 1. */
  readonly position: number | null;
  readonly estimatedStart: Date | null;
}

interface Known {
  readonly capacity: Capacity;
  readonly windows: readonly string[];
  readonly rates: MeasuredRates;
}

const NOT_WAITING: WaitingState = { reason: null, position: null, estimatedStart: null };

/** Knows why a job waits, for how many others, and until when about. */
@Injectable()
export class Waiting {
  readonly #limits: Limits;
  readonly #windows: () => Promise<string[]>;
  readonly #rates: () => Promise<MeasuredRates>;
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
    if (job.status !== 'pending') return null;
    if (job.releasedAt !== null) return queueReason(await this.slots.capacity());
    const held = await this.#held(job);
    if (held !== null) return held;
    const known = await this.#known();
    return this.#read(async (manager) => {
      const released = await readReleased(manager);
      if (isAmong(released, job)) return queueReason(known.capacity);
      return this.#roomReason(manager, job, known, released);
    });
  }

  async #export(job: JobRow): Promise<WaitingState> {
    const held = job.releasedAt === null ? await this.#held(job) : null;
    const known = await this.#known();
    return this.#read(async (manager) => {
      const released = await readReleased(manager);
      const ahead = await exportsAhead(manager, job, held === null ? 'eligible' : 'held', known.windows);
      const reason =
        job.releasedAt !== null || isAmong(released, job)
          ? queueReason(known.capacity)
          : (held ?? (await this.#roomReason(manager, job, known, released, ahead)));
      return { reason, position: ahead.jobs + 1, estimatedStart: exportStart(job, known, released, ahead) };
    });
  }

  async #known(): Promise<Known> {
    const [capacity, windows, rates] = await Promise.all([this.slots.capacity(), this.#windows(), this.#rates()]);
    return { capacity, windows, rates };
  }

  /** All of one moment, and from indexes: by statistics of before a large batch came, reading the whole table looks cheaper. */
  #read<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction('REPEATABLE READ', async (manager) => {
      await manager.query('SET LOCAL enable_seqscan = off');
      return work(manager);
    });
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

  async #roomReason(
    manager: EntityManager,
    job: JobRow,
    { capacity, windows }: Known,
    released: readonly ReleasedJob[],
    ahead?: Ahead,
  ): Promise<string | null> {
    if (job.machine === null) return lookReason(job, capacity);
    const load = loadOf(job);
    const places = new Places(this.#limits);
    for (const one of released) for (const place of places.of(one)) place.used += weightOf(one, this.#limits);
    if (load.vcenter !== undefined) {
      const weight = weightOf(load, this.#limits);
      const own = places.of(load);
      const [host, vcenter] = load.host === undefined ? [undefined, ...own] : own;
      const at = { vcenter: load.vcenter, host: load.host };
      if (host !== undefined) {
        const first = await firstAt(manager, at, windows, this.#limits.disksPerHost + 1);
        const fit = this.#fit(host.used, first, load);
        if (!fit.some(({ id }) => id === job.id)) {
          // Those that fit start now.
          for (const one of fit) host.used += weightOf(one, this.#limits);
          return placeReason(host, weight, Math.max(0, (await aheadAt(manager, job, at, windows)) - fit.length));
        }
      }
      // One that needs more may keep its place there before this one, which would fit.
      const most = weightOf({ ...load, disks: Infinity }, this.#limits);
      if (vcenter !== undefined && vcenter.used + most > vcenter.limit) {
        const before = await aheadAt(manager, job, { ...at, host: undefined }, windows);
        if (before > 0 || vcenter.used + weight > vcenter.limit) return placeReason(vcenter, weight, before);
      }
    }
    const slots = exportRoom(capacity, released);
    if (slots.room[job.priority] > 0) return null;
    return slotReason(slots, (ahead ?? (await exportsAhead(manager, job, 'eligible', windows))).unreleased);
  }

  /** The first jobs of a host that find room there at once. */
  #fit(used: number, first: readonly { id: string; disks: number }[], load: Load): (Load & { readonly id: string })[] {
    const fit: (Load & { readonly id: string })[] = [];
    let taken = used;
    for (const { id, disks } of first) {
      taken += weightOf({ ...load, disks }, this.#limits);
      if (taken > this.#limits.disksPerHost) break;
      fit.push({ ...load, id, disks });
    }
    return fit;
  }

  async #conversion(job: JobRow): Promise<WaitingState> {
    const [ahead, { conversionSeconds }, { conversionSlots }, converting] = await Promise.all([
      this.#read((manager) => conversionsAhead(manager, job)),
      this.#rates(),
      this.slots.capacity(),
      this.#converting(),
    ]);
    const position = ahead + 1;
    const reason = conversionSlots === 0 ? 'no converter is running that takes work' : null;
    if (conversionSeconds === null || conversionSlots === 0) return { reason, position, estimatedStart: null };
    const now = new Date();
    const running = converting.map((started) => left(conversionSeconds, started, now));
    const seconds = secondsUntilStart(conversionSlots, running, ahead, ahead * conversionSeconds);
    return { reason, position, estimatedStart: latest(new Date(now.getTime() + seconds * 1000), job.nextRetryAt) };
  }

  /** When those that are converted now began. */
  async #readConverting(): Promise<Date[]> {
    const rows = await this.dataSource.query<{ started: Date }[]>(
      "SELECT coalesce(conversion_started_at, updated_at) AS started FROM jobs WHERE status = 'converting'",
    );
    return rows.map(({ started }) => started);
  }
}

/** Of an export that was let out. */
const queueReason = ({ exportSlots }: Capacity): string | null =>
  exportSlots === 0 ? 'no exporter is running that takes work' : null;

function lookReason(job: JobRow, { exporters, converters }: Capacity): string {
  if (exporters === 0) return 'no exporter is running that could look at its VM';
  if (job.options.auto_convert && job.options.to_libvirt && converters === 0)
    return 'no converter is running that could look at its target';
  return 'its VM is looked at shortly before its turn';
}

/** Let out since the row was read: it would be in its own way. */
const isAmong = (released: readonly ReleasedJob[], job: JobRow): boolean => released.some(({ id }) => id === job.id);

function exportStart(
  job: JobRow,
  { rates, capacity }: Known,
  released: readonly ReleasedJob[],
  ahead: Ahead,
): Date | null {
  const { exportSecondsPerByte: rate, bytesPerVm } = rates;
  const now = new Date();
  if (rate === null || capacity.exportSlots === 0) return null;
  // Its batch decides when it is let in.
  if (job.admittedAt === null && scheduleOf(job, now).due) return null;
  const running = released.flatMap(({ started, bytes }) =>
    started === null ? [] : [left(bytes * rate, started, now)],
  );
  const bytes = ahead.bytes + ahead.unseen * (bytesPerVm ?? 0);
  const seconds = secondsUntilStart(capacity.exportSlots, running, ahead.jobs, bytes * rate);
  return latest(new Date(now.getTime() + seconds * 1000), job.nextRetryAt, opensAt(job, now));
}

/** Its vCenter as the column `vcenter_key` has it. */
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
