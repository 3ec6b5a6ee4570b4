import { z } from 'zod';
import { ConversionOptions } from '../options.js';
import { Bytes, JobId, Timestamp } from '../words.js';
import { Failure } from '../errors.js';
import { CommandFence, WorkerFact } from './export.js';
import { defineCommand, defineEvent, type EventData } from './define.js';

/** The seed's `modifications`. */
export const Modifications = z.object({
  virtio_drivers: z.boolean(),
  bootloader_updated: z.boolean(),
  network_fixed: z.boolean(),
});

/** What the boot proof saw. Paths are absolute, in the output folder. */
export const ProofResult = z.object({
  booted: z.boolean(),
  /** Seconds from power-on to the guest's own signal. */
  seconds: z.number().nonnegative(),
  hostname: z.string().optional(),
  kernel: z.string().optional(),
  /** As the guest sees them: `ens192 10.0.2.15/24`. */
  addresses: z.array(z.string()),
  failed_units: z.array(z.string()),
  serial_log: z.string(),
  screenshot: z.string().optional(),
});
export type ProofResult = z.infer<typeof ProofResult>;

export const conversionStarted = defineEvent({
  name: 'conversion.started',
  version: 1,
  schema: WorkerFact.extend({ started_at: Timestamp }),
});
export type ConversionStarted = EventData<typeof conversionStarted>;

/** An image as it was promoted. */
export const OutputDisk = z.object({
  file: z.string().startsWith('/'),
  format: z.enum(['qcow2', 'raw']),
  capacity_bytes: Bytes,
});

export const conversionCompleted = defineEvent({
  name: 'conversion.completed',
  version: 1,
  schema: WorkerFact.extend({
    vm_name: z.string(),
    output_dir: z.string().startsWith('/'),
    /** Absolute paths of the images, in disk order (the seed's `files`). */
    files: z.array(z.string().startsWith('/')).min(1),
    disks: z.array(OutputDisk),
    domain_xml: z.string().startsWith('/'),
    manifest: z.string().startsWith('/'),
    duration_seconds: z.number().nonnegative(),
    modifications: Modifications,
    guest: z.object({ product: z.string(), distro: z.string(), arch: z.string() }).partial(),
    /** What a person should look at; never empty words. */
    concerns: z.array(z.string()),
    proof: ProofResult.optional(),
    /** The libvirt domain defined, where that was asked for. */
    libvirt_domain: z.string().optional(),
    /** Whether that domain was started. */
    started: z.boolean().optional(),
    /** The exported images still lie in the artifact's folder, beside the result that was made from them. */
    artifact_kept: z.boolean().optional(),
  }),
});
export type ConversionCompleted = EventData<typeof conversionCompleted>;

export const conversionFailed = defineEvent({
  name: 'conversion.failed',
  version: 1,
  schema: WorkerFact.extend({ failure: Failure, error_file: z.string().optional() }),
});
export type ConversionFailed = EventData<typeof conversionFailed>;

export const conversionRequested = defineCommand({
  name: 'conversion.requested',
  version: 1,
  completed: conversionCompleted,
  failed: conversionFailed,
  schema: CommandFence.extend({
    vm_name: z.string().min(1),
    artifact_dir: z.string().startsWith('/'),
    options: ConversionOptions,
    /** When the job was asked for: its date names the output folder, also when the conversion is repeated later. */
    requested_at: Timestamp,
  }),
});
export type ConversionRequested = EventData<typeof conversionRequested>;

/** The steps that a conversion may have, in order: a guest has those of its engine. */
export const CONVERSION_STEPS = [
  'inspect',
  'fstab',
  'network',
  'vmware-tools',
  'initramfs',
  'bootloader',
  'selinux',
  'virt-v2v',
  'trim',
  'check',
  'domain',
  'proof',
  'commit',
  'define',
] as const;
export const ConversionStep = z.enum(CONVERSION_STEPS);
export type ConversionStep = z.infer<typeof ConversionStep>;

/** The folder that belongs to one job below a work folder. */
export const jobFolder = (workDir: string, jobId: z.infer<typeof JobId>): string =>
  `${workDir.replace(/\/+$/, '')}/${jobId}`;
