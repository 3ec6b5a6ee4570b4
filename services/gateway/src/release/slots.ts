import { LANES, type Lane, type WorkerHeartbeat } from '@hyper2kvm/contracts';
import { Bus, LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { ReleasedJob } from './board.js';
import { rankOf } from './lanes.js';
import type { Slots } from './planner.js';

/** Heartbeats come every ten seconds, and whenever a worker is paused. */
const FRESH_MS = 1000;
/** Exports let out beyond the slots there are: an exporter that gets free finds its next one in the queue. */
export const RESERVE = 1;

/** What the workers that live now can do side by side. */
export interface Capacity {
  readonly exporters: number;
  readonly exportSlots: number;
  readonly converters: number;
  readonly conversionSlots: number;
}

export const NO_CAPACITY: Capacity = { exporters: 0, exportSlots: 0, converters: 0, conversionSlots: 0 };

/** Knows the slots of living workers. */
@Injectable()
export class WorkerSlots {
  #known: Capacity = NO_CAPACITY;
  #asked = Number.NEGATIVE_INFINITY;
  #asking: Promise<Capacity> | undefined;

  constructor(
    private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** As of a second ago at most; what was known last while the bus is away. */
  async capacity(): Promise<Capacity> {
    if (performance.now() - this.#asked < FRESH_MS || this.bus.status() !== 'connected') return this.#known;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Capacity> {
    try {
      this.#known = capacityOf(await this.bus.workers());
    } catch (error) {
      this.logger.debug({ err: error }, 'the workers are not known now');
    }
    this.#asked = performance.now();
    return this.#known;
  }
}

export function capacityOf(workers: readonly WorkerHeartbeat[]): Capacity {
  const exporters = workers.filter((worker) => worker.service === 'exporter');
  const converters = workers.filter((worker) => worker.service === 'converter');
  return {
    exporters: exporters.length,
    exportSlots: slotsOf(exporters),
    converters: converters.length,
    conversionSlots: slotsOf(converters),
  };
}

/** One that takes nothing new still has what runs. */
const slotsOf = (workers: readonly WorkerHeartbeat[]): number =>
  workers.reduce(
    (sum, { slots, paused, active_jobs: active }) => sum + (paused ? Math.min(slots, active.length) : slots),
    0,
  );

/**
 * How many exports may be let out now. One that waits for its exporter stands in the way of those of its own lane and of lower
 * ones alone, so that a job of a higher lane goes before it.
 */
export function exportRoom({ exporters, exportSlots }: Capacity, released: readonly ReleasedJob[]): Slots {
  const started = released.filter((job) => job.started !== null).length;
  const room = (lane: Lane): number =>
    exportSlots +
    RESERVE -
    started -
    released.filter((job) => job.started === null && rankOf(job.lane) <= rankOf(lane)).length;
  return {
    room: { high: room('high'), normal: room('normal'), low: room('low') },
    words:
      exporters === 0
        ? 'no exporter is running'
        : `${Math.min(started, exportSlots)} of ${exportSlots} slots of the exporters are taken`,
  };
}

/** The lowest lane with room; undefined where there is none at all. */
export const lowestWithRoom = ({ room }: Slots): Lane | undefined => LANES.findLast((lane) => room[lane] > 0);
