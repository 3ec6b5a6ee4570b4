import { JobError, type DisksSource, type InspectDisk, type OvaSource } from '@hyper2kvm/contracts';
import type { Looking } from './disk-file.js';
import type { LocalDisk } from './local-machine.js';
import { imageInfo, streamImage } from './qemu.js';
import { readLocal } from './read.js';

export interface LocatedDisks {
  /** In disk order; empty where QEMU cannot look into them as they lie. */
  readonly disks: InspectDisk[];
  /** Why they cannot be looked into. */
  readonly unreadable?: string;
}

/**
 * Where the images of a machine lie, so that others can look into them. Checked as an export checks them, but for the
 * checksums of whole files.
 * @throws JobError SOURCE_INVALID, PATH_DENIED
 */
export async function locateDisks(
  source: DisksSource | OvaSource,
  vmName: string,
  looking: Looking,
): Promise<LocatedDisks> {
  const { disks } = await readLocal(source, vmName, looking);
  const last = disks.findLastIndex((disk) => !isBlank(disk));
  // Empty disks at the end change no name of another.
  const located: InspectDisk[] = [];
  for (const disk of disks.slice(0, last + 1)) {
    const found = await locate(disk, looking);
    if (typeof found === 'string') return { disks: [], unreadable: found };
    located.push(found);
  }
  return located.length === 0 ? { disks: [], unreadable: 'All disks are empty' } : { disks: located };
}

const isBlank = ({ content }: LocalDisk): boolean => content.kind === 'image' && content.image.driver === 'null-co';

/** The disk, or why nobody but the export can read it. */
async function locate({ index, content }: LocalDisk, looking: Looking): Promise<InspectDisk | string> {
  if (content.kind === 'image') {
    const { driver, path } = content.image;
    return driver === 'null-co' ? `Disk ${index} has no file yet, and others come after it` : { path, format: driver };
  }
  const { path, offset, length } = content;
  try {
    await imageInfo(looking.children, streamImage(path, offset, length), looking.signal);
  } catch (error) {
    // The export's own decoder reads more than QEMU does.
    if (!(error instanceof JobError) || error.code !== 'SOURCE_INVALID') throw error;
    return `Disk ${index} can be exported, but not looked into as it lies: ${error.message}`;
  }
  return { path, format: 'vmdk', offset_bytes: offset, size_bytes: length };
}
