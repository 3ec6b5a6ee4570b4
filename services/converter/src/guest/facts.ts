/**
 * What lies on a block device, by its name in the appliance: a file system, swap, or what holds others (`crypto_LUKS`,
 * `LVM2_member`, `linux_raid_member`, `BitLocker`).
 */
export interface FileSystem {
  readonly device: string;
  /** blkid's word: `ext4`, `xfs`, `swap`, … */
  readonly type: string;
  readonly uuid?: string;
  readonly label?: string;
  /** Of the partition that it lies on: GPT's own, or `<disk>-<number>` with MBR. */
  readonly partUuid?: string;
  /** Name of the partition (GPT). */
  readonly partLabel?: string;
  /** Type of the partition: a GUID, or `0x83` with MBR. */
  readonly partType?: string;
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
  /** The opened volume in the appliance, by the name that the guest gives it where its crypttab tells one. */
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
  /** `x86_64`, `aarch64`, …; `unknown` where nothing tells. */
  readonly arch: string;
  /** `deb`, `rpm`, `pacman`, `apk` or `unknown`. */
  readonly packageFormat: string;
  /** The guest's own mount points, in the order in which they must be mounted. */
  readonly mountpoints: readonly Mountpoint[];
  readonly fileSystems: readonly FileSystem[];
  /** Disks of the VM: 1 means that any partition name can only mean this disk. */
  readonly diskCount: number;
  /** Undefined for guests without systemd, 0 for one older than 231. */
  readonly systemd?: number;
  readonly init: InitSystem;
  readonly luks: readonly LuksVolume[];
}
