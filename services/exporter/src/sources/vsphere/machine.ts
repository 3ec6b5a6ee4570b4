import { Mac, type Disk, type Machine, type Nic } from '@hyper2kvm/contracts';
import { baseFile, capacityOf, devicesOf, fileName, isDisk, obstacle } from './devices.js';
import { readLayout, usedBytes } from './layout.js';
import type { InventoryPlace } from './places.js';
import type { Properties } from './properties.js';
import { arrayOf, child, flag, number, text, typeName, type Ref } from './values.js';

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
  'config.changeVersion',
  'runtime.powerState',
  'runtime.host',
  'runtime.connectionState',
  'runtime.consolidationNeeded',
  'guest.toolsRunningStatus',
  'summary.storage.committed',
  'layoutEx',
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
  const all = devicesOf(properties);
  const layout = readLayout(properties.layoutEx);
  const controllers = new Map(all.map((device) => [number(device, 'key'), device]));
  return all
    .filter(isDisk)
    .map((device) => ({
      device,
      controllerKey: number(device, 'controllerKey') ?? 0,
      unit: number(device, 'unitNumber') ?? 0,
    }))
    .toSorted((a, b) => a.controllerKey - b.controllerKey || a.unit - b.unit)
    .map(({ device, controllerKey, unit }, position) => {
      const controller = controllers.get(controllerKey);
      const kind = typeName(controller) ?? 'VirtualController';
      const key = number(device, 'key') ?? 0;
      return {
        index: position + 1,
        key,
        name: fileName(baseFile(child(device, 'backing'))) ?? `disk${position + 1}.vmdk`,
        capacity_bytes: capacityOf(device),
        ...optional('used_bytes', usedBytes(layout, key)),
        controller: `${kind}${number(controller, 'busNumber') ?? 0}`,
        address: `${kind}${number(controller, 'busNumber') ?? 0}:${unit}`,
        obstacle: obstacle(child(device, 'backing'), controller),
      };
    });
}

function toDisk(disk: SourceDisk): Disk {
  const { index, key, name, capacity_bytes, used_bytes, controller } = disk;
  return {
    index,
    key,
    name,
    capacity_bytes,
    ...optional('used_bytes', used_bytes),
    ...optional('controller', controller),
  };
}

export const hasTpm = (properties: Properties): boolean =>
  devicesOf(properties).some((device) => typeName(device) === 'VirtualTPM');

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
    ...(hasTpm(properties) ? { tpm: true } : {}),
    ...optional('guest_id', text(properties['config.guestId'])),
    ...optional('guest_name', text(properties['config.guestFullName'])),
    ...(powerState === 'poweredOn' || powerState === 'poweredOff' || powerState === 'suspended'
      ? { power_state: powerState }
      : {}),
    inventory_path: place.path,
    ...optional('datacenter', place.datacenter),
    ...optional('host', host),
    disks: readDisks(properties).map(toDisk),
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
  return devicesOf(properties)
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

const positive = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 ? value : undefined;
