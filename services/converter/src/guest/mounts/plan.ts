/** What the guest mounts where, from its own fstab. */
import { isMountable, resolveDevice, type BlockDevice, type Naming } from '../devices/index.js';
import { TOP_LEVEL, type Candidate, type Subvolume, type Subvolumes } from '../roots/candidate.js';
import type { FileSystem, Mountpoint } from '../facts.js';
import type { FstabEntry } from './tables.js';

export interface PlannedMount extends Mountpoint {
  /** Of mount(8). */
  readonly options: string;
  /** Without it nothing can be changed safely. */
  readonly required: boolean;
}

/** What the fstab mounts and none of the disks holds. */
export interface MissingMount {
  readonly path: string;
  readonly spec: string;
  readonly required: boolean;
}

export interface MountPlan {
  /** In the order in which they have to be mounted, the root first. */
  readonly mounts: readonly PlannedMount[];
  readonly missing: readonly MissingMount[];
}

export interface MountsInput {
  readonly fstab: readonly FstabEntry[];
  readonly root: Candidate;
  readonly naming: Naming;
  readonly subvolumes: ReadonlyMap<string, Subvolumes>;
}

/** Packages, kernels, boot entries and configuration lie here. */
const REQUIRED = new Set(['/', '/usr', '/boot', '/var', '/etc', '/boot/efi', '/efi']);
/** Mounted on demand by many, and needed here. */
const BOOT = new Set(['/boot', '/boot/efi', '/efi']);
/** Far more than any machine has; a hostile fstab may list 100,000. */
const MOST_MOUNTS = 128;

export function planMounts(input: MountsInput): MountPlan {
  const { naming } = input;
  const mounts = new Map<string, PlannedMount>([['/', rootMount(input)]]);
  const missing = new Map<string, MissingMount>();
  for (const entry of input.fstab) {
    const path = plainPath(entry.path);
    if (path === undefined || mounts.has(path) || missing.has(path) || !isBlock(entry)) continue;
    if (mounts.size + missing.size >= MOST_MOUNTS) break;
    const late = entry.options.includes('noauto');
    if (late && !BOOT.has(path)) continue;
    const found = mountOf(entry, path, resolveDevice(entry.spec, naming, isMountable), input);
    if (found !== undefined) mounts.set(path, found);
    else if (!late && !entry.options.includes('nofail'))
      missing.set(path, { path, spec: entry.spec, required: REQUIRED.has(path) });
  }
  return {
    mounts: [...mounts.values()].toSorted((a, b) => depth(a.path) - depth(b.path)),
    missing: [...missing.values()],
  };
}

const depth = (path: string): number => (path === '/' ? 0 : path.split('/').length);

function rootMount({ root, subvolumes }: MountsInput): PlannedMount {
  const { device, subvolume } = root;
  const place = subvolume === undefined ? undefined : placeOf(device, subvolume, subvolumes);
  return { path: '/', device, mountable: place?.mountable ?? device, options: place?.options ?? '', required: true };
}

function mountOf(
  { options }: FstabEntry,
  path: string,
  found: BlockDevice | undefined,
  { subvolumes, naming }: MountsInput,
): PlannedMount | undefined {
  if (found === undefined) return undefined;
  const required = REQUIRED.has(path);
  // A btrfs of several devices is known by the first of them.
  const { device } = naming.devices.find(({ content }) => sameTree(content, found.content)) ?? found;
  const plain = { path, device, mountable: device, options: '', required };
  if (found.content?.type !== 'btrfs') return plain;
  const tree = subvolumes.get(device);
  if (tree === undefined) return plain;
  const subvolume = subvolumeOf(options, tree);
  return subvolume === undefined ? undefined : { ...plain, ...placeOf(device, subvolume, subvolumes) };
}

const sameTree = (one: FileSystem | undefined, other: FileSystem | undefined): boolean =>
  one?.type === 'btrfs' && one.uuid !== undefined && one.uuid === other?.uuid;

/** By name, by number, or the default one. */
function subvolumeOf(options: readonly string[], { all, defaultId }: Subvolumes): Subvolume | undefined {
  const option = (name: string): string | undefined =>
    options.findLast((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  const named = option('subvol')?.replaceAll(/^\/+|\/+$/g, '');
  if (named !== undefined) return all.find(({ path }) => path === named);
  const id = Number(option('subvolid') ?? defaultId);
  return all.find((each) => each.id === (id === 0 ? TOP_LEVEL : id));
}

function placeOf(
  device: string,
  { id, path }: Subvolume,
  subvolumes: ReadonlyMap<string, Subvolumes>,
): Pick<PlannedMount, 'mountable' | 'options'> {
  const isDefault = id === TOP_LEVEL && subvolumes.get(device)?.defaultId === TOP_LEVEL;
  return isDefault
    ? { mountable: device, options: '' }
    : { mountable: `btrfsvol:${device}/${path}`, options: `subvolid=${id}` };
}

/** Nothing but block devices: no swap, no network, nothing in memory, no other place of the same tree, no image file. */
function isBlock({ spec, type, options }: FstabEntry): boolean {
  if (type === 'swap' || type === 'none' || type === 'ignore') return false;
  if (options.some((option) => option === 'bind' || option === 'rbind' || option === 'loop')) return false;
  if (/^\/dev\/(?:cdrom|dvd|sr\d|scd\d|fd\d|floppy|zero|null|shm)/.test(spec)) return false;
  return /^(?:(?:PART)?(?:UUID|LABEL)|ID)=|^\/dev\//i.test(spec);
}

/** Absolute, without detours; what no mount point of a system is called is left out. */
function plainPath(path: string): string | undefined {
  const plain = path.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
  if (!plain.startsWith('/') || plain.length > 255 || plain === '/') return undefined;
  // oxlint-disable-next-line no-control-regex -- control characters are what is kept out
  return plain.split('/').includes('..') || /[\u0000-\u001F\u007F]/.test(plain) ? undefined : plain;
}
