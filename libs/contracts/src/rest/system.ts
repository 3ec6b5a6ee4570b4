import { z } from 'zod';
import { Bytes, Timestamp } from '../words.js';

/** GET /health: the seed's keys. `python_daemon_reachable` is the converter's; its plain name stands beside it. */
export const Health = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  uptime_seconds: z.number().int(),
  vsphere_connection: z.enum(['ok', 'failed', 'unknown']),
  python_daemon_reachable: z.boolean(),
  converter_reachable: z.boolean(),
  exporter_reachable: z.boolean(),
  database: z.enum(['ok', 'failed']),
  nats: z.enum(['ok', 'failed']),
  disk_space_available_gb: z.number().nullable(),
  active_jobs: z.number().int(),
});
export type Health = z.infer<typeof Health>;

/** What a worker says of itself every few seconds (bucket `workers`, key `<service>.<worker id>`). */
export const WorkerHeartbeat = z.object({
  worker_id: z.string(),
  service: z.string(),
  version: z.string(),
  host: z.string(),
  pid: z.number().int(),
  pools: z.array(z.string()),
  slots: z.number().int(),
  active_jobs: z.array(z.string()),
  /** It takes nothing new: paused, or draining. */
  paused: z.boolean(),
  draining: z.boolean().optional(),
  /** Limit of all exports together; missing where there is none. */
  bandwidth_bytes_per_second: z.number().optional(),
  disk_free_bytes: Bytes.nullable(),
  started_at: Timestamp,
  time: Timestamp,
});
export type WorkerHeartbeat = z.infer<typeof WorkerHeartbeat>;

/** GET /status */
export const Status = z.object({
  service: z.literal('gateway'),
  version: z.string(),
  uptime_seconds: z.number().int(),
  jobs: z.record(z.string(), z.number().int()),
  queue_depth: z.object({ high: z.number().int(), normal: z.number().int(), low: z.number().int() }),
  workers: z.array(WorkerHeartbeat),
});
export type Status = z.infer<typeof Status>;
