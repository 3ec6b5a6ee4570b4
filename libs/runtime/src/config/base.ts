import { z } from 'zod';

/** Where traces and logs go, and how many. */
const TelemetryConfig = z.strictObject({
  /** Base URL of an OTLP/HTTP receiver. */
  otlp_endpoint: z.url({ protocol: /^https?$/ }).optional(),
  /** Sent along with each request to it. */
  headers: z.record(z.string(), z.string()).default({}),
  /** Share of the traces that begin here. One that began elsewhere is recorded where it was there. */
  sample_ratio: z.number().min(0).max(1).default(1),
  /** A span that is open for longer is told in pieces. */
  span_seconds: z.number().min(1).default(60),
  /** Logs are sent as well, besides the lines on standard output. */
  logs: z.boolean().default(false),
  /** Each statement to the database is a span. */
  database_spans: z.boolean().default(false),
});

/** Sections that every service reads. */
export const BaseConfig = z.strictObject({
  nats: z
    .strictObject({
      servers: z.array(z.string().min(1)).min(1).default(['127.0.0.1:4222']),
      user: z.string().optional(),
      password: z.string().optional(),
      token: z.string().optional(),
      /** Path of a .creds file. */
      creds_file: z.string().optional(),
      ca_file: z.string().optional(),
      /** Copies of each stream: 1, or 3 on a cluster. */
      replicas: z.number().int().min(1).max(5).default(1),
    })
    .prefault({}),
  secrets: z
    .strictObject({
      /** File (0600) with the base64 of 32 random bytes that seal passwords on their way. */
      key_file: z.string().optional(),
      /** The same from the environment. */
      key: z.string().optional(),
      /** Files of keys that were in use before: what they sealed is still opened, nothing new is sealed with them. */
      previous_key_files: z.array(z.string()).default([]),
      /** The same from the environment. */
      previous_keys: z.array(z.string()).default([]),
    })
    .prefault({}),
  telemetry: TelemetryConfig.prefault({}),
  logging: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});
export type BaseConfig = z.infer<typeof BaseConfig>;

/** What every worker's section has. */
export const WORKER_KEYS = {
  /** Shown in heartbeats and logs; default: the host's name and the service. */
  worker_id: z.string().optional(),
  /** host:port for /health and /metrics; none by default. */
  metrics_listen: z.string().optional(),
  /** Pools from which work is taken. */
  pools: z.array(z.string()).min(1).default(['any']),
  /** Seconds that running work is given at a stop, before it is handed back for another worker. */
  shutdown_grace_seconds: z.number().min(0).default(5),
};

/** Every section a configuration file may have: another name stops start-up. */
export const SECTIONS = [
  ...Object.keys(BaseConfig.shape),
  'vsphere',
  'conversion',
  'retry_policy',
  'targets',
  'hooks',
  'gateway',
  'exporter',
  'converter',
  'notifier',
];
