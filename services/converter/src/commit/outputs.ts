import { stat } from 'node:fs/promises';
import type { ConversionOptions } from '@hyper2kvm/contracts';
import { JobError } from '@hyper2kvm/contracts';
import { checkSpace } from '../space.js';
import type { DomainPlan } from '../targets/libvirt/index.js';

type Wanted = Pick<ConversionOptions, 'output_format' | 'compress'>;

/** The images of an output folder, in disk order: `disk1.qcow2`. */
export function outputDisks(count: number, { output_format: format = 'qcow2' }: Wanted): DomainPlan['disks'] {
  return Array.from({ length: count }, (_, index) => ({
    index: index + 1,
    file: `disk${index + 1}.${format}`,
    format,
  }));
}

/** @throws JobError BAD_REQUEST for what QEMU cannot do */
export function checkFormat({ output_format: format, compress }: Wanted): void {
  if (format === 'raw' && compress !== undefined)
    throw new JobError('BAD_REQUEST', 'raw images cannot be compressed: leave out --compress, or take qcow2');
}

interface Exported {
  readonly file: string;
  readonly format: 'qcow2' | 'raw';
}

/** Whether the exported image becomes the result; otherwise a new one is written beside it. */
export const isCommitted = (
  { format }: Pick<Exported, 'format'>,
  { output_format: wanted = 'qcow2', compress }: Wanted,
  keepArtifact: boolean,
): boolean => !keepArtifact && format === wanted && compress === undefined;

/**
 * Asked before the conversion: images that are written anew need room for what the exported ones hold, or for some of it
 * where they are compressed.
 * @throws JobError BAD_REQUEST, DISK_FULL naming the folder and both figures
 */
export async function checkOutputSpace(
  dateDir: string,
  images: readonly Exported[],
  wanted: Wanted,
  keepArtifact: boolean,
): Promise<void> {
  checkFormat(wanted);
  let neededBytes = 0;
  for (const image of images) {
    if (!isCommitted(image, wanted, keepArtifact)) neededBytes += await bytesOnDisk(image.file);
  }
  if (neededBytes > 0) await checkSpace(dateDir, wanted.compress === undefined ? neededBytes : neededBytes / 4);
}

/** What a file takes of its file system: holes and freed clusters take nothing. stat(2) counts in 512 bytes. */
export const bytesOnDisk = async (file: string): Promise<number> => (await stat(file)).blocks * 512;
