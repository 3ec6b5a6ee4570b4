import { WORKER_KEYS } from '@hyper2kvm/runtime';
import { z } from 'zod';
import { DEFAULT_SETTINGS, type ExportSettings } from './export/index.js';

const { worker_id, metrics_listen, pools, shutdown_grace_seconds } = WORKER_KEYS;

/** The section `exporter` of the configuration. */
export const ExporterConfig = z.strictObject({
  worker_id,
  metrics_listen,
  pools,
  shutdown_grace_seconds,
  /** Exports at the same time. */
  slots: z.number().int().min(1).max(32).default(2),
  /** Images and manifests of a job lie in `<work_dir>/<job>`. Converters have to reach it under the same path. */
  work_dir: z.string().startsWith('/', 'an absolute path').default('/var/lib/hyper2kvm/export'),
  /** Disks at the same time, of one VM and of all. 2 to 4 are what one ESXi host takes well. */
  max_disks_per_vm: z.number().int().min(1).max(16).default(DEFAULT_SETTINGS.maxDisksPerVm),
  max_disks: z.number().int().min(1).max(64).default(6),
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
  /** A snapshot of an earlier start that is older is replaced. */
  snapshot_max_age_hours: z
    .number()
    .positive()
    .default(DEFAULT_SETTINGS.snapshotMaxAgeMs / 3_600_000),
});
export type ExporterConfig = z.infer<typeof ExporterConfig>;

export const toSettings = (config: ExporterConfig): ExportSettings => ({
  ...DEFAULT_SETTINGS,
  workDir: config.work_dir,
  maxDisksPerVm: config.max_disks_per_vm,
  stallTimeoutMs: config.stall_timeout_seconds * 1000,
  leaseWaitMs: config.lease_wait_seconds * 1000,
  snapshotMaxAgeMs: config.snapshot_max_age_hours * 3_600_000,
});
