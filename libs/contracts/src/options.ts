import { z } from 'zod';
import { Lane } from './words.js';

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

export const Source = z.discriminatedUnion('kind', [VsphereSource]);
export type Source = z.infer<typeof Source>;

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
  ...ConversionOptions.shape,
});
export type JobOptions = z.infer<typeof JobOptions>;
