/**
 * Which file system a device name of the guest means. On VMware the guest says /dev/sda1; on virtio there is no such
 * device, so it has to become the UUID of the file system that it meant, which the inspection knows best.
 */
import type { FileSystem, GuestFacts } from '../guest/index.js';

export interface DeviceHint {
  /** Where fstab mounts it. */
  readonly mountpoint?: string;
  /** The type that fstab gives; `auto` says nothing. */
  readonly type?: string;
}

export type Resolve = (spec: string, hint?: DeviceHint) => FileSystem | undefined;

/** Names that depend on the bus, the controller or the order of disks: they change with the hypervisor. */
const BUS_NAME = /^\/dev\/(?:sd|hd|xvd|vd)[a-z]+\d*$|^\/dev\/nvme\d+n\d+(?:p\d+)?$/;
/** `ata-…`, `scsi-3600…`, `wwn-0x…`: made from what the virtual hardware says of itself. dm- and lvm- links stay. */
const BUS_LINK = /^\/dev\/disk\/(?:by-path\/|by-id\/(?!dm-|lvm-|md-))\S+$/;

export function dependsOnHardware(spec: string): boolean {
  return BUS_NAME.test(spec) || BUS_LINK.test(spec);
}

/** A resolver for one guest. It answers undefined where it is not sure. */
export function deviceResolver(guest: Pick<GuestFacts, 'mountpoints' | 'fileSystems' | 'diskCount'>): Resolve {
  const byDevice = (device: string | undefined): FileSystem | undefined =>
    guest.fileSystems.find((each) => each.device === device);
  return (spec, hint = {}) => {
    if (!dependsOnHardware(spec)) return undefined;
    const mounted = guest.mountpoints.find(({ path }) => path === hint.mountpoint);
    if (mounted) return byDevice(mounted.device);
    const candidates = BUS_NAME.test(spec) ? [byDevice(bySameOrder(spec))] : samePartition(spec, guest);
    const fitting = candidates.filter((each) => each !== undefined).filter((each) => fits(each, hint.type));
    return fitting.length === 1 ? fitting[0] : undefined;
  };
}

/** The appliance has the disks in the guest's order as /dev/sda, /dev/sdb, …: sdb1, hdb1 and xvdb1 all mean the second. */
function bySameOrder(spec: string): string | undefined {
  const lettered = /^\/dev\/(?:sd|hd|xvd|vd)([a-z]+)(\d*)$/.exec(spec);
  if (lettered) return `/dev/sd${lettered[1]}${lettered[2]}`;
  return undefined;
}

/** A link says the partition but not the order of disks: only a single disk, or a single fitting one, is certain. */
function samePartition(spec: string, guest: Pick<GuestFacts, 'fileSystems' | 'diskCount'>): (FileSystem | undefined)[] {
  const part = /-part(\d+)$/.exec(spec)?.[1] ?? '';
  const devices = new RegExp(`^/dev/sd[a-z]+${part}$`);
  return guest.fileSystems.filter(({ device }) => devices.test(device));
}

function fits(fileSystem: FileSystem, type: string | undefined): boolean {
  if (type === undefined || type === 'auto') return true;
  if (type === 'swap' || fileSystem.type === 'swap') return type === fileSystem.type;
  return type === fileSystem.type || (type.startsWith('ext') && fileSystem.type.startsWith('ext'));
}
