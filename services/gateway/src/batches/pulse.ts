import type { EntityManager } from 'typeorm';
import type { Counts } from './counts.js';

/** As much of a wave as decides whether anything goes on: found without counting what waits and what is through. */
export interface Pulse {
  /** Some of its VMs were not let in yet. */
  readonly waits: boolean;
  /** VMs that were let in and are not through. */
  readonly underWay: number;
  readonly failed: number;
}
export type Pulses = ReadonlyMap<string, Pulse>;

/** Of a wave whose jobs are gone. */
const STILL: Pulse = { waits: false, underWay: 0, failed: 0 };
export const pulseOf = (pulses: Pulses, wave: string): Pulse => pulses.get(wave) ?? STILL;

/** The same from what was counted. */
export const pulseFrom = ({ totals, over, waiting }: Counts): Pulse => ({
  waits: waiting > 0,
  underWay: totals.total - over - waiting,
  failed: totals.failed,
});

export const isThrough = ({ waits, underWay }: Pulse): boolean => !waits && underWay === 0;

/** Of all waves together. */
export function pulseOfAll(pulses: Pulses): Pulse {
  const all = [...pulses.values()];
  return {
    waits: all.some(({ waits }) => waits),
    underWay: all.reduce((sum, { underWay }) => sum + underWay, 0),
    failed: all.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** Each part is found in idx_jobs_unadmitted or idx_jobs_batch_counts, whatever number of jobs lies beside it. */
export async function readPulses(manager: EntityManager, batchId: string, waves: readonly string[]): Promise<Pulses> {
  const rows = await manager.query<(Pulse & { readonly wave: string })[]>(
    `SELECT wave.name AS wave,
       coalesce((SELECT true FROM jobs WHERE batch_id = $1 AND jobs.wave = wave.name
         AND status = 'pending' AND admitted_at IS NULL ORDER BY lane_rank, plan_order LIMIT 1), false) AS waits,
       (SELECT count(*)::int FROM jobs WHERE batch_id = $1 AND jobs.wave = wave.name
         AND status = 'pending' AND conversion_status IS NULL AND admitted_at IS NOT NULL)
       + (SELECT count(*)::int FROM jobs WHERE batch_id = $1 AND jobs.wave = wave.name
         AND status IN ('exporting', 'converting'))
       + (SELECT count(*)::int FROM jobs WHERE batch_id = $1 AND jobs.wave = wave.name
         AND status = 'exported' AND conversion_status IS NOT NULL) AS "underWay",
       (SELECT count(*)::int FROM jobs WHERE batch_id = $1 AND jobs.wave = wave.name AND status = 'failed') AS failed
     FROM unnest($2::text[]) AS wave (name)`,
    [batchId, waves],
  );
  return new Map(rows.map(({ wave, ...pulse }) => [wave, pulse]));
}
