import { stat, statfs } from 'node:fs/promises';
import { JobError, type Machine } from '@hyper2kvm/contracts';
import { formatBytes } from '../files/index.js';
import type { JobFolder } from './job-folder.js';
import { diskFile } from './names.js';

/** Metadata of an image and its manifest, whatever the disk holds. */
const SURE_BYTES_PER_DISK = 16 * 2 ** 20;

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** What a folder lacks, in figures. `needed` is what is still to be written, as far as it is known. */
export const tooFull = (folder: string, free: number, needed: number, minFree: number): JobError =>
  new JobError(
    'DISK_FULL',
    `${folder} has ${formatBytes(free)} free; ${formatBytes(needed)} are needed, and ${formatBytes(minFree)} have to stay free`,
  );

/**
 * Bytes that the disks still need: what they use on their datastores (or in their files), less what is finished or under way.
 * @param neededBytes of the whole source, for a machine that does not tell it by disk
 */
export async function stillNeeded(
  machine: Machine,
  neededBytes: number | undefined,
  folder: JobFolder,
  finished: ReadonlySet<number>,
): Promise<number> {
  const byDisk = machine.disks.every(({ used_bytes }) => used_bytes !== undefined);
  const rest = machine.disks.filter(({ index }) => !finished.has(index));
  const sure = rest.length * SURE_BYTES_PER_DISK;
  if (rest.length === 0) return 0;
  const used = byDisk
    ? rest.reduce((sum, disk) => sum + (disk.used_bytes ?? 0), 0)
    : rest.length === machine.disks.length
      ? (neededBytes ?? 0)
      : 0;
  let there = 0;
  for (const { index } of rest) there += await allocated(folder.partial(diskFile(index)));
  return sure + Math.max(0, used - there);
}

const allocated = async (file: string): Promise<number> =>
  stat(file).then(
    ({ blocks }) => blocks * 512,
    () => 0,
  );

/** Refuses what cannot fit, before anything is made on the source. @throws JobError DISK_FULL */
export async function checkSpace(folder: string, needed: number, minFree: number): Promise<void> {
  const free = await freeBytes(folder);
  if (needed > 0 && free < needed + minFree) throw tooFull(folder, free, needed, minFree);
}
