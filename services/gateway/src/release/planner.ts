import { LANES, type Lane } from '@hyper2kvm/contracts';

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
  readonly createdAt: Date;
}
export interface Plan {
  /** Ids, in the order of their release. */
  readonly release: readonly string[];
  /** Of each job that has to wait: why, for the user. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** Disks that the job counts for; capped so that every job fits at all. */
export const weightOf = (load: Load, limits: Limits): number =>
  Math.min(load.disks, DISKS_PER_JOB, limits.disksPerHost, limits.disksPerVcenter);

/** One host or one vCenter, while the plan is made. */
interface Place {
  readonly words: string;
  readonly limit: number;
  used: number;
  /** Jobs that wait for it, so far. */
  queue: number;
}

/**
 * Which of the waiting jobs may start beside the running ones, by priority, then age. A job that finds no room keeps its place:
 * none behind it passes for the same host (or vCenter, where that is full), so that a large one comes to its turn.
 */
export function plan(waiting: readonly WaitingJob[], running: readonly Load[], limits: Limits): Plan {
  const places = new Places(limits);
  for (const load of running) for (const place of places.of(load)) place.used += weightOf(load, limits);
  const release: string[] = [];
  const reasons = new Map<string, string>();
  for (const job of waiting.toSorted(byTurn)) {
    const weight = weightOf(job, limits);
    const full = places.of(job).find((place) => place.queue > 0 || place.used + weight > place.limit);
    if (full === undefined) {
      for (const place of places.of(job)) place.used += weight;
      release.push(job.id);
    } else {
      reasons.set(job.id, reason(full, weight));
      full.queue += 1;
    }
  }
  return { release, reasons };
}

const byTurn = (one: WaitingJob, other: WaitingJob): number =>
  LANES.indexOf(one.lane) - LANES.indexOf(other.lane) ||
  one.createdAt.getTime() - other.createdAt.getTime() ||
  (one.id < other.id ? -1 : 1);

class Places {
  readonly #known = new Map<string, Place>();
  constructor(private readonly limits: Limits) {}

  /** The host first: while it is full, jobs of other hosts may go on. */
  of({ host, vcenter }: Load): Place[] {
    if (vcenter === undefined) return [];
    const whole = this.#place(vcenter, `vCenter ${vcenter}`, this.limits.disksPerVcenter);
    if (host === undefined) return [whole];
    return [this.#place(`${vcenter}/${host}`, `host ${host}`, this.limits.disksPerHost), whole];
  }

  #place(key: string, words: string, limit: number): Place {
    const place = this.#known.get(key) ?? { words, limit, used: 0, queue: 0 };
    this.#known.set(key, place);
    return place;
  }
}

/** `4 of 4 disks of host esx07.example.com are being exported; 2 jobs are ahead` */
function reason(place: Place, weight: number): string {
  const state = `${place.used} of ${place.limit} disks of ${place.words} are being exported`;
  if (place.queue > 0) return `${state}; ${place.queue === 1 ? '1 job is' : `${place.queue} jobs are`} ahead`;
  return place.used < place.limit ? `${state}; this job takes ${weight}` : state;
}
