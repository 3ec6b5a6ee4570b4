import {
  ArtifactDisk,
  Bytes,
  Concern,
  conversionCompleted,
  JobId,
  Machine,
  PlannedChange,
  Sha256,
  Timestamp,
  Token,
} from '@hyper2kvm/contracts';
import { z } from 'zod';
import { DomainPlan } from '../targets/libvirt/index.js';

const ManifestDisk = z.object({
  index: z.number().int(),
  file: z.string(),
  format: z.enum(['qcow2', 'raw']),
  capacity_bytes: Bytes,
  compress: z.literal('zstd').optional(),
  /** What the exported image took of its file system. */
  exported_bytes_on_disk: Bytes.optional(),
  source_name: z.string(),
  /** How it came. */
  transport: ArtifactDisk.shape.transport,
  /** Of the exported content, before the conversion: SHA-256 of each 64 MiB, null for a hole. */
  exported_segments: z.array(Sha256.nullable()),
  stream_sha256: Sha256.optional(),
  /** Digests of the source that agreed with what was read. */
  source_checksums: ArtifactDisk.shape.source_checksums,
});

const Proof = z.object({
  booted: z.boolean(),
  seconds: z.number(),
  hostname: z.string(),
  kernel: z.string(),
  state: z.string(),
  addresses: z.array(z.string()),
  failed_units: z.array(z.string()),
  screenshot: z.boolean(),
});

/** Manifests of before concerns had codes hold their sentences alone. */
const ofBefore = (message: string): Concern => ({ code: 'UNKNOWN', severity: 'warning', message, advice: '' });

/** All of the manifest that is known before the output has its place. */
export const ManifestCore = z.object({
  version: z.literal(1),
  job_id: JobId,
  vm_name: z.string(),
  requested_at: Timestamp,
  converted_at: Timestamp,
  duration_seconds: z.number(),
  /** Milliseconds of each step. */
  steps_ms: z.record(z.string(), z.number()),
  source: Machine,
  guest: z.object({
    product: z.string(),
    distro: z.string(),
    arch: z.string(),
    kernels: z.array(z.string()),
    systemd: z.number().optional(),
    file_systems: z.array(
      z.object({ device: z.string(), type: z.string(), uuid: z.string().optional(), label: z.string().optional() }),
    ),
    mountpoints: z.array(z.object({ path: z.string(), device: z.string() })),
  }),
  /** The libvirt host of the configuration that it was made for; none for the converter's own. */
  target: Token.optional(),
  /** What domain.xml was made from. */
  domain: DomainPlan,
  disks: z.array(ManifestDisk),
  changes: z.array(PlannedChange),
  modifications: conversionCompleted.schema.shape.modifications,
  concerns: z.array(Concern.or(z.string().transform(ofBefore))),
  proof: Proof.optional(),
  /** Versions of what did it: `qemu`, `libguestfs`, `hyper2kvm`. */
  tools: z.record(z.string(), z.string()),
});
export type ManifestCore = z.infer<typeof ManifestCore>;

/** `manifest.json` in the output folder: its presence there with the job's id says that the job is done. */
export const Manifest = ManifestCore.extend({
  output_dir: z.string().startsWith('/'),
  disks: z.array(
    ManifestDisk.extend({
      /** Of the finished image, as `exported_segments`. Missing in manifests of before there were such hashes. */
      segments: z.array(Sha256.nullable()).optional(),
      /** What the finished image takes of its file system. */
      bytes_on_disk: Bytes.optional(),
    }),
  ),
});
export type Manifest = z.infer<typeof Manifest>;
