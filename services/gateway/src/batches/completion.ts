import { batchCompleted } from '@hyper2kvm/contracts';
import { Batch } from '../database/index.js';
import { withdraw } from '../hooks/index.js';
import { messageTrace } from '../jobs/job-trace.js';
import { outgoing, writeOutboxOfMany, type Outgoing } from '../outbox/index.js';
import { askWaveHook, type Pass } from './admit.js';
import { readCounts, sumOf, type Counts } from './counts.js';
import { isThrough, pulseOf, pulseOfAll, type Pulse, type Pulses } from './pulse.js';
import { failuresOf } from './state.js';
import type { Tickets } from './tickets.js';

/** Of waves whose jobs all came to their end: the hook after them is asked for, once for each end, and one before them withdrawn. */
export async function closeWaves(pass: Pass, batch: Batch, pulses: Pulses, { waves }: Tickets): Promise<void> {
  const through = batch.waves.filter(({ name }) => isThrough(pulseOf(pulses, name)));
  const late = waves.filter(({ wave, status }) => status === 'queued' && through.some(({ name }) => name === wave));
  if (late.length > 0) {
    await withdraw(
      pass.manager,
      late.map(({ id }) => id),
    );
    pass.done.wrote = true;
  }
  const ended = through.filter(({ hooks }) => hooks?.after !== undefined);
  if (ended.length === 0) return;
  const asked = await pass.manager.query<{ wave: string }[]>(
    "SELECT wave FROM hooks WHERE batch_id = $1 AND scope = 'wave' AND moment = 'after' AND NOT spent",
    [batch.id],
  );
  for (const { name, hooks } of ended)
    if (!asked.some(({ wave }) => wave === name)) await askWaveHook(pass, batch, name, 'after', hooks?.after);
}

/** Writes down that every job came to its end, and tells it; false where one goes on. The batch's row is locked. */
export async function complete({ manager, setting, done }: Pass, batch: Batch, pulses: Pulses): Promise<boolean> {
  if (!isThrough(pulseOfAll(pulses))) return false;
  const { now } = setting;
  await manager.update(Batch, { id: batch.id }, { completedAt: now, updatedAt: now, version: batch.version + 1 });
  const counts = sumOf((await readCounts(manager, [batch.id])).get(batch.id) ?? new Map());
  await writeOutboxOfMany(manager, [
    { id: batch.id, message: told(batch, counts, now), ...messageTrace(batch.traceparent) },
  ]);
  done.wrote = true;
  return true;
}

const told = (batch: Batch, { totals, over }: Counts, now: Date): Outgoing =>
  outgoing(batchCompleted, {
    batch_id: batch.id,
    // One that rests after its export is done.
    completed: over - totals.failed - totals.cancelled,
    failed: totals.failed,
    cancelled: totals.cancelled,
    ...(batch.name === null ? {} : { name: batch.name }),
    requested_by: batch.requestedBy,
    created_at: batch.createdAt.toISOString(),
    completed_at: now.toISOString(),
    ...(batch.notifyEmail === null ? {} : { notify_email: batch.notifyEmail }),
    ...(batch.callbackUrl === null ? {} : { callback_url: batch.callbackUrl }),
    ...(batch.slackWebhook === null ? {} : { slack_webhook: batch.slackWebhook }),
  });

/** Stops a batch with too many failures; the batch as it is then. Its row is locked. */
export async function stopAfter({ manager, setting }: Pass, batch: Batch, { failed }: Pulse): Promise<Batch> {
  // A job that was tried again since takes its old failure with it.
  const failuresForgiven = Math.min(batch.failuresForgiven, failed);
  const tooMany =
    batch.stoppedAt === null &&
    batch.stopAfterFailures !== null &&
    failuresOf({ failuresForgiven }, failed) >= batch.stopAfterFailures;
  if (!tooMany && failuresForgiven === batch.failuresForgiven) return batch;
  const patch = {
    failuresForgiven,
    ...(tooMany ? { stoppedAt: setting.now } : {}),
    version: batch.version + 1,
    updatedAt: setting.now,
  };
  await manager.update(Batch, { id: batch.id }, patch);
  return Object.assign(new Batch(), batch, patch);
}
