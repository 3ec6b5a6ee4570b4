/** What the guest needs before its root file system is there. virtio_net is for roots on the network, and costs nothing. */
export const VIRTIO_MODULES = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'virtio_net'] as const;
/** Above as many disks the domain has them on virtio-scsi, whose disks need the driver for SCSI disks too. */
const MOST_BLK_DISKS = 8;

export interface WantedDrivers {
  readonly all: readonly string[];
  /** Without these the root is not found. */
  readonly required: readonly string[];
}

export const wantedDrivers = (disks: number): WantedDrivers =>
  disks > MOST_BLK_DISKS
    ? { all: [...VIRTIO_MODULES, 'sd_mod'], required: ['virtio_pci', 'virtio_scsi', 'sd_mod'] }
    : { all: VIRTIO_MODULES, required: ['virtio_pci', 'virtio_blk'] };

/** The name of a file's module: `…/kernel/drivers/block/virtio_blk.ko.xz` → `virtio_blk` ('-' and '_' are the same). */
export const moduleName = (path: string): string | undefined =>
  /([^/\s]+)\.ko(?:\.(?:xz|gz|zst))?(?=:|$)/.exec(path.trim())?.[1]?.replaceAll('-', '_');

export const moduleNames = (paths: Iterable<string>): Set<string> =>
  new Set([...paths].map(moduleName).filter((name) => name !== undefined));

export interface ModuleNeeds {
  /** To be put into the initramfs. */
  readonly missing: readonly string[];
  /** Neither built in nor there as a module: this kernel cannot have them. */
  readonly unavailable: readonly string[];
}

/** Which modules an initramfs lacks: what is built into the kernel counts as there. */
export function neededModules(
  kernel: {
    /** Lines of modules.builtin. */
    readonly builtin: readonly string[];
    /** Paths of the kernel's modules (first column of modules.dep). */
    readonly modules: readonly string[];
    /** Paths that the initramfs lists. */
    readonly listing: readonly string[];
  },
  wanted: readonly string[] = VIRTIO_MODULES,
): ModuleNeeds {
  const [builtin, modules, present] = [kernel.builtin, kernel.modules, kernel.listing].map(moduleNames);
  const absent = wanted.filter((name) => !builtin?.has(name) && !present?.has(name));
  return {
    missing: absent.filter((name) => modules?.has(name)),
    unavailable: absent.filter((name) => !modules?.has(name)),
  };
}

/** What a root on such a volume needs of its initramfs, drivers and programs. */
const STACK: Readonly<Record<string, readonly string[]>> = {
  ext2: ['ext2', 'ext4'],
  ext3: ['ext3', 'ext4'],
  ext4: ['ext4'],
  xfs: ['xfs'],
  btrfs: ['btrfs'],
  jfs: ['jfs'],
  f2fs: ['f2fs'],
  LVM2_member: ['dm_mod', 'dm_mirror', 'dm_raid', 'dm_snapshot', 'dm_thin_pool', 'dm_cache', 'lvm'],
  crypto_LUKS: ['dm_mod', 'dm_crypt', 'dm_integrity', 'cryptsetup', 'systemd-cryptsetup'],
  linux_raid_member: ['md_mod', 'linear', 'raid0', 'raid1', 'raid10', 'raid456', 'mdadm'],
};

/**
 * What an initramfs had for the guest's volumes and another one lacks.
 * @param types of everything on the guest's disks, as blkid has them
 */
export function lostForRoot(
  before: readonly string[],
  after: readonly string[],
  builtin: readonly string[],
  types: readonly string[],
): string[] {
  const matters = new Set(types.flatMap((type) => STACK[type] ?? []));
  const has = (paths: readonly string[]): Set<string> => new Set([...moduleNames(paths), ...programNames(paths)]);
  const [there, inKernel] = [has(after), moduleNames(builtin)];
  return [...has(before)].filter((name) => matters.has(name) && !there.has(name) && !inKernel.has(name));
}

const programNames = (paths: readonly string[]): string[] =>
  paths.map((path) => /(?:^|\/)(?:s?bin|systemd)\/([^/]+)$/.exec(path)?.[1]).filter((name) => name !== undefined);
