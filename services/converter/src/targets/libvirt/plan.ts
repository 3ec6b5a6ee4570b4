import type { Machine } from '@hyper2kvm/contracts';
import { z } from 'zod';
import { safeName } from '../../names.js';
import { planNics, PlannedNic, Plug, type NetworkMaps } from './networks.js';
import { osinfoId, type OsFacts } from './osinfo.js';

/** The libvirt domain as data: domain.xml and the QEMU of the boot proof are both made from it. */
export const DomainPlan = z.object({
  name: z.string(),
  uuid: z.string(),
  memory_bytes: z.number().int().positive(),
  vcpus: z.number().int().positive(),
  topology: z.object({ sockets: z.number().int(), cores: z.number().int() }),
  machine: z.enum(['q35', 'pc']),
  firmware: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('bios') }),
    z.object({
      kind: z.literal('efi'),
      code: z.string(),
      vars_template: z.string(),
      secure_boot: z.boolean(),
      /** Of both files; the NVRAM is a copy of the template. */
      format: z.enum(['raw', 'qcow2']).default('raw'),
    }),
  ]),
  accelerator: z.enum(['kvm', 'qemu']),
  /** In disk order; the first is booted. */
  disks: z.array(z.object({ index: z.number().int(), file: z.string(), format: z.enum(['qcow2', 'raw']) })).min(1),
  disk_bus: z.enum(['virtio', 'scsi', 'sata']),
  /** In the source's PCI order. */
  nics: z.array(PlannedNic),
  nic_model: z.enum(['virtio', 'e1000e']).default('virtio'),
  /** A TPM 2.0, blank at first: what the source's held is sealed there. */
  tpm: z.boolean().default(false),
  /** What NICs are plugged into that no map names. */
  network: Plug,
  /** Windows: its clock runs in local time, and it knows Hyper-V's devices. */
  windows: z.boolean().default(false),
  /** libosinfo's id of the guest's system. */
  osinfo: z.string().optional(),
});
export type DomainPlan = z.infer<typeof DomainPlan>;

export interface DomainInput {
  /** Complete (`completeMachine`). */
  readonly machine: Machine;
  readonly uuid: string;
  /** Addresses that the source did not have. */
  readonly generatedMacs?: readonly string[];
  readonly guest?: OsFacts;
  /** Newest kernel of the guest, where known. */
  readonly kernel: string | undefined;
  /** What the guest has drivers for, where that is not virtio. */
  readonly devices?: { readonly disk_bus?: 'scsi' | 'sata'; readonly nic_model?: 'e1000e' } | undefined;
  readonly accelerator: 'kvm' | 'qemu';
  readonly firmware: DomainPlan['firmware'];
  /** For NICs that no map names. */
  readonly network: Plug;
  readonly networkMaps?: NetworkMaps;
  /** File names relative to the output folder, in disk order. */
  readonly disks: DomainPlan['disks'];
}

/** Every virtio-blk disk takes a PCI port; from here on one SCSI controller holds them all. */
const MOST_BLK_DISKS = 8;

/** Of Windows, virt-v2v 2.2 has viostor alone start at boot: its vioscsi is only copied. */
const diskBus = (disks: number, guest: string | undefined): 'virtio' | 'scsi' =>
  disks > MOST_BLK_DISKS && guest !== 'windows' ? 'scsi' : 'virtio';

export function planDomain(input: DomainInput): DomainPlan {
  const { machine, guest, devices } = input;
  const cores = divides(machine.cores_per_socket, machine.cpus) ? machine.cores_per_socket : machine.cpus;
  const osinfo = guest === undefined ? undefined : osinfoId(guest);
  return {
    // libvirt takes no '/' and no control characters in a name either.
    name: safeName(machine.name),
    uuid: input.uuid,
    memory_bytes: machine.memory_bytes,
    vcpus: machine.cpus,
    topology: { sockets: machine.cpus / cores, cores },
    machine: chipset(machine, input.kernel, guest),
    firmware: input.firmware,
    accelerator: input.accelerator,
    disks: input.disks,
    disk_bus: devices?.disk_bus ?? diskBus(input.disks.length, guest?.type),
    nics: planNics(machine.nics, input.generatedMacs ?? [], input.networkMaps ?? {}, input.network),
    nic_model: devices?.nic_model ?? 'virtio',
    tpm: machine.tpm ?? false,
    network: input.network,
    windows: guest?.type === 'windows',
    ...(osinfo === undefined ? {} : { osinfo }),
  };
}

const divides = (part: number | undefined, whole: number): part is number => part !== undefined && whole % part === 0;

/**
 * q35, QEMU's current chipset, wherever the guest can use it: on its PCI Express ports virtio devices speak virtio 1.0
 * only, which kernels before 4.0 and Windows before 8 (6.2) do not; those get i440fx (`pc`). UEFI is only maintained on q35.
 */
function chipset(machine: Machine, kernel: string | undefined, guest: OsFacts | undefined): 'q35' | 'pc' {
  if (machine.firmware === 'efi') return 'q35';
  if (guest?.type === 'windows') {
    const { major, minor } = guest.version;
    return major > 0 && (major < 6 || (major === 6 && minor < 2)) ? 'pc' : 'q35';
  }
  const major = Number(/^(\d+)\./.exec(kernel ?? '')?.[1] ?? Number.POSITIVE_INFINITY);
  return major >= 4 ? 'q35' : 'pc';
}
