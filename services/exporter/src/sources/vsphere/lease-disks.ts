import { JobError } from '@hyper2kvm/contracts';
import type { LeaseDisk } from './lease.js';
import type { SourceDisk } from './machine.js';

/**
 * Which URL of the lease is which disk of the VM. vCenter's keys name controller and unit; where a server's do not, the
 * file name decides, then the order, which is that of the devices. A mistake would show: each stream tells its capacity.
 * @throws JobError EXPORT_LEASE when a disk has no URL
 */
export function assignDisks(disks: readonly SourceDisk[], offered: readonly LeaseDisk[]): Map<number, LeaseDisk> {
  const assigned = new Map<number, LeaseDisk>();
  const free = new Set(offered);
  const assign = (match: (disk: SourceDisk, url: LeaseDisk) => boolean): void => {
    for (const disk of disks) {
      if (assigned.has(disk.index)) continue;
      const matches = [...free].filter((url) => match(disk, url));
      const [only] = matches;
      if (only === undefined || matches.length > 1) continue;
      assigned.set(disk.index, only);
      free.delete(only);
    }
  };
  assign((disk, url) => url.key.endsWith(`/${disk.address}`));
  assign((disk, url) => url.targetId === disk.name);
  const rest = disks.filter(({ index }) => !assigned.has(index)).toSorted((a, b) => a.key - b.key);
  if (rest.length === free.size) {
    const inOrder = [...free];
    for (const [position, disk] of rest.entries()) {
      const url = inOrder[position];
      if (url !== undefined) assigned.set(disk.index, url);
    }
  }
  const missing = disks.filter(({ index }) => !assigned.has(index));
  if (missing.length > 0)
    throw new JobError(
      'EXPORT_LEASE',
      `the lease offers ${offered.length} disks and none for ${missing.map(({ name }) => name).join(', ')}`,
    );
  return assigned;
}
