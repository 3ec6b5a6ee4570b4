import type { DiskProgress, JobDetail } from '@hyper2kvm/contracts';
import { add, type DiskView, type Model } from './state.js';

/** Rates are taken over this long. */
const RATE_WINDOW_MS = 10_000;

/** The model after a word about disks. `at` in ms since 1970, by the clock of who said it. */
export function withDisks(model: Model, disks: readonly DiskProgress[], at: number): Model {
  let next = model;
  for (const disk of disks) {
    const known = next.disks.find(({ index }) => index === disk.index);
    const samples = [...(known?.samples ?? []), { at, bytes: disk.done_bytes }];
    const view: DiskView = {
      ...disk,
      startedAt: startOf(disk, known, model, at),
      samples: samples.filter((sample) => sample.at >= at - RATE_WINDOW_MS),
    };
    next = { ...next, disks: [...next.disks.filter(({ index }) => index !== disk.index), view] };
    if (disk.state === 'done' && known?.state !== 'done') {
      const since = known?.startedAt;
      const seconds = typeof since === 'number' ? Math.max(0, at - since) / 1000 : null;
      const first = !next.disks.some((other) => other.state === 'done' && other.index !== disk.index);
      next = add(next, at, { kind: 'disk', disk, total: disks.length, seconds, local: next.origin.local, first });
    }
  }
  return { ...next, disks: next.disks.toSorted((a, b) => a.index - b.index) };
}

/** As the job has them, before any message of the exporter came; there is no rate between its clock and the gateway's. */
export function withDisksOf(model: Model, job: JobDetail): Model {
  const next = withDisks(model, job.progress.disks, Date.parse(job.updated_at));
  return { ...next, disks: next.disks.map((disk) => ({ ...disk, samples: [] })) };
}

function startOf(disk: DiskProgress, known: DiskView | undefined, model: Model, at: number): DiskView['startedAt'] {
  if (disk.state === 'waiting') return null;
  if (known !== undefined) return known.startedAt ?? at;
  return model.since === null ? at : 'unknown';
}

/** The export ended, so every disk is there, even where the last progress message did not get through. */
export function finishDisks(model: Model, at: number): Model {
  const done = model.disks.map((disk) => ({ ...disk, state: 'done' as const, done_bytes: disk.capacity_bytes }));
  return withDisks(model, done, at);
}

export const isUnderWay = ({ state }: DiskView): boolean => state === 'transferring' || state === 'verifying';

/** Bytes a second of one disk over the last seconds; undefined when nothing can be said. */
export function diskRate({ samples }: Pick<DiskView, 'samples'>): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 500 || last.bytes <= first.bytes)
    return undefined;
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
}

/** Of all disks of a job together. */
export interface Total {
  readonly doneBytes: number;
  readonly capacityBytes: number;
  readonly bytesPerSecond: number | undefined;
  /** Until the last byte of the last disk, where the rate stays as it is. */
  readonly etaSeconds: number | undefined;
}

export function totalOf(disks: readonly DiskView[]): Total {
  const sum = (of: (disk: DiskView) => number): number => disks.reduce((all, disk) => all + of(disk), 0);
  const doneBytes = sum((disk) => disk.done_bytes);
  const capacityBytes = sum((disk) => disk.capacity_bytes);
  const rate = sum((disk) => (disk.state === 'transferring' ? (diskRate(disk) ?? 0) : 0));
  const bytesPerSecond = rate > 0 ? rate : undefined;
  const etaSeconds = bytesPerSecond === undefined ? undefined : (capacityBytes - doneBytes) / bytesPerSecond;
  return { doneBytes, capacityBytes, bytesPerSecond, etaSeconds };
}
