import { createHash } from 'node:crypto';
import type { Machine } from '@hyper2kvm/contracts';
import { z } from 'zod';
import { safeName } from '../../names.js';

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
    z.object({ kind: z.literal('efi'), code: z.string(), vars_template: z.string(), secure_boot: z.boolean() }),
  ]),
  accelerator: z.enum(['kvm', 'qemu']),
  /** In disk order; the first is booted. */
  disks: z.array(z.object({ index: z.number().int(), file: z.string(), format: z.enum(['qcow2', 'raw']) })).min(1),
  disk_bus: z.enum(['virtio', 'scsi']),
  /** In the source's PCI order. */
  nics: z.array(
    z.object({
      mac: z.string(),
      /** The source had no address for it. */
      generated: z.boolean().optional(),
    }),
  ),
  /** A TPM 2.0, blank at first: what the source's held is sealed there. */
  tpm: z.boolean().default(false),
  network: z.object({ type: z.enum(['network', 'bridge']), name: z.string() }),
});
export type DomainPlan = z.infer<typeof DomainPlan>;

export interface DomainInput {
  /** Complete (`completeMachine`). */
  readonly machine: Machine;
  readonly uuid: string;
  /** Addresses that the source did not have. */
  readonly generatedMacs?: readonly string[];
  /** Newest kernel of the guest, where known. */
  readonly kernel: string | undefined;
  readonly accelerator: 'kvm' | 'qemu';
  readonly firmware: DomainPlan['firmware'];
  readonly network: DomainPlan['network'];
  /** File names relative to the output folder, in disk order. */
  readonly disks: DomainPlan['disks'];
}

/** Every virtio-blk disk takes a PCI port; from here on one SCSI controller holds them all. */
const MOST_BLK_DISKS = 8;

export function planDomain(input: DomainInput): DomainPlan {
  const { machine } = input;
  const cores = divides(machine.cores_per_socket, machine.cpus) ? machine.cores_per_socket : machine.cpus;
  return {
    // libvirt takes no '/' and no control characters in a name either.
    name: safeName(machine.name),
    uuid: input.uuid,
    memory_bytes: machine.memory_bytes,
    vcpus: machine.cpus,
    topology: { sockets: machine.cpus / cores, cores },
    machine: chipset(machine, input.kernel),
    firmware: input.firmware,
    accelerator: input.accelerator,
    disks: input.disks,
    disk_bus: input.disks.length > MOST_BLK_DISKS ? 'scsi' : 'virtio',
    nics: machine.nics.flatMap(({ mac }) =>
      mac === undefined ? [] : [{ mac, ...(input.generatedMacs?.includes(mac) === true ? { generated: true } : {}) }],
    ),
    tpm: machine.tpm ?? false,
    network: input.network,
  };
}

const divides = (part: number | undefined, whole: number): part is number => part !== undefined && whole % part === 0;

/**
 * q35, QEMU's current chipset, wherever the guest can use it: on its PCI Express ports virtio devices speak virtio 1.0
 * only, which kernels before 4.0 do not; those get i440fx (`pc`). UEFI is only maintained on q35.
 */
function chipset(machine: Machine, kernel: string | undefined): 'q35' | 'pc' {
  const major = Number(/^(\d+)\./.exec(kernel ?? '')?.[1] ?? Number.POSITIVE_INFINITY);
  return machine.firmware === 'efi' || major >= 4 ? 'q35' : 'pc';
}

/** The machine with a MAC for every NIC: one that has none in its source (a local file) gets a stable one of QEMU's range. */
export function completeMachine(machine: Machine, jobId: string): { machine: Machine; generatedMacs: string[] } {
  const generatedMacs: string[] = [];
  const nics = machine.nics.map((nic, index) => {
    if (nic.mac !== undefined) return nic;
    const mac = generatedMac(jobId, index);
    generatedMacs.push(mac);
    return { ...nic, mac };
  });
  return { machine: { ...machine, nics }, generatedMacs };
}

/** The same on every attempt of a job: the guest's configuration is pinned to it. */
function generatedMac(seed: string, index: number): string {
  const bytes = createHash('sha256').update(`${seed} nic ${index}`).digest('hex').match(/../g) ?? [];
  return ['52', '54', '00', ...bytes.slice(0, 3)].join(':');
}

/** The source's BIOS UUID, which the guest sees in its SMBIOS and licences may be bound to; else a stable one. */
export function domainUuid(machine: Machine, jobId: string): string {
  const given = machine.bios_uuid?.toLowerCase();
  if (given !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given) && /[1-9a-f]/.test(given))
    return given;
  const hex = createHash('sha256').update(`${jobId} domain`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
