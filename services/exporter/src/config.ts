import { BytesPerSecond } from '@hyper2kvm/contracts';
import { WORKER_KEYS } from '@hyper2kvm/runtime';
import { z } from 'zod';
import { DEFAULT_SETTINGS, type ExportSettings } from './export/index.js';

const { worker_id, metrics_listen, pools, shutdown_grace_seconds } = WORKER_KEYS;
const folder = z.string().startsWith('/', 'an absolute path');

/** The section `exporter` of the configuration. */
export const ExporterConfig = z.strictObject({
  worker_id,
  metrics_listen,
  pools,
  shutdown_grace_seconds,
  /** Exports at the same time. */
  slots: z.number().int().min(1).max(32).default(2),
  /** Images and manifests of a job lie in `<work_dir>/<job>`. Converters have to reach it under the same path. */
  work_dir: folder.default('/var/lib/hyper2kvm/export'),
  /** Local disks and OVAs are read beneath these folders only. */
  allowed_roots: z.array(folder).default([...DEFAULT_SETTINGS.allowedRoots]),
  /** Disks at the same time, of one VM and of all. 2 to 4 are what one ESXi host takes well. */
  max_disks_per_vm: z.number().int().min(1).max(16).default(DEFAULT_SETTINGS.maxDisksPerVm),
  max_disks: z.number().int().min(1).max(64).default(6),
  /** Connections for one disk that is read from its datastore. */
  range_connections: z.number().int().min(4).max(8).default(DEFAULT_SETTINGS.rangeConnections),
  /** From which share of its provisioned size that is used a disk is read from its datastore rather than by the export stream. */
  datastore_min_used_percent: z
    .number()
    .min(0)
    .max(100)
    .default(DEFAULT_SETTINGS.datastoreMinUsedRatio * 100),
  /** Of all disks of this worker together. Without it there is no limit. */
  bandwidth_bytes_per_second: BytesPerSecond.optional(),
  /** Read images again after they were written and compare them. Off saves time; they are not called verified then. */
  read_back: z.boolean().default(DEFAULT_SETTINGS.readBack),
  /** So much stays free in `work_dir`: an export that comes to it is stopped. */
  min_free_bytes: z.number().int().nonnegative().default(DEFAULT_SETTINGS.minFreeBytes),
  /** An export is given up, and its snapshot removed, when a datastore of the VM has less than this free. */
  datastore_min_free_percent: z.number().min(0).max(100).default(DEFAULT_SETTINGS.datastoreMinFreePercent),
  /** How long a guest may take to shut down (`source_power: shutdown`) before it is switched off. */
  shutdown_timeout_seconds: z
    .number()
    .min(1)
    .default(DEFAULT_SETTINGS.shutdownTimeoutMs / 1000),
  /** Pool of the converters that can read `work_dir`. */
  artifact_pool: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/)
    .default('any'),
  /** A download without data for so long is given up and begins again. */
  stall_timeout_seconds: z
    .number()
    .min(1)
    .default(DEFAULT_SETTINGS.stallTimeoutMs / 1000),
  /** How long another export of the same VM is waited out. */
  lease_wait_seconds: z
    .number()
    .min(0)
    .default(DEFAULT_SETTINGS.leaseWaitMs / 1000),
  /** A snapshot that is older is replaced; an export that takes longer is given up. */
  snapshot_max_age_hours: z
    .number()
    .positive()
    .default(DEFAULT_SETTINGS.snapshotMaxAgeMs / 3_600_000),
  /** Between looks at the datastores and the snapshot's delta. */
  source_check_seconds: z
    .number()
    .min(1)
    .default(DEFAULT_SETTINGS.sourceCheckMs / 1000),
});
export type ExporterConfig = z.infer<typeof ExporterConfig>;

export const toSettings = (config: ExporterConfig): ExportSettings => ({
  ...DEFAULT_SETTINGS,
  workDir: config.work_dir,
  allowedRoots: config.allowed_roots,
  maxDisksPerVm: config.max_disks_per_vm,
  rangeConnections: config.range_connections,
  datastoreMinUsedRatio: config.datastore_min_used_percent / 100,
  readBack: config.read_back,
  minFreeBytes: config.min_free_bytes,
  datastoreMinFreePercent: config.datastore_min_free_percent,
  shutdownTimeoutMs: config.shutdown_timeout_seconds * 1000,
  stallTimeoutMs: config.stall_timeout_seconds * 1000,
  leaseWaitMs: config.lease_wait_seconds * 1000,
  snapshotMaxAgeMs: config.snapshot_max_age_hours * 3_600_000,
  sourceCheckMs: config.source_check_seconds * 1000,
});
