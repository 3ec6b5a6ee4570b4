import { invalid } from '../failures.js';
import type { ByteSource } from '../files/source-file.js';
import { assertStandsAlone, parseDescriptor, type Extent } from './vmdk-descriptor.js';

/** The header of a file with the magic KDMV: one sector; little-endian, positions in sectors. */
export interface SparseHeader {
  readonly capacityBytes: number;
  readonly streamOptimized: boolean;
}

const SECTOR = 512;
const FLAG_COMPRESSED = 1 << 16;
const FLAG_MARKERS = 1 << 17;
const MAX_DESCRIPTOR_SECTORS = 2048;
/** QEMU looks for a parent here, whatever the header says of the descriptor's place. */
const QEMU_DESCRIPTOR = { offset: SECTOR, bytes: 20 * SECTOR } as const;

/**
 * @param role an extent is named by a descriptor of its own and needs none inside
 * @throws JobError SOURCE_INVALID
 */
export async function readSparse(file: ByteSource, role: 'disk' | 'extent'): Promise<SparseHeader> {
  if (file.sizeBytes < SECTOR) throw invalid(file.name, 'is too short for a VMDK');
  const header = await file.read(0, SECTOR);
  if (header.subarray(0, 4).toString('latin1') !== 'KDMV') throw invalid(file.name, 'is no sparse VMDK');
  const flags = header.readUInt32LE(8);
  const capacity = header.readBigUInt64LE(12);
  // With a capacity of 0 QEMU would take its extents from the descriptor inside.
  if (capacity === 0n || capacity > 2n ** 42n)
    throw invalid(file.name, `has a VMDK header with a capacity of ${capacity} sectors`);
  const facts = {
    capacityBytes: Number(capacity) * SECTOR,
    streamOptimized: (flags & FLAG_COMPRESSED) !== 0 && (flags & FLAG_MARKERS) !== 0,
  };
  const told = await descriptorInside(file, Number(header.readBigUInt64LE(28)), Number(header.readBigUInt64LE(36)));
  assertStandsAlone(file.name, told);
  assertStandsAlone(file.name, await text(file, QEMU_DESCRIPTOR.offset, QEMU_DESCRIPTOR.bytes));
  checkCapacity(file.name, told, facts.capacityBytes);
  // Of a stream our decoder reads the markers alone, and of an extent nobody reads a second descriptor.
  if (role === 'disk' && !facts.streamOptimized && told !== '')
    checkOwnExtents(file.name, parseDescriptor(file.name, told).extents);
  return facts;
}

/** A header without a checksum and its descriptor tell the same twice. */
function checkCapacity(name: string, descriptor: string, capacityBytes: number): void {
  const sectors = [...descriptor.matchAll(/^\s*(?:RW|RDONLY)\s+(\d{1,15})\s+SPARSE\b/gm)].map(([, told]) =>
    Number(told),
  );
  const told = sectors.reduce((sum, one) => sum + one, 0) * SECTOR;
  if (told !== 0 && told !== capacityBytes)
    throw invalid(name, `holds ${capacityBytes} bytes by its header, and ${told} by its descriptor`);
}

/** The name in it may be one from before the file was renamed: QEMU does not open it. */
function checkOwnExtents(name: string, extents: readonly Extent[]): void {
  if (extents.length > 1 || extents.some(({ type }) => type !== 'SPARSE'))
    throw invalid(name, 'has a VMDK descriptor inside that names other files');
}

/** The descriptor where the header says; empty where it says none. */
async function descriptorInside(file: ByteSource, offset: number, sectors: number): Promise<string> {
  if (offset === 0) return '';
  if (sectors > MAX_DESCRIPTOR_SECTORS) throw invalid(file.name, `has a VMDK descriptor of ${sectors} sectors`);
  return (await text(file, offset * SECTOR, sectors * SECTOR)).trim();
}

/** Up to the first NUL, as in C. */
async function text(file: ByteSource, offset: number, bytes: number): Promise<string> {
  if (offset >= file.sizeBytes) return '';
  const found = await file.read(offset, Math.min(bytes, file.sizeBytes - offset));
  return found.toString('utf8').split('\0')[0] ?? '';
}
