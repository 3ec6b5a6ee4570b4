import type { Lane } from '@hyper2kvm/contracts';
import { aheadWords, placeReason, Places } from './places.js';
import { FIRST_TURN, Turns, type TurnState } from './turns.js';

/** Disks of one VM that an exporter fetches side by side; more of them wait inside the job. */
const DISKS_PER_JOB = 3;

/** How many disks may be fetched at once. */
export interface Limits {
  readonly disksPerHost: number;
  readonly disksPerVcenter: number;
}
/** What a job loads while its export runs. */
export interface Load {
  /** Undefined where vCenter did not tell it: then the vCenter alone limits. */
  readonly host: string | undefined;
  /** Undefined for local files, which nothing limits. */
  readonly vcenter: string | undefined;
  /** Disks of the VM. */
  readonly disks: number;
}
export interface WaitingJob extends Load {
  readonly id: string;
  readonly lane: Lane;
  readonly queuedAt: Date;
  /** Among jobs that were queued together: their place in the plan of a batch. */
  readonly order: number;
}
/** How many jobs may be let out of each lane; a higher one has room for no fewer. */
export interface Slots {
  readonly room: Readonly<Record<Lane, number>>;
  /** Why there is no more room, for the user. */
  readonly words: string;
}
export interface Plan {
  /** Ids, in the order of their release. */
  readonly release: readonly string[];
  /** Of each job that has to wait: why, for the user. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly turn: TurnState;
  /** Of each lane, how many more could have been let out. */
  readonly room: Readonly<Record<Lane, number>>;
}

const UNLIMITED: Slots = { room: { high: Infinity, normal: Infinity, low: Infinity }, words: '' };

/** Disks that the job counts for; capped so that every job fits at all. */
export const weightOf = (load: Load, limits: Limits): number =>
  Math.min(load.disks, DISKS_PER_JOB, limits.disksPerHost, limits.disksPerVcenter);

/**
 * Which of the waiting jobs may start beside the running ones, by priority, then age, and every eighth time from a lower lane. A
 * job that finds no room keeps its place: none behind it passes for the same host (or vCenter, where that is full), so that a
 * large one comes to its turn.
 */
export function plan(
  waiting: readonly WaitingJob[],
  running: readonly Load[],
  limits: Limits,
  slots: Slots = UNLIMITED,
  state: TurnState = FIRST_TURN,
): Plan {
  const places = new Places(limits);
  for (const load of running) for (const place of places.of(load)) place.used += weightOf(load, limits);
  const room = { ...slots.room };
  const release: string[] = [];
  const reasons = new Map<string, string>();
  const turns = new Turns(waiting, state);
  let withoutSlot = 0;
  for (let job = turns.next(); job !== undefined; job = turns.next()) {
    const weight = weightOf(job, limits);
    const own = places.of(job);
    const full = own.find((place) => place.queue > 0 || place.used + weight > place.limit);
    if (full !== undefined) {
      reasons.set(job.id, placeReason(full, weight));
      full.queue += 1;
      turns.refused(job);
    } else if (room[job.lane] <= 0) {
      reasons.set(job.id, slotReason(slots, withoutSlot));
      withoutSlot += 1;
      turns.refused(job);
    } else {
      for (const place of own) place.used += weight;
      take(room, job.lane);
      release.push(job.id);
      turns.released(job);
    }
  }
  return { release, reasons, turn: turns.state, room };
}

/** A job takes a slot from its own lane and those below: one above finds its place before it. */
function take(room: Record<Lane, number>, lane: Lane): void {
  if (lane === 'high') room.high -= 1;
  if (lane !== 'low') room.normal -= 1;
  room.low -= 1;
}

/** `4 of 4 slots of the exporters are taken; 2 jobs are ahead` */
export const slotReason = ({ words }: Slots, ahead: number): string =>
  ahead > 0 ? `${words}; ${aheadWords(ahead)}` : words;
