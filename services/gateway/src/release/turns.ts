import { LANES, type Lane } from '@hyper2kvm/contracts';
import type { WaitingJob } from './planner.js';

/** Every n-th release goes to the waiting lower lane that was served longest ago, so that a busy high lane starves nobody. */
export const GUARD_EVERY = 8;

/** Whose turn it is, kept from plan to plan. */
export interface TurnState {
  /** Releases so far. */
  readonly picks: number;
  /** How many there had been when the guard had its last one. */
  readonly guarded: number;
  /** How many there had been when each lane had its last one. */
  readonly served: Readonly<Record<Lane, number>>;
}

export const FIRST_TURN: TurnState = { picks: 0, guarded: 0, served: { high: 0, normal: 0, low: 0 } };

/** Waiting jobs in the order in which they are thought of, while a plan is made. */
export class Turns {
  #state: TurnState;
  readonly #rest: Set<WaitingJob>;
  /** The guard's choice found no room: it keeps its place, and the guard its turn. */
  #held = false;

  constructor(waiting: readonly WaitingJob[], state: TurnState) {
    this.#state = state;
    this.#rest = new Set(waiting.toSorted(byTurn));
  }

  get state(): TurnState {
    return this.#state;
  }

  next(): WaitingJob | undefined {
    const guards = this.#due() ? this.#guards() : undefined;
    const [first] = this.#rest;
    const job = guards ?? first;
    if (job !== undefined) this.#rest.delete(job);
    return job;
  }

  released(job: WaitingJob): void {
    const due = this.#due();
    const picks = this.#state.picks + 1;
    this.#state = {
      picks,
      // Where no lower lane waits, the turn passes.
      guarded: due && (job.lane !== LANES[0] || this.#guards() === undefined) ? picks : this.#state.guarded,
      served: { ...this.#state.served, [job.lane]: picks },
    };
  }

  refused(job: WaitingJob): void {
    if (this.#due() && job.lane !== LANES[0]) this.#held = true;
  }

  #due(): boolean {
    return !this.#held && this.#state.picks - this.#state.guarded >= GUARD_EVERY - 1;
  }

  #guards(): WaitingJob | undefined {
    const [, ...lower] = LANES;
    const { served } = this.#state;
    const jobs = [...this.#rest];
    return lower
      .toSorted((one, other) => served[one] - served[other])
      .map((lane) => jobs.find((job) => job.lane === lane))
      .find((job) => job !== undefined);
  }
}

const byTurn = (one: WaitingJob, other: WaitingJob): number =>
  LANES.indexOf(one.lane) - LANES.indexOf(other.lane) ||
  one.queuedAt.getTime() - other.queuedAt.getTime() ||
  one.order - other.order ||
  (one.id < other.id ? -1 : 1);
