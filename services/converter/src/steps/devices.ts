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

/**
 * What the name means, undefined where that is not sure. A UUID that several file systems share (of cloned disks) is
 * left out of the answer, as it names none of them.
 */
export type Resolve = (spec: string, hint?: DeviceHint) => FileSystem | undefined;

type Facts = Pick<GuestFacts, 'mountpoints' | 'fileSystems' | 'diskCount'>;

/** Names that depend on the bus, the controller or the order of disks: they change with the hypervisor. */
const BUS_NAME = /^\/dev\/(?:(?:sd|hd|xvd|vd)[a-z]{1,3}\d{0,3}|nvme\d{1,3}n\d{1,3}(?:p\d{1,3})?)$/;
/** `ata-…`, `scsi-3600…`, `wwn-0x…`: made from what the virtual hardware says of itself. dm- and lvm- links stay. */
const BUS_LINK = /^\/dev\/disk\/(?:by-path\/|by-diskseq\/|by-id\/(?!dm-|lvm-|md-))\S+$/;

export function dependsOnHardware(spec: string): boolean {
  return BUS_NAME.test(spec) || BUS_LINK.test(spec);
}

/** `UUID=…` as fstab, crypttab and the kernel's command line take it; by its partition where it has none. */
export function tagOf(found: FileSystem | undefined): string | undefined {
  if (found?.uuid !== undefined) return `UUID=${found.uuid}`;
  return found?.partUuid === undefined ? undefined : `PARTUUID=${found.partUuid}`;
}

/** The same as a path, for what takes nothing else. */
export function linkOf(found: FileSystem | undefined): string | undefined {
  if (found?.uuid !== undefined) return `/dev/disk/by-uuid/${found.uuid}`;
  return found?.partUuid === undefined ? undefined : `/dev/disk/by-partuuid/${found.partUuid}`;
}

/** A resolver for one guest: for names of hardware, and for tags, links and mapped devices too. */
export function deviceResolver(guest: Facts): Resolve {
  const shared = sharedUuids(guest.fileSystems);
  const clear = (found: FileSystem | undefined): FileSystem | undefined => {
    if (found?.uuid === undefined || !shared.has(found.uuid)) return found;
    const { uuid: _shared, ...rest } = found;
    return rest;
  };
  return (spec, hint = {}) => {
    if (!dependsOnHardware(spec)) return clear(named(spec, guest));
    const mounted = guest.mountpoints.find(({ path }) => path === hint.mountpoint);
    if (mounted) return clear(byDevice(mounted.device, guest));
    const candidates = BUS_NAME.test(spec) ? [byOrder(spec, guest)] : samePartition(spec, guest);
    const fitting = candidates.filter((each) => each !== undefined).filter((each) => fits(each, hint.type));
    return fitting.length === 1 ? clear(fitting[0]) : undefined;
  };
}

function byDevice(device: string, guest: Facts): FileSystem | undefined {
  const name = mappedName(device);
  return guest.fileSystems.find((each) => mappedName(each.device) === name);
}

/** `/dev/vg/lv` and `/dev/mapper/vg-lv` are the same; the mapper doubles the hyphens within names. */
function mappedName(device: string): string {
  const lv = /^\/dev\/(?!mapper\/|disk\/|md\/)([^/]+)\/([^/]+)$/.exec(device);
  if (!lv) return device;
  return `/dev/mapper/${[lv[1], lv[2]].map((each) => each?.replaceAll('-', '--')).join('-')}`;
}

const TAGS = {
  uuid: 'uuid',
  label: 'label',
  partuuid: 'partUuid',
} as const satisfies Record<string, keyof FileSystem>;

/** `UUID=…`, `/dev/disk/by-uuid/…`, `LABEL=…`, `/dev/vg/lv`, `/dev/md0`: names that stay as they are. */
function named(spec: string, guest: Facts): FileSystem | undefined {
  const tag = /^(uuid|label|partuuid)=["']?([^"']+)["']?$/i.exec(spec) ?? /^\/dev\/disk\/by-(\w+)\/([^/]+)$/.exec(spec);
  if (!tag) return byDevice(spec, guest);
  const key = TAGS[(tag[1] ?? '').toLowerCase() as keyof typeof TAGS];
  const wanted = tag[2]?.toLowerCase();
  const found = guest.fileSystems.filter((each) => key !== undefined && each[key]?.toLowerCase() === wanted);
  return found[0]?.type === 'btrfs' || found.length === 1 ? found[0] : undefined;
}

/**
 * The appliance has the disks in the guest's order as /dev/sda, /dev/sdb, …: sdb1, hdb1 and xvdb1 all mean the second. An
 * NVMe controller counts its disks as namespaces, or each disk has a controller of its own.
 */
function byOrder(spec: string, guest: Facts): FileSystem | undefined {
  const lettered = /^\/dev\/(?:sd|hd|xvd|vd)([a-z]+)(\d*)$/.exec(spec);
  if (lettered) return byDevice(`/dev/sd${lettered[1]}${lettered[2]}`, guest);
  const nvme = /^\/dev\/nvme(\d+)n(\d+)(?:p(\d+))?$/.exec(spec);
  if (!nvme) return undefined;
  const [controller, namespace] = [Number(nvme[1]), Number(nvme[2])];
  if (controller > 0 && namespace > 1) return undefined;
  const index = Math.max(controller, namespace - 1);
  return index < 26 ? byDevice(`/dev/sd${String.fromCodePoint(97 + index)}${nvme[3] ?? ''}`, guest) : undefined;
}

/** A link says the partition but not the order of disks: only a single disk, or a single fitting one, is certain. */
function samePartition(spec: string, guest: Facts): FileSystem[] {
  const part = /-part(\d+)$/.exec(spec)?.[1] ?? '';
  const devices = new RegExp(`^/dev/sd[a-z]+${part}$`);
  return guest.fileSystems.filter(({ device }) => devices.test(device));
}

/** What holds other devices is never mounted itself. */
const CONTAINERS = new Set(['crypto_LUKS', 'LVM2_member', 'linux_raid_member']);

function fits({ type: found }: FileSystem, type: string | undefined): boolean {
  if (CONTAINERS.has(found) || type === 'crypto_LUKS') return found === type;
  if (type === undefined || type === 'auto') return true;
  if (type === 'swap' || found === 'swap') return type === found;
  return type.split(',').some((each) => each === found || (each.startsWith('ext') && found.startsWith('ext')));
}

/** The devices of one btrfs share their UUID rightly: it is the file system's. */
function sharedUuids(fileSystems: readonly FileSystem[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { uuid, type } of fileSystems) {
    if (uuid === undefined || type === 'btrfs' || CONTAINERS.has(type)) continue;
    if (seen.has(uuid)) shared.add(uuid);
    seen.add(uuid);
  }
  return shared;
}
