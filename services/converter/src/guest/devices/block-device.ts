import type { FileSystem } from '../facts.js';

/** A block device of the appliance that has something on it or beneath it. */
export interface BlockDevice {
  /** The kernel's name in the appliance, which may have found the disks in another order: `sda1`, `dm-0`, `md127`. */
  readonly kernel: string;
  /** As libguestfs takes it: `/dev/sda1`, `/dev/vg/root`, `/dev/mapper/luks-1`, `/dev/md127`. */
  readonly device: string;
  /** Kernel names of what it is made of. */
  readonly parts: readonly string[];
  readonly dmName?: string;
  readonly dmUuid?: string;
  /** What blkid found; a partitioned disk and an empty device have none. */
  readonly content?: FileSystem;
}

/** Of something that holds file systems rather than being one. */
const CONTAINERS = new Set(['crypto_LUKS', 'BitLocker', 'LVM1_member', 'LVM2_member', 'linux_raid_member']);

/** Whether it is a file system that could be mounted (or swap), rather than a part of something else. */
export const isFileSystem = (content: FileSystem): boolean =>
  !CONTAINERS.has(content.type) && !content.type.endsWith('_raid_member') && !content.type.endsWith('_member');

export const isMountable = (content: FileSystem): boolean => isFileSystem(content) && content.type !== 'swap';
