import type { Limits, Load } from './planner.js';

/** One host or one vCenter, while the plan is made. */
export interface Place {
  readonly words: string;
  readonly limit: number;
  used: number;
  /** Jobs that wait for it, so far. */
  queue: number;
}

export class Places {
  readonly #known = new Map<string, Place>();
  constructor(private readonly limits: Limits) {}

  /** The host first: while it is full, jobs of other hosts may go on. */
  of({ host, vcenter }: Pick<Load, 'host' | 'vcenter'>): Place[] {
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
export function placeReason(place: Place, weight: number, ahead = place.queue): string {
  const state = `${place.used} of ${place.limit} disks of ${place.words} are being exported`;
  if (ahead > 0) return `${state}; ${aheadWords(ahead)}`;
  return place.used < place.limit ? `${state}; this job takes ${weight}` : state;
}

export const aheadWords = (ahead: number): string => (ahead === 1 ? '1 job is ahead' : `${ahead} jobs are ahead`);
