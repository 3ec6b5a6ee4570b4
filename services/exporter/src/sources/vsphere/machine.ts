import { Mac, type Disk, type Machine, type Nic } from '@hyper2kvm/contracts';
import type { InventoryPlace } from './inventory.js';
import type { Properties } from './properties.js';
import { arrayOf, child, flag, list, number, ref, text, typeName, type Ref } from './values.js';

/** What `toMachine` reads of a VirtualMachine. */
export const MACHINE_PROPERTIES = [
  'name',
  'config.hardware',
  'config.firmware',
  'config.bootOptions',
  'config.instanceUuid',
  'config.uuid',
  'config.guestId',
  'config.guestFullName',
  'config.template',
  'config.extraConfig',
  'runtime.powerState',
  'runtime.host',
  'runtime.connectionState',
  'guest.toolsRunningStatus',
  'summary.storage.committed',
] as const;

/** A virtual disk with what decides whether and how it can be exported. */
export interface SourceDisk extends Disk {
  readonly key: number;
  /** Class, bus and unit as lease keys have them: `ParaVirtualSCSIController0:1`. */
  readonly address: string;
  /** Why it cannot be in a snapshot's export, or undefined. */
  readonly obstacle: string | undefined;
}

/** The VM's disks by controller and unit: IDE, SCSI, SATA, NVMe, as vCenter numbers their controllers. */
export function readDisks(properties: Properties): SourceDisk[] {
  const devices = arrayOf(child(properties['config.hardware'], 'device'), 'VirtualDevice');
  const all = devices.length > 0 ? devices : list(child(properties['config.hardware'], 'device'));
  const controllers = new Map(all.map((device) => [number(device, 'key'), device]));
  return all
    .filter((device) => typeName(device) === 'VirtualDisk' || child(device, 'capacityInKB') !== undefined)
    .map((device) => ({
      device,
      controllerKey: number(device, 'controllerKey') ?? 0,
      unit: number(device, 'unitNumber') ?? 0,
    }))
    .toSorted((a, b) => a.controllerKey - b.controllerKey || a.unit - b.unit)
    .map(({ device, controllerKey, unit }, position) => {
      const controller = controllers.get(controllerKey);
      const kind = typeName(controller) ?? 'VirtualController';
      return {
        index: position + 1,
        key: number(device, 'key') ?? 0,
        name: fileName(baseFile(child(device, 'backing'))) ?? `disk${position + 1}.vmdk`,
        capacity_bytes: number(device, 'capacityInBytes') ?? (number(device, 'capacityInKB') ?? 0) * 1024,
        controller: `${kind}${number(controller, 'busNumber') ?? 0}`,
        address: `${kind}${number(controller, 'busNumber') ?? 0}:${unit}`,
        obstacle: obstacle(child(device, 'backing')),
      };
    });
}

/** A property only where there is a value. */
const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined || value === '' ? {} : ({ [key]: value } as { [P in K]: V });

export function toMachine(vm: Ref, properties: Properties, place: InventoryPlace, host: string | undefined): Machine {
  const hardware = properties['config.hardware'];
  const powerState = text(properties['runtime.powerState']);
  return {
    name: text(properties.name) ?? vm.id,
    moref: vm.id,
    ...optional('instance_uuid', text(properties['config.instanceUuid'])),
    ...optional('bios_uuid', text(properties['config.uuid'])),
    cpus: number(hardware, 'numCPU') ?? 1,
    ...optional('cores_per_socket', positive(number(hardware, 'numCoresPerSocket'))),
    memory_bytes: (number(hardware, 'memoryMB') ?? 0) * 2 ** 20,
    firmware: text(properties['config.firmware']) === 'efi' ? 'efi' : 'bios',
    secure_boot: flag(properties['config.bootOptions'], 'efiSecureBootEnabled'),
    ...optional('guest_id', text(properties['config.guestId'])),
    ...optional('guest_name', text(properties['config.guestFullName'])),
    ...(powerState === 'poweredOn' || powerState === 'poweredOff' || powerState === 'suspended'
      ? { power_state: powerState }
      : {}),
    inventory_path: place.path,
    ...optional('datacenter', place.datacenter),
    ...optional('host', host),
    disks: readDisks(properties).map(({ index, key, name, capacity_bytes, controller }) => ({
      index,
      key,
      name,
      capacity_bytes,
      ...optional('controller', controller),
    })),
    nics: readNics(properties),
  };
}

function readNics(properties: Properties): Nic[] {
  const slots = new Map<string, number>();
  const extra = arrayOf(properties['config.extraConfig'], 'OptionValue');
  for (const option of extra) {
    const name = /^(ethernet\d+)\.pciSlotNumber$/.exec(text(option, 'key') ?? '')?.[1];
    const slot = number(option, 'value');
    if (name !== undefined && slot !== undefined && slot >= 0) slots.set(name, slot);
  }
  const hardware = child(properties['config.hardware'], 'device');
  const wrapped = arrayOf(hardware, 'VirtualDevice');
  return (wrapped.length > 0 ? wrapped : list(hardware))
    .filter((device) => text(device, 'macAddress') !== undefined)
    .toSorted((a, b) => (number(a, 'key') ?? 0) - (number(b, 'key') ?? 0))
    .map((device, position) => {
      const mac = Mac.safeParse(text(device, 'macAddress'));
      const slot = slots.get(ethernetName(number(device, 'key'), position)) ?? number(device, 'slotInfo.pciSlotNumber');
      const network = text(device, 'backing.deviceName') ?? text(device, 'deviceInfo.summary');
      return {
        label: text(device, 'deviceInfo.label') ?? `Network adapter ${position + 1}`,
        type: (typeName(device) ?? 'VirtualEthernetCard').replace(/^Virtual/, '').toLowerCase(),
        ...(mac.success ? { mac: mac.data } : {}),
        ...(network === undefined || network === '' ? {} : { network }),
        ...(slot === undefined ? {} : { pci_slot: slot }),
      };
    });
}

/** Keys of network cards begin at 4000, in the order of ethernet0, ethernet1, …; elsewhere the order has to do. */
const ethernetName = (key: number | undefined, position: number): string =>
  `ethernet${key !== undefined && key >= 4000 && key < 4100 ? key - 4000 : position}`;

/** The disk a chain of snapshots stands on: its name stays, those of the deltas do not. */
function baseFile(backing: unknown): string | undefined {
  let at = backing;
  for (;;) {
    const parent = child(at, 'parent');
    if (parent === undefined) return text(at, 'fileName');
    at = parent;
  }
}

/** `[datastore1] production-db/production-db_1.vmdk` → `production-db_1.vmdk` */
const fileName = (file: string | undefined): string | undefined =>
  file
    ?.replace(/^\[.*?\]\s*/, '')
    .split('/')
    .pop();

function obstacle(backing: unknown): string | undefined {
  const mode = text(backing, 'diskMode') ?? '';
  if (mode.startsWith('independent')) return `is independent (${mode}), so no snapshot contains it`;
  if (typeName(backing)?.includes('RawDiskMapping') === true && text(backing, 'compatibilityMode') === 'physicalMode')
    return 'is a raw device mapping in physical mode, so no snapshot contains it';
  if (text(backing, 'sharing') === 'sharingMultiWriter') return 'is shared between VMs (multi-writer)';
  if (ref(backing, 'keyId') !== undefined || child(backing, 'keyId') !== undefined) return 'is encrypted';
  return undefined;
}

const positive = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 ? value : undefined;
