import { z } from 'zod';
import { Firmware } from './machine.js';
import { Bytes, BytesPerSecond, Checksum, Lane, WorkerPath } from './words.js';

/** A secret sealed with AES-256-GCM: `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url. Only the services hold the key. */
export const Sealed = z.string().regex(/^v1\.[\w-]+\.[\w-]+\.[\w-]+$/, 'a sealed secret');

/** How vCenter's certificate is trusted: by CA (default: the system's), by pinned SHA-256 fingerprint, or not at all. */
export const TlsTrust = z
  .object({
    ca_pem: z.string().optional(),
    /** SHA-256 fingerprint, hexadecimal with or without colons. */
    thumbprint: z.string().optional(),
    insecure: z.boolean().default(false),
  })
  .default({ insecure: false });
export type TlsTrust = z.infer<typeof TlsTrust>;

/** Where the VM comes from, as it travels to a worker: the password is sealed. */
export const VsphereSource = z.object({
  kind: z.literal('vsphere'),
  /** Host name, with a port where it is not 443. */
  server: z.string().min(1),
  username: z.string().min(1),
  password_sealed: Sealed,
  datacenter: z.string().optional(),
  tls: TlsTrust,
});
export type VsphereSource = z.infer<typeof VsphereSource>;

/** Formats of local disks, as QEMU names them but for `vhd` (its `vpc`). */
export const ImageFormat = z.enum(['vmdk', 'vhd', 'vhdx', 'qcow2', 'raw']);
export type ImageFormat = z.infer<typeof ImageFormat>;

/** Disk images that lie on the worker, in the order of the machine's disks. */
export const DisksSource = z.object({
  kind: z.literal('disks'),
  disks: z
    .array(
      z.object({
        path: WorkerPath,
        /** Recognised by its content where it is left out; raw only by its name or by being said. */
        format: ImageFormat.optional(),
        /** Of the file as it lies there. A file that differs is refused. */
        checksum: Checksum.optional(),
      }),
    )
    .min(1)
    .max(64),
  /** What image files do not tell; the defaults are 2 CPUs, 2 GiB, and the firmware that the partition table suggests. */
  cpus: z.number().int().min(1).max(1024).optional(),
  memory_bytes: Bytes.optional(),
  firmware: Firmware.optional(),
});
export type DisksSource = z.infer<typeof DisksSource>;

/** An OVA archive, or an OVF descriptor with its files beside it, on the worker. */
export const OvaSource = z.object({ kind: z.literal('ova'), path: WorkerPath, checksum: Checksum.optional() });
export type OvaSource = z.infer<typeof OvaSource>;

export const Source = z.discriminatedUnion('kind', [VsphereSource, DisksSource, OvaSource]);
export type Source = z.infer<typeof Source>;

/** How disks come from vSphere: `nfc` (the export stream), `datastore` (ranges of the flat file), or whichever suits the disk. */
export const TransportChoice = z.enum(['auto', 'nfc', 'datastore']);
export type TransportChoice = z.infer<typeof TransportChoice>;

/** What happens to the source VM before its disks are read: nothing, the guest is asked to shut down, or it is switched off. */
export const SourcePower = z.enum(['keep', 'shutdown', 'off']);
export type SourcePower = z.infer<typeof SourcePower>;

/** What a user may ask of an export. */
export const ExportOptions = z.object({
  transport: TransportChoice.default('auto'),
  source_power: SourcePower.default('keep'),
  /** Of all disks of the job together. */
  bandwidth_bytes_per_second: BytesPerSecond.optional(),
});
export type ExportOptions = z.infer<typeof ExportOptions>;

/** Boot proof: the guest has to report from inside. */
export const ProofOptions = z.object({
  verify_boot: z.boolean().default(false),
  /** Seconds until silence fails the proof. */
  proof_timeout_seconds: z.number().int().min(10).max(7200).default(600),
});

/** What a user may ask of a conversion; names are the seed's. */
export const ConversionOptions = z.object({
  fix_fstab: z.boolean().default(true),
  fix_grub: z.boolean().default(true),
  fix_network: z.boolean().default(true),
  /** Define the domain in libvirt at the end. */
  to_libvirt: z.boolean().default(false),
  /** A folder below one of the converter's allowed roots; its default otherwise. */
  output_dir: z.string().startsWith('/').optional(),
  ...ProofOptions.shape,
});
export type ConversionOptions = z.infer<typeof ConversionOptions>;

/** Everything a user may ask of a job. */
export const JobOptions = z.object({
  auto_convert: z.boolean().default(true),
  priority: Lane.default('normal'),
  notify_email: z.email().optional(),
  tags: z.array(z.string().min(1).max(64)).max(32).default([]),
  ...ExportOptions.shape,
  ...ConversionOptions.shape,
});
export type JobOptions = z.infer<typeof JobOptions>;
