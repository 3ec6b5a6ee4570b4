import { statfs } from 'node:fs/promises';
import { JobError } from '@hyper2kvm/contracts';
import { formatBytes } from '../files/index.js';

/** Metadata of an image and its manifest, whatever the disk holds. */
const SURE_BYTES_PER_DISK = 16 * 2 ** 20;

/**
 * Refuses what cannot fit, and tells how much there is for the rest: what a disk really holds is known at its end only.
 * @returns a warning when the VM takes up more than there is
 * @throws JobError DISK_FULL
 */
export async function checkSpace(
  folder: string,
  disks: number,
  committedBytes: number | undefined,
): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const sure = disks * SURE_BYTES_PER_DISK;
  if (free < sure)
    throw new JobError(
      'DISK_FULL',
      `${folder} has ${formatBytes(free)} free; at least ${formatBytes(sure)} are needed`,
    );
  if (committedBytes === undefined || committedBytes <= free) return undefined;
  return `The VM takes up ${formatBytes(committedBytes)} on its datastores and ${folder} has ${formatBytes(free)} free: it may not fit`;
}

/** After a write that failed: how much there is left, before what was written is removed. */
export async function noSpace(folder: string): Promise<string> {
  const { bavail, bsize } = await statfs(folder);
  return `no space left in ${folder} (${formatBytes(bavail * bsize)} free)`;
}
