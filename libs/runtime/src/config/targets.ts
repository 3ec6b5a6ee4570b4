import { NetworkTarget, Token } from '@hyper2kvm/contracts';
import { z } from 'zod';

/** A libvirt host that converted VMs may go to. */
export const TargetConfig = z.strictObject({
  /** As `virsh -c` takes it: `qemu:///system`, `qemu+ssh://root@kvm1/system`. */
  libvirt_uri: z.string().regex(/^[a-z][a-z+]*:\/\/\S*$/, 'a libvirt URI such as qemu+ssh://root@kvm1/system'),
  /** Pool of the converters that write where the host reads. Default: every converter does. */
  pool: Token.optional(),
  /** Where outputs go, by the same path on the converters and on the host. Default: `converter.output_dir`. */
  output_dir: z
    .string()
    .regex(/^\/.*[^/]$/, 'an absolute path without a "/" at its end')
    .optional(),
  /** What NICs are plugged into that no map names. Default: `converter.network`. */
  network: z.strictObject({ type: z.enum(['network', 'bridge']), name: z.string().min(1) }).optional(),
  /** Networks of the source, and where their NICs go on this host. */
  network_map: z.array(z.strictObject({ from: z.string().min(1), to: NetworkTarget })).optional(),
});
export type TargetConfig = z.infer<typeof TargetConfig>;

/** The section `targets`: by their names, as `--target` takes them. */
export const TargetsConfig = z.record(Token, TargetConfig).prefault({});
export type TargetsConfig = z.infer<typeof TargetsConfig>;
