/** Guests as VMs of a simulated vCenter. */
import type { VcsimVm } from '../vcsim.js';
import type { Guest } from './guest.js';
import { PCI_SLOT, PCI_SLOTS } from './recipe.js';
import { HOSTNAME } from './recipes/production-db.js';

/** In VMware's range for addresses given by hand. */
export const MAC = '00:50:56:2a:10:01';

/** What `hyperctl convert --vm production-db` is asked to move. */
export function productionDb(guest: Guest): VcsimVm {
  return {
    name: HOSTNAME,
    uuid: '4210aa11-5f6e-4c1a-9d7b-0d2f6b8c1e01',
    instance_uuid: '5010aa11-5f6e-4c1a-9d7b-0d2f6b8c1e01',
    cpus: 2,
    memory_mb: 1024,
    firmware: 'bios',
    guest_id: 'debian12_64Guest',
    power_state: 'poweredOff',
    annotation: 'Orders database, Debian 12',
    controller: 'pvscsi',
    nics: [{ mac: MAC, pci_slot: PCI_SLOT, network: 'VM Network', type: 'vmxnet3' }],
    disks: [{ capacity_bytes: guest.capacityBytes, vmdk: guest.vmdkPath, flat: guest.rawPath }],
  };
}

/** Of the NICs of all guests but the demo's, by the name they have on VMware. */
export const MACS = { ens192: '00:50:56:2a:20:c0', ens224: '00:50:56:2a:20:e0' } as const;

/** A guest of two NICs with static addresses. The order of its NICs is not the one of their names, as after years of changes. */
export const staticVm = (guest: Guest, change: Partial<VcsimVm> = {}): VcsimVm => ({
  name: guest.name,
  cpus: 2,
  memory_mb: 1024,
  guest_id: 'debian12_64Guest',
  power_state: 'poweredOff',
  controller: 'pvscsi',
  nics: (['ens224', 'ens192'] as const).map((name) => ({
    mac: MACS[name],
    pci_slot: PCI_SLOTS[name],
    network: 'VM Network',
    type: 'vmxnet3',
  })),
  disks: guest.disks.map(({ capacityBytes, vmdkPath, rawPath }) => ({
    capacity_bytes: capacityBytes,
    vmdk: vmdkPath,
    flat: rawPath,
  })),
  ...change,
});
