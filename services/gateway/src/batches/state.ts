import type { BatchStatus } from '@hyper2kvm/contracts';
import type { Batch, WaveRow } from '../database/index.js';
import { NONE, sumOf, type Counts, type WaveCounts } from './counts.js';
import { isThrough, pulseFrom, pulseOf, type Pulses } from './pulse.js';

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

/** The wave that holds another back: it is not through, or VMs of it failed. Undefined where nothing does. */
export function blocker(wave: WaveRow, pulses: Pulses): string | undefined {
  const before = wave.after.map((name) => ({ name, pulse: pulseOf(pulses, name) }));
  const left = before.find(({ pulse }) => !isThrough(pulse));
  return (left ?? before.find(({ pulse }) => pulse.failed > 0))?.name;
}

/** Why a wave waits for another. */
export function blockReason(wave: string, other: string, { totals, over }: Counts): string {
  if (over < totals.total)
    return `wave ${wave} waits for wave ${other} (${totals.total - over} of ${totals.total} left)`;
  const { failed } = totals;
  return `wave ${wave} waits for wave ${other}: ${failed} of its VMs failed; retry or cancel ${failed === 1 ? 'it' : 'them'}`;
}

const pulsesOf = (counts: WaveCounts): Pulses => new Map([...counts].map(([name, own]) => [name, pulseFrom(own)]));

export type WaveStatus = 'waiting' | 'running' | 'completed';

/** @param hook why its own hook holds it, where that is so */
export function waveStatus(
  wave: WaveRow,
  counts: WaveCounts,
  hook: string | null = null,
): { status: WaveStatus; reason: string | null } {
  const own = counts.get(wave.name) ?? NONE;
  if (own.over === own.totals.total) return { status: 'completed', reason: null };
  const other = own.waiting === 0 ? undefined : blocker(wave, pulsesOf(counts));
  if (other === undefined && (hook === null || own.waiting === 0)) return { status: 'running', reason: null };
  if (other === undefined) return { status: 'waiting', reason: hook };
  return { status: 'waiting', reason: blockReason(wave.name, other, counts.get(other) ?? NONE) };
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
