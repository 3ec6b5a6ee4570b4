import { z } from 'zod';
import { Firmware } from './machine.js';
import { Bytes, BytesPerSecond, Checksum, Lane, Timestamp, Token, WorkerPath } from './words.js';

/** A secret sealed with AES-256-GCM: `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url. Only the services hold the key. */
export const Sealed = z.string().regex(/^v1\.[\w-]+\.[\w-]+\.[\w-]+$/, 'a sealed secret');

/** A key of a LUKS volume, as it travels within a sealed text. */
export const LuksKey = z.object({
  /** UUID of the volume, or its device (`/dev/sda2`); left out: tried on every one. */
  device: z.string().max(256).optional(),
  /** Passphrase or content of a key file, as base64 since it may hold any byte. */
  key_base64: z.base64().min(1).max(16_384),
});
export type LuksKey = z.infer<typeof LuksKey>;

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

/** Who converts: our own steps (`native`, every Linux) or virt-v2v (Windows); `auto` takes what suits the guest. */
export const EngineChoice = z.enum(['auto', 'native', 'virt-v2v']);
export type EngineChoice = z.infer<typeof EngineChoice>;

/**
 * Where a network of the source goes: `br0` or `bridge:br0` is a bridge of the libvirt host, `network:default` a network
 * of libvirt.
 */
export const NetworkTarget = z
  .string()
  .regex(
    /^(?:(?:bridge|network):)?[^\s:/'"<>&]{1,64}$/,
    'a bridge (br0, bridge:br0) or a libvirt network (network:default)',
  );

/** What a user may ask of a conversion; names are the seed's. */
export const ConversionOptions = z.object({
  fix_fstab: z.boolean().default(true),
  fix_grub: z.boolean().default(true),
  fix_network: z.boolean().default(true),
  engine: EngineChoice.optional(),
  /** Device of the operating system to convert where the VM holds several, as the refusal lists them: `/dev/sda2`. */
  root: z
    .string()
    .regex(/^\/dev\/[\w./@+-]{1,200}$/, 'a device such as /dev/sda2')
    .optional(),
  /** The VM holds data only: nothing in it is changed. */
  no_os: z.boolean().optional(),
  /** Sealed JSON of `LuksKey[]`. Only the gateway writes it. */
  luks_keys_sealed: Sealed.optional(),
  /** Leave VMware Tools and open-vm-tools where they are. */
  keep_vmware_tools: z.boolean().optional(),
  /** Have kernels write to the first serial port too (`console=ttyS0`); what is there already stays in any case. */
  serial_console: z.boolean().optional(),
  /** Networks of the source, and where their NICs are plugged in; the others go to the target's default. */
  network_map: z
    .array(z.object({ from: z.string().min(1).max(256), to: NetworkTarget }))
    .max(256)
    .optional(),
  /** Of the images; default: qcow2. */
  output_format: z.enum(['qcow2', 'raw']).optional(),
  /** Clusters of qcow2 images are compressed. */
  compress: z.literal('zstd').optional(),
  /** Define the domain in libvirt at the end. */
  to_libvirt: z.boolean().default(false),
  /** Start the domain that was defined. */
  start: z.boolean().optional(),
  /** A target of the configuration (`targets`); default: the converter's own libvirt. */
  target: Token.optional(),
  /** A folder below one of the converter's allowed roots; its default otherwise. */
  output_dir: z.string().startsWith('/').optional(),
  ...ProofOptions.shape,
});
export type ConversionOptions = z.infer<typeof ConversionOptions>;

/** What may be asked otherwise of a conversion that is tried again: what is left out stays as it was. */
export const ConversionChanges = ConversionOptions.omit({ luks_keys_sealed: true }).extend({
  fix_fstab: z.boolean().optional(),
  fix_grub: z.boolean().optional(),
  fix_network: z.boolean().optional(),
  to_libvirt: z.boolean().optional(),
  verify_boot: z.boolean().optional(),
  proof_timeout_seconds: ProofOptions.shape.proof_timeout_seconds.unwrap().optional(),
});
export type ConversionChanges = z.infer<typeof ConversionChanges>;

/** Of http or https, without a login in it: those belong into headers, and are logged nowhere. */
export const HttpUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .regex(/^[^@]*$/, 'a URL without a login');

/**
 * Something that is done before or after the migration of a VM, or of a wave of a batch: a command of the workers' allow-list
 * (`hooks.commands` in their configuration, by its name), or an HTTP call.
 */
export const Hook = z.union([
  z.object({
    command: Token,
    /** Appended to the command's own; given to it as they are, without a shell. */
    args: z.array(z.string().max(1024)).max(32).optional(),
    timeout_seconds: z.number().int().min(1).max(86_400).default(300),
    /** What a failure means: the VM (or the wave) is not moved, or it is noted and moved all the same. */
    on_failure: z.enum(['fail', 'continue']).default('fail'),
  }),
  z.object({
    /** Gets a signed POST with what the hook is about as JSON; an answer of 2xx is success. */
    url: HttpUrl,
    timeout_seconds: z.number().int().min(1).max(3600).default(30),
    on_failure: z.enum(['fail', 'continue']).default('fail'),
  }),
]);
export type Hook = z.infer<typeof Hook>;

/** Of each VM, or of a wave. What runs after tells of its end, whatever that was; its failure changes nothing of it. */
export const Hooks = z.object({ before: Hook.optional(), after: Hook.optional() });
export type Hooks = z.infer<typeof Hooks>;

/** `Sat 22:00-06:00 Europe/Berlin`; several are separated by `;`. The gateway reads it. */
export const MaintenanceWindow = z.string().min(3).max(512);

export const Tags = z.array(z.string().min(1).max(64)).max(32);

/** Everything a user may ask of a job. */
export const JobOptions = z.object({
  auto_convert: z.boolean().default(true),
  priority: Lane.default('normal'),
  notify_email: z.email().optional(),
  /** Hears of the end of the job by a signed POST. */
  callback_url: HttpUrl.optional(),
  /** Incoming webhook of Slack that is told of the end of the job. The address is a secret: it is never shown whole. */
  slack_webhook: HttpUrl.optional(),
  tags: Tags.default([]),
  /** The job does not start before. */
  not_before: Timestamp.optional(),
  /** The job starts only while one of these windows is open; one that runs is not broken off. */
  window: MaintenanceWindow.optional(),
  hooks: Hooks.optional(),
  ...ExportOptions.shape,
  ...ConversionOptions.shape,
});
export type JobOptions = z.infer<typeof JobOptions>;

/** The same fields without their defaults: what is left out stays as it is. */
export function withoutDefaults<Shape extends z.ZodRawShape>(
  shape: Shape,
): { [Key in keyof Shape]: z.ZodOptional<z.ZodType<z.infer<Shape[Key]>>> } {
  const entries = Object.entries(shape).map(([key, field]): [string, z.ZodType] => [
    key,
    (field instanceof z.ZodDefault ? (field.unwrap() as z.ZodType) : (field as z.ZodType)).optional(),
  ]);
  return Object.fromEntries(entries) as { [Key in keyof Shape]: z.ZodOptional<z.ZodType<z.infer<Shape[Key]>>> };
}
