import type { EntityManager } from 'typeorm';
import { Batch, type JobRow } from '../database/index.js';
import { scheduleOf } from '../schedule/index.js';
import { NONE, readCounts } from './counts.js';
import { pulseOfAll, readPulses, type Pulses } from './pulse.js';
import { blocker, blockReason, statusOf, stopReason } from './state.js';
import { hookWait, readTickets, ticketOf, type Ticket, type Tickets } from './tickets.js';

/** Why a job has not been let in yet, for the user; null where it was, or will be at once. */
export async function admissionReason(manager: EntityManager, job: JobRow): Promise<string | null> {
  if (job.status !== 'pending' || job.admittedAt !== null) return null;
  const own = await ticketOf(manager, job.id);
  const batch = job.batchId === null ? null : await manager.findOneBy(Batch, { id: job.batchId });
  if (batch === null) return hookReason(own) ?? timeReason(job);
  const tickets = await readTickets(manager, batch.id, 0);
  const pulses = await readPulses(
    manager,
    batch.id,
    batch.waves.map(({ name }) => name),
  );
  return (
    batchReason(batch, pulses) ??
    (await waveReason(manager, batch, pulses, job, tickets)) ??
    hookReason(own) ??
    timeReason(job) ??
    roomReason(batch, pulses, tickets)
  );
}

function batchReason(batch: Batch, pulses: Pulses): string | null {
  if (statusOf(batch) === 'cancelled') return 'the batch was cancelled';
  return statusOf(batch) === 'stopped' ? stopReason(batch, pulseOfAll(pulses).failed) : null;
}

async function waveReason(
  manager: EntityManager,
  batch: Batch,
  pulses: Pulses,
  job: JobRow,
  tickets: Tickets,
): Promise<string | null> {
  const wave = batch.waves.find(({ name }) => name === job.wave);
  if (wave === undefined) return null;
  const other = blocker(wave, pulses);
  if (other !== undefined) {
    const counts = (await readCounts(manager, [batch.id], other)).get(batch.id)?.get(other) ?? NONE;
    return blockReason(wave.name, other, counts);
  }
  return hookWait(wave.name, tickets);
}

const hookReason = (ticket: Ticket | undefined): string | null =>
  ticket?.status === 'queued' ? 'its hook before the migration has not ended yet' : null;

/** Why none of a wave is let in that nothing else holds: the times of its jobs, the first of which is told. By wave. */
export async function timeReasons(
  manager: EntityManager,
  batchId: string,
  waves: readonly string[],
): Promise<Map<string, string>> {
  if (waves.length === 0) return new Map();
  const rows = await manager.query<(Timed & { readonly wave: string })[]>(
    `SELECT DISTINCT ON (wave) wave, not_before AS "notBefore", next_retry_at AS "nextRetryAt", options FROM jobs
     WHERE batch_id = $1 AND wave = ANY ($2::text[]) AND status = 'pending' AND admitted_at IS NULL
     ORDER BY wave, greatest(not_before, next_retry_at) NULLS FIRST, plan_order`,
    [batchId, waves],
  );
  return new Map(
    rows.flatMap((row): [string, string][] => {
      const reason = timeReason(row);
      return reason === null ? [] : [[row.wave, reason]];
    }),
  );
}

type Timed = Pick<JobRow, 'notBefore' | 'nextRetryAt' | 'options'>;

function timeReason(job: Timed): string | null {
  const now = new Date();
  if (job.nextRetryAt !== null && job.nextRetryAt > now) return `it is tried again at ${job.nextRetryAt.toISOString()}`;
  const schedule = scheduleOf(job, now);
  return schedule.due ? null : schedule.reason;
}

function roomReason(batch: Batch, pulses: Pulses, { vms }: Tickets): string | null {
  if (batch.maxParallel === null) return null;
  const busy = pulseOfAll(pulses).underWay + vms;
  return busy < batch.maxParallel ? null : `${busy} of ${batch.maxParallel} VMs of the batch are under way`;
}
