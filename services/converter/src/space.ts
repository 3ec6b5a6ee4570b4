import { JobError } from '@hyper2kvm/contracts';
import { diskFree } from '@hyper2kvm/runtime';

/** A rebuilt initramfs, what a boot writes, and room to spare: overlays of a plain guest take about 100 MB. */
export const OVERLAY_BYTES = 1024 ** 3;

/**
 * Asked before anything is written: an appliance whose disk is full stands still instead of failing.
 * @throws JobError DISK_FULL naming the folder and both figures
 */
export async function checkSpace(folder: string, neededBytes: number): Promise<void> {
  const free = await diskFree(folder);
  if (free === null || free >= neededBytes) return;
  throw new JobError('DISK_FULL', `${folder} has ${mib(free)} free, and ${mib(neededBytes)} are needed`);
}

const mib = (bytes: number): string => `${Math.floor(bytes / 1024 ** 2)} MiB`;
