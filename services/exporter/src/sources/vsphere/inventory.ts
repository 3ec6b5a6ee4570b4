import { JobError } from '@hyper2kvm/contracts';
import { isGone } from './faults.js';
import { placeOf, plainName } from './places.js';
import { listObjects, readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { ref, text, type Ref } from './values.js';

/**
 * Finds a VM by inventory path (`/DC0/vm/production-db`), managed object id (`vm-123`) or name, within the session's
 * datacenter where one is set. @throws JobError VM_NOT_FOUND, VM_AMBIGUOUS with the paths of all
 */
export async function findVm(session: VimSession, vmName: string, options: CallOptions = {}): Promise<Ref> {
  const { datacenter } = session.endpoint;
  const where = datacenter === undefined ? '' : ` in datacenter ${datacenter}`;
  const notFound = (): JobError =>
    new JobError('VM_NOT_FOUND', `VM "${vmName}" was not found on vCenter ${session.server}${where}`);
  if (vmName.includes('/')) {
    const byPath = await findByPath(session, vmName, options);
    if (byPath === undefined) throw notFound();
    return byPath;
  }
  if (/^vm-\d+$/.test(vmName)) {
    const byId: Ref = { type: 'VirtualMachine', id: vmName };
    if (await exists(session, byId, options)) return byId;
  }
  const container =
    datacenter === undefined ? session.service.rootFolder : await findDatacenter(session, datacenter, options);
  const all = await listObjects(session, container, 'VirtualMachine', ['name'], options);
  const same = all.filter(({ properties }) => plainName(text(properties.name)) === vmName);
  const [first] = same;
  if (first === undefined) throw notFound();
  if (same.length > 1) {
    const places = await Promise.all(same.map((vm) => placeOf(session, vm.ref, options)));
    const names = places.map(({ path }, index) => `${path} (${same[index]?.ref.id ?? ''})`).toSorted();
    throw new JobError('VM_AMBIGUOUS', `${same.length} VMs are named "${vmName}": ${names.join(', ')}`);
  }
  return first.ref;
}

/** By the whole path, or with a datacenter by the part beneath its VM folder. A path into another datacenter finds nothing. */
async function findByPath(session: VimSession, path: string, options: CallOptions): Promise<Ref | undefined> {
  const { datacenter } = session.endpoint;
  const find = async (inventoryPath: string): Promise<Ref | undefined> => {
    const { searchIndex } = session.service;
    const found = ref(await session.call('FindByInventoryPath', searchIndex, { inventoryPath }, options));
    return found?.type === 'VirtualMachine' ? found : undefined;
  };
  const plain = path.replace(/^\/+|\/+$/g, '');
  const found = await find(plain);
  if (datacenter === undefined) return found;
  const within = await placeOf(session, await findDatacenter(session, datacenter, options), options);
  if (found === undefined) return find(`${within.path.slice(1)}/vm/${plain}`);
  return (await placeOf(session, found, options)).datacenterPath === within.path ? found : undefined;
}

async function exists(session: VimSession, object: Ref, options: CallOptions): Promise<boolean> {
  try {
    await readProperties(session, object, ['name'], options);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

export async function findDatacenter(session: VimSession, name: string, options: CallOptions): Promise<Ref> {
  const all = await listObjects(session, session.service.rootFolder, 'Datacenter', ['name'], options);
  const found = all.find(({ ref: { id }, properties }) => id === name || plainName(text(properties.name)) === name);
  if (found !== undefined) return found.ref;
  const names = all.map(({ properties }) => plainName(text(properties.name))).toSorted();
  throw new JobError(
    'VM_NOT_FOUND',
    `datacenter "${name}" was not found on vCenter ${session.server}; it has: ${names.join(', ') || 'none'}`,
  );
}
