import { JobError } from '@hyper2kvm/contracts';
import type { Appliance } from './appliance.js';
import { systemdVersion } from './systemd.js';

/**
 * What lies on a block device, by its name in the appliance: a file system, swap, or what holds others (`crypto_LUKS`,
 * `LVM2_member`, `linux_raid_member`).
 */
export interface FileSystem {
  readonly device: string;
  /** `ext4`, `xfs`, `swap`, … */
  readonly type: string;
  readonly uuid?: string;
  readonly label?: string;
  /** Of the partition that it lies on (GPT). */
  readonly partUuid?: string;
}

export interface Mountpoint {
  readonly path: string;
  /** A block device; of a btrfs subvolume that of its file system. */
  readonly device: string;
  /** What libguestfs mounts: the device, or `btrfsvol:<device>/<subvolume>`. */
  readonly mountable: string;
}

/** A LUKS volume that was opened. */
export interface LuksVolume {
  /** What it lies on: `/dev/sda3`. */
  readonly device: string;
  readonly uuid: string;
  /** The opened volume in the appliance: `/dev/mapper/luks-1`. */
  readonly mapped: string;
}

/** What starts the guest's services. */
export type InitSystem = 'systemd' | 'sysvinit' | 'openrc' | 'upstart' | 'unknown';

/** What the guest is. */
export interface GuestFacts {
  /** Device of the root file system, in the appliance; empty where there is no operating system. */
  readonly root: string;
  /** `linux`, `windows`, `none` where the VM holds data only, or what else libguestfs calls it. */
  readonly type: string;
  /** libguestfs's word: `debian`, `ubuntu`, `rhel`, … */
  readonly distro: string;
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly product: string;
  readonly version: { readonly major: number; readonly minor: number };
  readonly arch: string;
  /** `deb`, `rpm`, … */
  readonly packageFormat: string;
  /** The guest's own mount points, in the order in which they must be mounted. */
  readonly mountpoints: readonly Mountpoint[];
  readonly fileSystems: readonly FileSystem[];
  /** Disks of the VM: 1 means that any partition name can only mean this disk. */
  readonly diskCount: number;
  /** Undefined for guests without systemd. */
  readonly systemd?: number;
  readonly init: InitSystem;
  readonly luks: readonly LuksVolume[];
}

/** inspect-os reads every file system: 12 s without KVM on a plain guest, more with many disks. */
const INSPECT_LIMIT_MS = 900_000;

/**
 * Finds the one operating system, mounts its file systems (shortest path first, as /boot/efi needs /boot) and says what
 * it is. Done once per job.
 * @throws JobError GUEST_NO_OS, GUEST_MULTIPLE_OS, GUEST_CORRUPT
 */
export async function inspect(appliance: Appliance, diskCount: number): Promise<GuestFacts> {
  const root = await onlyRoot(appliance);
  const mountpoints = await mountAll(appliance, root);
  const ask = async (command: string): Promise<string> => (await appliance.attempt([command, root])).trim();
  const systemd = await systemdVersion(appliance);
  return {
    root,
    mountpoints,
    diskCount,
    type: await ask('inspect-get-type'),
    distro: await ask('inspect-get-distro'),
    product: (await prettyName(appliance)) ?? (await ask('inspect-get-product-name')),
    version: {
      major: Number(await ask('inspect-get-major-version')) || 0,
      minor: Number(await ask('inspect-get-minor-version')) || 0,
    },
    arch: await ask('inspect-get-arch'),
    packageFormat: await ask('inspect-get-package-format'),
    fileSystems: await fileSystems(appliance),
    ...(systemd === undefined ? {} : { systemd }),
    init: systemd === undefined ? 'unknown' : 'systemd',
    luks: [],
  };
}

async function onlyRoot(appliance: Appliance): Promise<string> {
  const roots = (await appliance.call(['inspect-os'], INSPECT_LIMIT_MS)).split('\n').filter((line) => line !== '');
  const [root] = roots;
  if (root === undefined) throw new JobError('GUEST_NO_OS', 'no operating system was found on the disks of the VM');
  if (roots.length > 1) {
    const found: string[] = [];
    for (const each of roots) {
      found.push(`${(await appliance.attempt(['inspect-get-product-name', each])).trim()} on ${each}`);
    }
    throw new JobError('GUEST_MULTIPLE_OS', `the VM holds ${roots.length} operating systems: ${found.join('; ')}`);
  }
  return root;
}

async function mountAll(appliance: Appliance, root: string): Promise<Mountpoint[]> {
  const mountpoints = (await appliance.lines(['inspect-get-mountpoints', root]))
    .map(parseMountpoint)
    .filter((each) => each !== undefined)
    .toSorted((a, b) => a.path.length - b.path.length);
  if (!mountpoints.some(({ path }) => path === '/')) mountpoints.unshift({ path: '/', device: root, mountable: root });
  for (const { path, device } of mountpoints) {
    try {
      await appliance.call(['mount-options', '', device, path]);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new JobError('GUEST_CORRUPT', `${path} (${device}) of the guest cannot be mounted: ${why}`, {
        cause: error,
      });
    }
  }
  return mountpoints;
}

/** os-release(5): libguestfs gives a bare version number for some Debians. */
async function prettyName(appliance: Appliance): Promise<string | undefined> {
  const text = (await appliance.readText('/etc/os-release')) ?? (await appliance.readText('/usr/lib/os-release')) ?? '';
  return /^PRETTY_NAME=["']?([^"'\n]+)/m.exec(text)?.[1];
}

/** `/boot: /dev/sda1` */
export function parseMountpoint(line: string): Mountpoint | undefined {
  const match = /^(\/.*): (\/dev\/\S+)$/.exec(line);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { path: match[1], device: match[2], mountable: match[2] };
}

async function fileSystems(appliance: Appliance): Promise<FileSystem[]> {
  const found: FileSystem[] = [];
  for (const line of await appliance.lines(['list-filesystems'])) {
    const match = /^(\/dev\/\S+): (\S+)$/.exec(line);
    const [, device, type] = match ?? [];
    if (device === undefined || type === undefined || type === 'unknown') continue;
    const uuid = (await appliance.attempt(['vfs-uuid', device])).trim();
    const label = (await appliance.attempt(['vfs-label', device])).trim();
    found.push({ device, type, ...(uuid === '' ? {} : { uuid }), ...(label === '' ? {} : { label }) });
  }
  return found;
}
