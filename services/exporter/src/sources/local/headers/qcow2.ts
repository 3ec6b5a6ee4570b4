import { invalid } from '../failures.js';
import type { ByteSource } from '../files/source-file.js';
import type { HeaderFacts } from './facts.js';

/*
 * qcow2, after QEMU's docs/interop/qcow2.rst; all numbers are big-endian. Read for what leads to other files, before QEMU
 * opens the image.
 */
const HEADER_BYTES = 104;
const INCOMPATIBLE = { corrupt: 1n << 1n, dataFile: 1n << 2n } as const;
const V3 = 3;

/** @throws JobError SOURCE_INVALID */
export async function readQcow2(file: ByteSource): Promise<HeaderFacts> {
  if (file.sizeBytes < HEADER_BYTES) throw invalid(file.name, 'is too short for a qcow2 image');
  const header = await file.read(0, HEADER_BYTES);
  const version = header.readUInt32BE(4);
  if (version !== 2 && version !== V3)
    throw invalid(file.name, `is a qcow image of version ${version}; 2 and 3 are known`);
  if (header.readBigUInt64BE(8) !== 0n)
    throw invalid(file.name, 'has a backing file; make it stand alone first: qemu-img convert -O qcow2');
  if (header.readUInt32BE(32) !== 0) throw invalid(file.name, 'is encrypted; decrypt it first: qemu-img convert');
  const features = version >= V3 ? header.readBigUInt64BE(72) : 0n;
  if ((features & INCOMPATIBLE.dataFile) !== 0n)
    throw invalid(file.name, 'keeps its data in another file; make it stand alone first: qemu-img convert -O qcow2');
  if ((features & INCOMPATIBLE.corrupt) !== 0n) throw invalid(file.name, 'is marked as corrupt; see qemu-img check');
  const snapshots = header.readUInt32BE(60);
  return {
    capacityBytes: Number(header.readBigUInt64BE(24)),
    concerns:
      snapshots === 0 ? [] : [`${file.name} holds internal snapshots (${snapshots}): its current state is taken`],
  };
}
