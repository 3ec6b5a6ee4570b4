import type { InventoryFilter, InventoryVm } from '@hyper2kvm/contracts';
import { toJobError } from './faults.js';
import { findDatacenter } from './inventory.js';
import { matcher } from './inventory-filter.js';
import { readTree, type ListedVm } from './tree.js';
import { readCapacities } from './capacities.js';
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
    const listed = (await readTree(session, container, options)).filter(matcher(filter));
    const vms = await withTags(session, listed, filter.tags ?? [], options);
    const capacities = await readCapacities(
      session,
      vms.map(({ moref }) => moref),
      options,
    );
    return vms
      .toSorted((a, b) => compare(a.inventory_path, b.inventory_path) || compare(a.moref, b.moref))
      .map((vm) => ({ ...vm, ...(capacities.get(vm.moref) ?? { capacity_bytes: 0 }) }));
  } catch (error) {
    throw toJobError(error, session.server, 'listing VMs');
  }
}

async function withTags(
  session: VimSession,
  vms: readonly ListedVm[],
  wanted: readonly string[],
  options: CallOptions,
): Promise<readonly ListedVm[]> {
  if (wanted.length === 0) return vms;
  const tags = await fetchTags(
    session,
    vms.map(({ moref }) => moref),
    options,
  );
  return vms.map((vm) => ({ ...vm, tags: tags.get(vm.moref) ?? [] })).filter((vm) => hasTags(vm.tags, wanted));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
