/** The guest as the VM of a simulated vCenter: what `hyperctl convert --vm production-db` is asked to move. */
import type { VcsimVm } from '../vcsim.js';
import type { Guest } from './guest.js';
import { PCI_SLOT } from './recipe.js';
import { HOSTNAME } from './recipes/production-db.js';

/** In VMware's range for addresses given by hand. */
export const MAC = '00:50:56:2a:10:01';

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
