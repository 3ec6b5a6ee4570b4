import type { Properties } from './properties.js';
import { arrayOf, child, list, number, text, typeName } from './values.js';

/** The devices in a `config.hardware`: bare elements, or wrapped in ArrayOfVirtualDevice. */
export function readDevices(hardware: unknown): readonly unknown[] {
  const device = child(hardware, 'device');
  const wrapped = arrayOf(device, 'VirtualDevice');
  return wrapped.length > 0 ? wrapped : list(device);
}

export const devicesOf = (properties: Properties): readonly unknown[] => readDevices(properties['config.hardware']);

export const isDisk = (device: unknown): boolean =>
  typeName(device) === 'VirtualDisk' || child(device, 'capacityInKB') !== undefined;

export const capacityOf = (disk: unknown): number =>
  number(disk, 'capacityInBytes') ?? (number(disk, 'capacityInKB') ?? 0) * 1024;

/** `[datastore1] production-db/production-db_1.vmdk` in its parts. */
export function splitFile(file: string | undefined): { datastore: string; path: string } | undefined {
  const [, datastore, path] = /^\[(.*?)\]\s*(.*)$/.exec(file ?? '') ?? [];
  return datastore === undefined || path === undefined ? undefined : { datastore, path };
}

/** `[datastore1] production-db/production-db_1.vmdk` → `production-db_1.vmdk` */
export const fileName = (file: string | undefined): string | undefined =>
  file
    ?.replace(/^\[.*?\]\s*/, '')
    .split('/')
    .pop();

/** The disk a chain of snapshots stands on: its name stays, those of the deltas do not. */
export function baseFile(backing: unknown): string | undefined {
  let at = backing;
  for (;;) {
    const parent = child(at, 'parent');
    if (parent === undefined) return text(at, 'fileName');
    at = parent;
  }
}

/** Why a disk cannot be exported, as the end of a sentence that begins with its name; undefined where it can be. */
export function obstacle(backing: unknown, controller?: unknown): string | undefined {
  const mode = text(backing, 'diskMode') ?? '';
  const type = typeName(backing) ?? '';
  if (mode.startsWith('independent'))
    return `is independent (${mode}), so no snapshot contains it; set its mode to dependent`;
  // In virtual mode a snapshot would contain it; but the LUN behind it is no file of the VM, and what it is meant for
  // is a decision of the user's.
  if (type.includes('RawDiskMapping') || text(backing, 'compatibilityMode') !== undefined)
    return text(backing, 'compatibilityMode') === 'virtualMode'
      ? 'is a raw device mapping in virtual mode; make it a virtual disk first (Storage vMotion to another format)'
      : 'is a raw device mapping in physical mode, so no snapshot contains it';
  const sharing = text(backing, 'sharing') ?? '';
  if (sharing !== '' && sharing !== 'sharingNone') return 'is shared between VMs (multi-writer)';
  const bus = text(controller, 'sharedBus') ?? '';
  if (bus !== '' && bus !== 'noSharing')
    return `is on a controller that VMs share (${bus}), so vCenter takes no snapshot of the VM`;
  if (child(backing, 'keyId') !== undefined) return 'is encrypted; decrypt it in vCenter first';
  return undefined;
}
