import { z } from 'zod';
import { BytesPerSecond } from '../words.js';
import { WorkerHeartbeat } from './system.js';

/** Draining: it ends what it has and takes nothing. Drained: that is through; it takes nothing until it is resumed or restarted. */
export const WorkerStatus = z.enum(['running', 'paused', 'draining', 'drained']);
export type WorkerStatus = z.infer<typeof WorkerStatus>;

/** A heartbeat with the keys of the seed's `status` answer. */
export const Worker = WorkerHeartbeat.extend({
  status: WorkerStatus,
  uptime_hours: z.number(),
  /** Messages that wait in the queues from which it takes. */
  queue_depth: z.number().int(),
  active_conversions: z.number().int(),
  /** Free in its folder, in 10^9 bytes. */
  disk_space_gb: z.number().nullable(),
});
export type Worker = z.infer<typeof Worker>;

/** GET /api/v1/workers */
export const WorkerList = z.object({ workers: z.array(Worker) });
export type WorkerList = z.infer<typeof WorkerList>;

/** PATCH /api/v1/workers/{id}: the limit of all exports of one worker; null lifts it. */
export const WorkerPatch = z.strictObject({ bandwidth_bytes_per_second: BytesPerSecond.nullable() });
export type WorkerPatch = z.infer<typeof WorkerPatch>;
