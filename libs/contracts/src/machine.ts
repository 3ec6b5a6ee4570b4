import { z } from 'zod';
import { Bytes, Mac } from './words.js';

/** How the source's firmware starts the guest (vSphere's `config.firmware`: `bios` or `efi`). */
export const Firmware = z.enum(['bios', 'efi']);

/** A network card of the source. `pci_slot` is vSphere's `ethernetN.pciSlotNumber`: 192 is what the guest calls ens192. */
export const Nic = z.object({
  label: z.string(),
  /** vmxnet3, e1000, e1000e, … */
  type: z.string(),
  mac: Mac.optional(),
  network: z.string().optional(),
  pci_slot: z.number().int().nonnegative().optional(),
});
export type Nic = z.infer<typeof Nic>;

/** A virtual disk of the source, in controller order (the order in which the guest sees them). */
export const Disk = z.object({
  /** 1-based, also the number in `disk1.qcow2`. */
  index: z.number().int().positive(),
  /** vSphere's device key (2000 and up for SCSI); stable while the VM exists. */
  key: z.number().int().optional(),
  /** File name in the datastore, for example `production-db_1.vmdk`. */
  name: z.string(),
  capacity_bytes: Bytes,
  /** Bytes that it takes up on its datastore, where that is known. */
  used_bytes: Bytes.optional(),
  controller: z.string().optional(),
});
export type Disk = z.infer<typeof Disk>;

/** What the source says of a VM: all that the libvirt domain is made from. */
export const Machine = z.object({
  name: z.string(),
  /** vSphere's managed object id (`vm-123`); absent for local files. */
  moref: z.string().optional(),
  /** vCenter's instance UUID: the identity by which one active job per VM is enforced. */
  instance_uuid: z.string().optional(),
  bios_uuid: z.string().optional(),
  cpus: z.number().int().positive(),
  cores_per_socket: z.number().int().positive().optional(),
  memory_bytes: Bytes,
  firmware: Firmware,
  secure_boot: z.boolean().default(false),
  /** A virtual TPM 2.0: the converted VM gets a blank one. */
  tpm: z.boolean().optional(),
  guest_id: z.string().optional(),
  guest_name: z.string().optional(),
  power_state: z.enum(['poweredOn', 'poweredOff', 'suspended']).optional(),
  inventory_path: z.string().optional(),
  datacenter: z.string().optional(),
  host: z.string().optional(),
  disks: z.array(Disk),
  nics: z.array(Nic),
});
export type Machine = z.infer<typeof Machine>;
