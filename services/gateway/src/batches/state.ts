import type { BatchStatus } from '@hyper2kvm/contracts';
import type { Batch, WaveRow } from '../database/index.js';
import { NONE, sumOf, type Counts, type WaveCounts } from './counts.js';

type Instants = Pick<Batch, 'stoppedAt' | 'cancelledAt' | 'completedAt'>;

export function statusOf({ stoppedAt, cancelledAt, completedAt }: Instants): BatchStatus {
  if (cancelledAt !== null) return 'cancelled';
  if (completedAt !== null) return 'completed';
  return stoppedAt === null ? 'running' : 'stopped';
}

/** The same, for a query. */
export const STATUS_SQL = `CASE WHEN cancelled_at IS NOT NULL THEN 'cancelled' WHEN completed_at IS NOT NULL THEN 'completed'
  WHEN stopped_at IS NULL THEN 'running' ELSE 'stopped' END`;

/** Failures that count: those before the last resume do not, unless their job was tried again since. */
export const failuresOf = (batch: Pick<Batch, 'failuresForgiven'>, failed: number): number =>
  Math.max(0, failed - batch.failuresForgiven);

/** What a stopped batch tells. */
export const stopReason = (batch: Pick<Batch, 'id' | 'failuresForgiven'>, failed: number): string => {
  const failures = failuresOf(batch, failed);
  return `the batch stopped after ${failures} ${failures === 1 ? 'failure' : 'failures'}: hyperctl batches resume ${batch.id}`;
};

/** Which waves a wave waits for, and why; undefined when they are all through. */
export function blocked(wave: WaveRow, counts: WaveCounts): string | undefined {
  const before = wave.after.map((name) => ({ name, counts: counts.get(name) ?? NONE }));
  const failed = before.find((one) => one.counts.totals.failed > 0);
  const left = before.find((one) => one.counts.over < one.counts.totals.total);
  if (left !== undefined) {
    const { totals, over } = left.counts;
    return `wave ${wave.name} waits for wave ${left.name} (${totals.total - over} of ${totals.total} left)`;
  }
  if (failed === undefined) return undefined;
  const many = failed.counts.totals.failed;
  return `wave ${wave.name} waits for wave ${failed.name}: ${many} of its VMs failed; retry or cancel ${many === 1 ? 'it' : 'them'}`;
}

export type WaveStatus = 'waiting' | 'running' | 'completed';

/** Of a wave, as far as its jobs tell. */
export function waveStatus(wave: WaveRow, counts: WaveCounts): { status: WaveStatus; reason: string | null } {
  const own = counts.get(wave.name) ?? NONE;
  if (own.over === own.totals.total) return { status: 'completed', reason: null };
  const reason = own.waiting === 0 ? undefined : blocked(wave, counts);
  return reason === undefined ? { status: 'running', reason: null } : { status: 'waiting', reason };
}

/** VMs of a batch that were let in and are not through. */
export const underWay = (counts: Counts): number => counts.totals.total - counts.over - counts.waiting;

/** What the whole batch waits for: it stopped, or nothing runs and the next wave is held back. */
export function reasonOf(batch: Batch, counts: WaveCounts): string | null {
  const all = sumOf(counts);
  if (statusOf(batch) === 'stopped') return stopReason(batch, all.totals.failed);
  if (statusOf(batch) !== 'running' || underWay(all) > 0) return null;
  const states = batch.waves.map((wave) => waveStatus(wave, counts));
  if (states.some(({ status }) => status === 'running')) return null;
  return states.find(({ reason }) => reason !== null)?.reason ?? null;
}
