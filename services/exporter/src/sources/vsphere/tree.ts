import type { InventoryVm } from '@hyper2kvm/contracts';
import { parentOf, parentProperties, placeOf, plainName, toPlace } from './places.js';
import { listTypes, type FoundObject, type Properties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { flag, number, ref, text, type Ref } from './values.js';

const VM_PROPERTIES = [
  ...parentProperties('VirtualMachine'),
  'config.template',
  'runtime.powerState',
  'runtime.host',
  'summary.config.guestFullName',
  'summary.config.numCpu',
  'summary.config.memorySizeMB',
  'summary.config.numVirtualDisks',
  'summary.storage.committed',
];

type Ancestors = readonly { object: Ref; name: string }[];

/** What a list shows but for the capacity, which takes a look at all devices. */
export type ListedVm = Omit<InventoryVm, 'capacity_bytes'>;

/** All VMs beneath a folder or datacenter with their places: one view over them and all that they can lie in. */
export async function readTree(session: VimSession, container: Ref, options: CallOptions = {}): Promise<ListedVm[]> {
  const found = await listTypes(
    session,
    container,
    [
      { type: 'VirtualMachine', paths: VM_PROPERTIES },
      ...['Folder', 'Datacenter', 'VirtualApp'].map((type) => ({ type, paths: parentProperties(type) })),
      { type: 'HostSystem', paths: ['name'] },
    ],
    options,
  );
  const objects = new Map(found.map((object) => [object.ref.id, object]));
  const above = await aboveOf(session, container, options);
  const chains = new Map<string, Ancestors>([
    [session.service.rootFolder.id, []],
    [container.id, above],
  ]);
  return found
    .filter(({ ref: { type }, properties }) => type === 'VirtualMachine' && properties.name !== undefined)
    .map((vm) => toListedVm(vm, ancestorsOf(vm.ref, objects, chains), objects));
}

/** From beneath the root folder to the container itself, which its own view does not show. */
async function aboveOf(session: VimSession, container: Ref, options: CallOptions): Promise<Ancestors> {
  if (container.id === session.service.rootFolder.id) return [];
  const { path } = await placeOf(session, container, options);
  const names = path.split('/').slice(1);
  return names.map((name, index) => ({
    name,
    object: index === names.length - 1 ? container : { type: 'Folder', id: '' },
  }));
}

function ancestorsOf(
  object: Ref,
  objects: ReadonlyMap<string, FoundObject>,
  chains: Map<string, Ancestors>,
): Ancestors {
  const known = chains.get(object.id);
  if (known !== undefined) return known;
  // Noted before it is known: a loop would be a defect of the server, and ends here.
  chains.set(object.id, []);
  const properties = objects.get(object.id)?.properties ?? {};
  const parent = parentOf(properties);
  const chain = [
    ...(parent === undefined ? [] : ancestorsOf(parent, objects, chains)),
    { object, name: text(properties.name) ?? object.id },
  ];
  chains.set(object.id, chain);
  return chain;
}

function toListedVm(
  { ref: { id }, properties }: FoundObject,
  ancestors: Ancestors,
  objects: ReadonlyMap<string, FoundObject>,
): ListedVm {
  const { path, datacenter } = toPlace(ancestors);
  const used = number(properties['summary.storage.committed']);
  const host = objects.get(ref(properties['runtime.host'])?.id ?? '');
  const hostName = text(host?.properties.name);
  const guest = text(properties['summary.config.guestFullName']);
  return {
    moref: id,
    name: plainName(text(properties.name)),
    inventory_path: path,
    folder: path.slice(0, path.lastIndexOf('/')) || '/',
    ...(datacenter === undefined ? {} : { datacenter }),
    ...(hostName === undefined ? {} : { host: hostName }),
    ...powerStateOf(properties),
    ...(guest === undefined || guest === '' ? {} : { guest_name: guest }),
    cpus: number(properties['summary.config.numCpu']) ?? 0,
    memory_bytes: (number(properties['summary.config.memorySizeMB']) ?? 0) * 2 ** 20,
    disks: number(properties['summary.config.numVirtualDisks']) ?? 0,
    ...(used === undefined ? {} : { used_bytes: used }),
    template: flag(properties['config.template']),
  };
}

function powerStateOf(properties: Properties): Pick<InventoryVm, 'power_state'> {
  const state = text(properties['runtime.powerState']);
  return state === 'poweredOn' || state === 'poweredOff' || state === 'suspended' ? { power_state: state } : {};
}
