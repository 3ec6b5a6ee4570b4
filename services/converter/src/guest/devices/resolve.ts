/** Which block device a name of the guest (in fstab, crypttab, on a command line) means. */
import type { FileSystem } from '../facts.js';
import { isFileSystem, type BlockDevice } from './block-device.js';
import { diskIndex, diskName } from './disk-name.js';
import type { ArrayNames } from './md-names.js';

export interface Naming {
  readonly devices: readonly BlockDevice[];
  /** Names of opened LUKS volumes in the guest's crypttab, and their devices here. */
  readonly mapped: ReadonlyMap<string, string>;
  /** What the guest's mdadm.conf names. */
  readonly arrays: ArrayNames;
}

/** Only devices that this accepts are looked at: several may carry the same UUID (members of an array, of a btrfs). */
export type Accepts = (content: FileSystem) => boolean;

/**
 * The device that a name means, undefined where none of the VM's disks holds it or it is no block device's name.
 * Hardware names follow the order of disks, as the appliance has them in the guest's order.
 */
export function resolveDevice(spec: string, naming: Naming, accepts: Accepts = isFileSystem): BlockDevice | undefined {
  const fitting = naming.devices.filter(({ content }) => content !== undefined && accepts(content));
  const [, tag, value] = /^(UUID|LABEL|PARTUUID|PARTLABEL|ID)="?([^"]*)"?$/i.exec(spec) ?? [];
  if (tag !== undefined && value !== undefined) return byTag(tag.toLowerCase(), value, fitting, naming);
  const [, kind, name] = /^\/dev\/disk\/by-(uuid|label|partuuid|partlabel|id|path)\/(.+)$/.exec(spec) ?? [];
  if (kind !== undefined && name !== undefined) return byTag(kind, unescapeLink(name), fitting, naming);
  return byPath(spec, fitting, naming);
}

const TAGS = { uuid: 'uuid', label: 'label', partuuid: 'partUuid', partlabel: 'partLabel' } as const;

function byTag(tag: string, value: string, fitting: readonly BlockDevice[], naming: Naming): BlockDevice | undefined {
  if (tag === 'id') return byId(value, fitting, naming);
  if (tag === 'path') return byPartition(value, fitting);
  const key = TAGS[tag as keyof typeof TAGS];
  const same = (found: string | undefined): boolean =>
    found !== undefined && (tag.endsWith('uuid') ? found.toLowerCase() === value.toLowerCase() : found === value);
  return fitting.find(({ content }) => same(content?.[key]));
}

function byId(name: string, fitting: readonly BlockDevice[], naming: Naming): BlockDevice | undefined {
  const [, kind, value] = /^(dm-name|dm-uuid|md-uuid|md-name|lvm-pv-uuid)-(.+)$/.exec(name) ?? [];
  switch (kind) {
    case 'dm-name':
      return byPath(`/dev/mapper/${value}`, fitting, naming);
    case 'dm-uuid':
      return fitting.find(({ dmUuid }) => dmUuid === value);
    case 'md-uuid':
      return fitting.find((each) => arrayUuid(each, naming) === plainUuid(value ?? ''));
    case 'md-name':
      return fitting.find((each) => arrayName(each, naming) === value);
    case undefined:
    case 'lvm-pv-uuid':
      return kind === undefined ? byPartition(name, fitting) : fitting.find((e) => e.content?.uuid === value);
    default:
      return undefined;
  }
}

function byPath(path: string, fitting: readonly BlockDevice[], naming: Naming): BlockDevice | undefined {
  const called = (device: string): BlockDevice | undefined => fitting.find((each) => each.device === device);
  const [, mapper] = /^\/dev\/mapper\/(.+)$/.exec(path) ?? [];
  if (mapper !== undefined)
    return fitting.find(({ dmName }) => dmName === mapper) ?? called(naming.mapped.get(mapper) ?? '');
  const [, array] = /^\/dev\/(?:md\/(?=.)|md(?=\d))(.+)$/.exec(path) ?? [];
  if (array !== undefined) return byArray(path, array, fitting, naming);
  const place = hardwareName(path);
  return called(place === undefined ? path : `/dev/${diskName(place.disk)}${place.partition ?? ''}`);
}

/** `/dev/md0` and `/dev/md/data`: by mdadm.conf, else by the name that the array carries, else the only one. */
function byArray(path: string, name: string, fitting: readonly BlockDevice[], naming: Naming): BlockDevice | undefined {
  const uuid = naming.arrays.get(path);
  if (uuid !== undefined) return fitting.find((each) => arrayUuid(each, naming) === plainUuid(uuid));
  const arrays = fitting.filter(({ kernel }) => kernel.startsWith('md'));
  const named = arrays.find((each) => arrayName(each, naming)?.replace(/^.*:/, '') === name);
  return named ?? (arrays.length === 1 ? arrays[0] : undefined);
}

/** blkid gives members of an array its UUID, and as label its name: `<host>:<name>`. */
const member = ({ parts }: BlockDevice, { devices }: Naming): FileSystem | undefined =>
  devices.find(({ kernel, content }) => parts.includes(kernel) && content?.type === 'linux_raid_member')?.content;

const arrayUuid = (array: BlockDevice, naming: Naming): string | undefined => {
  const uuid = member(array, naming)?.uuid;
  return uuid === undefined ? undefined : plainUuid(uuid);
};
const arrayName = (array: BlockDevice, naming: Naming): string | undefined => member(array, naming)?.label;
/** mdadm writes UUIDs in another grouping, with colons. */
const plainUuid = (uuid: string): string => uuid.replaceAll(/[:-]/g, '').toLowerCase();

interface Place {
  /** From 0. */
  readonly disk: number;
  readonly partition?: string;
}

/** Undefined for what is not named after hardware. */
export function hardwareName(path: string): Place | undefined {
  const [, lettered, number] = /^\/dev\/(?:sd|hd|vd|xvd)([a-z]{1,2})(\d*)$/.exec(path) ?? [];
  if (lettered !== undefined) return { disk: diskIndex(lettered), ...(number ? { partition: number } : {}) };
  // One controller with several name spaces (VMware's), or a controller for each disk.
  const [, controller, space, part] = /^\/dev\/nvme(\d+)n(\d+)(?:p(\d+))?$/.exec(path) ?? [];
  if (controller === undefined) return undefined;
  const disk = controller === '0' ? Number(space) - 1 : Number(controller);
  return disk < 0 ? undefined : { disk, ...(part === undefined ? {} : { partition: part }) };
}

/**
 * `pci-0000:03:00.0-scsi-0:0:1:0-part2`, `scsi-36000…-part2`: only the number of the partition, and the target of a path,
 * say something here.
 */
function byPartition(link: string, fitting: readonly BlockDevice[]): BlockDevice | undefined {
  const part = /-part(\d+)$/.exec(link)?.[1] ?? '';
  const candidates = fitting.filter(({ device }) => new RegExp(`^/dev/sd[a-z]+${part}$`).test(device));
  if (candidates.length <= 1) return candidates[0];
  const target = /-scsi-\d+:\d+:(\d+):\d+/.exec(link)?.[1];
  if (target === undefined) return undefined;
  // The eighth target of VMware's controllers is the controller itself.
  const disk = Number(target) > 7 ? Number(target) - 1 : Number(target);
  return candidates.find(({ device }) => device === `/dev/${diskName(disk)}${part}`);
}

/** udev writes what it does not allow in a link as `\x20`. */
const unescapeLink = (name: string): string =>
  name.replaceAll(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
