import { JobError } from '@hyper2kvm/contracts';
import { isGone } from './faults.js';
import { didYouMean, nearNames } from './near-names.js';
import { placeOf, plainName } from './places.js';
import { listObjects, readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { ref, text, type Ref } from './values.js';

/** Near names that are told. */
const NEAR = 3;

/**
 * Finds a VM by inventory path (`/DC0/vm/production-db`), managed object id (`vm-123`) or name, within the session's
 * datacenter where one is set. @throws JobError VM_NOT_FOUND with near names, VM_AMBIGUOUS with the paths of all
 */
export async function findVm(session: VimSession, vmName: string, options: CallOptions = {}): Promise<Ref> {
  const { datacenter } = session.endpoint;
  if (vmName.includes('/')) {
    const byPath = await findByPath(session, vmName, options);
    if (byPath !== undefined) return byPath;
  } else if (/^vm-\d+$/.test(vmName)) {
    const byId: Ref = { type: 'VirtualMachine', id: vmName };
    if (await exists(session, byId, options)) return byId;
  }
  const container =
    datacenter === undefined ? session.service.rootFolder : await findDatacenter(session, datacenter, options);
  const listed = await listObjects(session, container, 'VirtualMachine', ['name'], options);
  const all = listed.map(({ ref: vm, properties }): Named => ({ vm, name: plainName(text(properties.name)) }));
  const same = vmName.includes('/') ? [] : all.filter(({ name }) => name === vmName);
  const [first] = same;
  if (first === undefined) throw await notFound(session, vmName, all, options);
  if (same.length > 1) {
    const places = await Promise.all(same.map(({ vm }) => placeOf(session, vm, options)));
    const names = places.map(({ path }, index) => `${path} (${same[index]?.vm.id ?? ''})`).toSorted();
    throw new JobError('VM_AMBIGUOUS', `${same.length} VMs are named "${vmName}": ${names.join(', ')}`);
  }
  return first.vm;
}

interface Named {
  readonly vm: Ref;
  readonly name: string;
}

/** Names those that were probably meant: by their paths where a path was asked for, or where several have the name. */
async function notFound(
  session: VimSession,
  vmName: string,
  all: readonly Named[],
  options: CallOptions,
): Promise<JobError> {
  const { server, endpoint } = session;
  const asked = vmName.split('/').findLast((part) => part !== '') ?? vmName;
  const names = nearNames(
    asked,
    all.map(({ name }) => name),
    NEAR,
  );
  const near = names.flatMap((name) => all.filter((one) => one.name === name));
  const byName = !vmName.includes('/') && near.length === names.length;
  const shown = byName
    ? names
    : await Promise.all(near.slice(0, NEAR).map(async ({ vm }) => (await placeOf(session, vm, options)).path));
  const where = endpoint.datacenter === undefined ? '' : ` in datacenter ${endpoint.datacenter}`;
  return new JobError('VM_NOT_FOUND', `VM "${vmName}" was not found on vCenter ${server}${where}${didYouMean(shown)}`);
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
