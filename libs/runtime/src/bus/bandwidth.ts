import { BytesPerSecond } from '@hyper2kvm/contracts';

/** Whose exports share a limit: those of one job, or of one worker. */
export type BandwidthScope = 'job' | 'worker';

/** A limit that was set while work runs, in the bucket `control` under `bandwidth.<scope>.<id>`. */
export interface BandwidthLimit {
  readonly scope: BandwidthScope;
  /** The job's id, or the worker's. */
  readonly id: string;
  /** Null: no limit (any more). */
  readonly bytesPerSecond: number | null;
}

export const BANDWIDTH_KEYS = 'bandwidth.*.*';

export const bandwidthKey = (scope: BandwidthScope, id: string): string => `bandwidth.${scope}.${id}`;

/** Reads an entry; undefined for one that is none (of another version). */
export function readBandwidth(key: string, value: string): BandwidthLimit | undefined {
  const [, scope, id] = key.split('.');
  if ((scope !== 'job' && scope !== 'worker') || id === undefined) return undefined;
  if (value === '' || value === 'null') return { scope, id, bytesPerSecond: null };
  const rate = BytesPerSecond.safeParse(Number(value));
  return rate.success ? { scope, id, bytesPerSecond: rate.data } : undefined;
}
