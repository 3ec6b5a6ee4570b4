import type { InventoryFilter, InventoryVm } from '@hyper2kvm/contracts';
import { toJobError } from './faults.js';
import { findDatacenter } from './inventory.js';
import { matcher } from './inventory-filter.js';
import { readTree } from './tree.js';
import { fetchTags, hasTags } from './tags.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';

/**
 * The VMs of a vCenter, or of the session's datacenter, by inventory path. Tags are read where they are asked for.
 * @throws JobError VM_NOT_FOUND when the datacenter is not there; VCENTER_…
 */
export async function listVms(
  session: VimSession,
  filter: InventoryFilter,
  options: CallOptions = {},
): Promise<InventoryVm[]> {
  try {
    const { datacenter } = session.endpoint;
    const container =
      datacenter === undefined ? session.service.rootFolder : await findDatacenter(session, datacenter, options);
    const matches = matcher(filter);
    const vms = (await readTree(session, container, options)).filter(matches);
    const sorted = vms.toSorted((a, b) => (a.inventory_path < b.inventory_path ? -1 : 1));
    if (filter.tags === undefined || filter.tags.length === 0) return sorted;
    const wanted = filter.tags;
    const tags = await fetchTags(
      session,
      sorted.map(({ moref }) => moref),
      options,
    );
    return sorted.map((vm) => ({ ...vm, tags: tags.get(vm.moref) ?? [] })).filter((vm) => hasTags(vm.tags, wanted));
  } catch (error) {
    throw toJobError(error, session.server, 'listing VMs');
  }
}
