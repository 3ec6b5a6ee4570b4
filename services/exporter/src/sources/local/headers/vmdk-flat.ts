import path from 'node:path';
import { invalid } from '../failures.js';
import type { AllowedRoots } from '../files/allowed.js';
import type { FileIdentity } from '../files/identity.js';
import { SourceFile, type ByteSource } from '../files/source-file.js';
import type { HeaderFacts } from './facts.js';
import { parseDescriptor, type Extent } from './vmdk-descriptor.js';
import { readSparse } from './vmdk-sparse.js';

/** QEMU reads no more of it either. */
const MAX_DESCRIPTOR_BYTES = 1024 * 1024 - 1;
const SECTOR = 512;
const TYPES = new Set(['monolithicflat', 'vmfs', 'vmfsthin', 'twogbmaxextentflat', 'twogbmaxextentsparse']);

/**
 * A disk of a descriptor and the files that it names.
 * @returns with the identities of these files
 * @throws JobError SOURCE_INVALID, PATH_DENIED
 */
export async function readDescribed(
  file: ByteSource,
  allowed: AllowedRoots,
): Promise<HeaderFacts & { extents: FileIdentity[] }> {
  if (file.sizeBytes > MAX_DESCRIPTOR_BYTES) throw invalid(file.name, 'is too long for a VMDK descriptor');
  const [text = ''] = (await file.read(0, file.sizeBytes)).toString('utf8').split('\0');
  const { createType, extents } = parseDescriptor(file.name, text);
  if (!TYPES.has(createType.toLowerCase()))
    throw invalid(file.name, `is a VMDK of type ${createType}, which is not supported`);
  if (extents.length === 0) throw invalid(file.name, 'names no extents');
  const folder = path.dirname(file.name);
  const identities: FileIdentity[] = [];
  for (const extent of extents) identities.push(await checkExtent(path.join(folder, extent.name), extent, allowed));
  return {
    capacityBytes: extents.reduce((sum, { sectors }) => sum + sectors, 0) * SECTOR,
    extents: identities,
    concerns: [],
  };
}

async function checkExtent(file: string, extent: Extent, allowed: AllowedRoots): Promise<FileIdentity> {
  return SourceFile.use(file, allowed, async (opened) => {
    if (extent.type === 'SPARSE') {
      const { capacityBytes } = await readSparse(opened, 'extent');
      if (capacityBytes !== extent.sectors * SECTOR)
        throw invalid(file, `holds ${capacityBytes} bytes instead of the ${extent.sectors * SECTOR} of its descriptor`);
    } else {
      const needed = (extent.offsetSectors + extent.sectors) * SECTOR;
      if (opened.sizeBytes < needed)
        throw invalid(file, `has ${opened.sizeBytes} bytes instead of the ${needed} of its descriptor: it was cut off`);
    }
    return opened.identity;
  });
}
