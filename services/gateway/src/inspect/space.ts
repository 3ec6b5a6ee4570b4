import { concernOf, type Concern, type JobOptions, type Machine } from '@hyper2kvm/contracts';
import { gigabytes } from '../jobs/index.js';

/** Bytes that a job writes at most: the exported images, and the result where it is written anew. */
export function spaceNeeded(
  { disks }: Pick<Machine, 'disks'>,
  { output_format: format, compress }: Pick<JobOptions, 'output_format' | 'compress'>,
): number {
  const images = disks.reduce((sum, disk) => sum + Math.min(disk.used_bytes ?? Infinity, disk.capacity_bytes), 0);
  return format === 'raw' || compress !== undefined ? 2 * images : images;
}

/** The smallest of what is known. */
export function leastFree(found: readonly (number | null | undefined)[]): number | null {
  const known = found.filter((count) => typeof count === 'number');
  return known.length === 0 ? null : Math.min(...known);
}

export function spaceConcern(needed: number, free: number | null): Concern[] {
  if (free === null || needed <= free) return [];
  const message = `The job may write ${gigabytes(needed)} GB, and ${gigabytes(free)} GB are free on the workers.`;
  return [concernOf('SPACE', message)];
}
