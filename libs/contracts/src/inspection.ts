import { z } from 'zod';
import { Concern } from './concerns.js';
import { Machine } from './machine.js';
import { Bytes, WorkerPath } from './words.js';

/** A disk image to look into, as it lies on the worker: a file, or a piece of one (a member of an OVA). */
export const InspectDisk = z.object({
  path: WorkerPath,
  /** As QEMU names them (`vpc` is VHD). */
  format: z.enum(['vmdk', 'vpc', 'vhdx', 'qcow2', 'raw']),
  /** Where the image begins in the file, and how many bytes it has there. */
  offset_bytes: Bytes.optional(),
  size_bytes: Bytes.optional(),
});
export type InspectDisk = z.infer<typeof InspectDisk>;

/** What an operating system in the disks is. */
export const GuestSummary = z.object({
  /** `linux`, `windows`, `none` (data only), or what else was found. */
  type: z.string(),
  product: z.string(),
  distro: z.string(),
  arch: z.string(),
  /** Device of its root, as `--root` takes it. */
  root: z.string(),
  file_systems: z.array(
    z.object({ device: z.string(), type: z.string(), uuid: z.string().optional(), label: z.string().optional() }),
  ),
  mountpoints: z.array(z.object({ path: z.string(), device: z.string() })),
  kernels: z.array(z.string()),
  /** `systemd`, `sysvinit`, `openrc`, `upstart` or `unknown`. */
  init: z.string(),
});
export type GuestSummary = z.infer<typeof GuestSummary>;

/** One thing that a conversion would do. */
export const PlannedChange = z.object({
  step: z.string(),
  /** Of the guest; empty where it is no file. */
  file: z.string(),
  summary: z.string(),
  /** Unified diff of a text file. */
  diff: z.string().optional(),
});
export type PlannedChange = z.infer<typeof PlannedChange>;

/** What a look into the disks gave. */
export const DiskInspection = z.object({
  guest: GuestSummary,
  engine: z.enum(['native', 'virt-v2v', 'none']),
  changes: z.array(PlannedChange),
  concerns: z.array(Concern),
  /** Seconds that the look took on this worker, of which a conversion takes at least as many. */
  seconds: z.number().nonnegative(),
});
export type DiskInspection = z.infer<typeof DiskInspection>;

/** Seconds and bytes that a job will need; null where nothing was measured yet. */
export const Estimate = z.object({
  export_seconds: z.number().nonnegative().nullable(),
  conversion_seconds: z.number().nonnegative().nullable(),
  /** Written to the worker's disks at most. */
  space_bytes: Bytes,
  /** Free there now, the smallest of the workers that answered. */
  free_bytes: Bytes.nullable(),
});

/** POST /api/v1/inspect answers it: what a VM is, what would be done with it, and what worries. Nothing is changed. */
export const Inspection = z.object({
  vm_name: z.string(),
  source_kind: z.enum(['vsphere', 'disks', 'ova']),
  machine: Machine,
  /** Null where the disks were not looked into; then `not_inspected` says why. */
  inspection: DiskInspection.nullable(),
  not_inspected: z.string().nullable(),
  /** Of the source, the target and the guest together, the worst first. */
  concerns: z.array(Concern),
  /** Why a conversion would be refused: null where it would not. */
  refusal: z.object({ code: z.string(), message: z.string(), advice: z.string() }).nullable(),
  estimate: Estimate,
});
export type Inspection = z.infer<typeof Inspection>;
