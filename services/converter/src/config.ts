import { cpus } from 'node:os';
import { WORKER_KEYS, type TargetsConfig } from '@hyper2kvm/runtime';
import { z } from 'zod';
import type { ConverterSettings } from './work.js';

const { worker_id, metrics_listen, pools, shutdown_grace_seconds } = WORKER_KEYS;
const Folder = z.string().regex(/^\/.*[^/]$/, 'an absolute path without a "/" at its end');

/** The section `converter` of the configuration. */
export const ConverterConfig = z.strictObject({
  worker_id,
  metrics_listen,
  pools,
  shutdown_grace_seconds,
  /** Conversions at the same time; each keeps about two cores and 1.5 GiB busy. Default: one for every two cores. */
  slots: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(Math.max(1, Math.floor(cpus().length / 2))),
  /** Overlays of running jobs, in `<work_dir>/<job>`. */
  work_dir: Folder.default('/var/lib/hyper2kvm/work'),
  /** Results, in `<output_dir>/<YYYY-MM-DD>/<vm>`. On the file system of the exported images a result is renamed, not copied. */
  output_dir: Folder.default('/var/lib/hyper2kvm/output'),
  /** Folders below which a job may ask for its output with --output-dir, besides output_dir. */
  allowed_output_roots: z.array(Folder).default(['/var/lib/libvirt/images']),
  /** Most memory that the guest of a boot proof gets. */
  proof_memory_bytes: z
    .number()
    .int()
    .min(256 * 1024 ** 2)
    .default(2 * 1024 ** 3),
  /** Where --to-libvirt defines domains. */
  libvirt_uri: z.string().min(1).default('qemu:///system'),
  /** What the NICs of domains are plugged into: a network of libvirt, or a bridge of the host. */
  network: z
    .strictObject({
      type: z.enum(['network', 'bridge']).default('network'),
      name: z.string().min(1).default('default'),
    })
    .prefault({}),
  /** virtio-win.iso, or a folder of its content: the drivers that Windows gets. */
  virtio_win: z.string().startsWith('/').optional(),
  /**
   * By default nothing of an export is left after its conversion: the exported images become the result, or go once they
   * were written in another format. Either of the two keys, turned, keeps them beside the result, in the exporter's folder,
   * until `gateway.retention.artifacts_days` has passed.
   */
  archive_processed: z.boolean().default(false),
  cleanup_source: z.boolean().default(true),
  /** Where libguestfs keeps its appliance (about 400 MB), shared by all jobs. */
  appliance_cache_dir: Folder.default('/var/tmp'),
});
export type ConverterConfig = z.infer<typeof ConverterConfig>;

export const toSettings = (config: ConverterConfig, targets: TargetsConfig = {}): ConverterSettings => ({
  workDir: config.work_dir,
  outputDir: config.output_dir,
  allowedOutputRoots: [
    ...config.allowed_output_roots,
    ...Object.values(targets).flatMap(({ output_dir }) => output_dir ?? []),
  ],
  proofMemoryBytes: config.proof_memory_bytes,
  libvirtUri: config.libvirt_uri,
  network: config.network,
  targets,
  virtioWin: config.virtio_win,
  keepArtifact: config.archive_processed || !config.cleanup_source,
  applianceCacheDir: config.appliance_cache_dir,
});
