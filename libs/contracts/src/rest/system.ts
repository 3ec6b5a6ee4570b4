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

/** GET /health/live of any service: its process answers. It asks nothing else, so an outage of what it needs restarts nobody. */
export const Live = z.object({
  status: z.literal('alive'),
  service: z.string(),
  version: z.string(),
  uptime_seconds: z.number().int(),
});
export type Live = z.infer<typeof Live>;

/** GET /health/ready of any service: whether it can do its work now, and why not. */
export const Ready = z.object({
  status: z.enum(['ready', 'not ready']),
  service: z.string(),
  checks: z.array(z.object({ name: z.string(), status: z.enum(['ok', 'failed']), reason: z.string().optional() })),
});
export type Ready = z.infer<typeof Ready>;

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
