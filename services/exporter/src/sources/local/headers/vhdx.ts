import { invalid } from '../failures.js';
import type { ByteSource } from '../files/source-file.js';
import type { HeaderFacts } from './facts.js';

/*
 * VHDX, after Microsoft's [MS-VHDX]; all numbers are little-endian. Two region tables name the metadata region, whose table
 * names the items: the disk's size, and whether it has a parent.
 */
const REGION_TABLES = [192 * 1024, 256 * 1024] as const;
const TABLE_BYTES = 64 * 1024;
const MAX_ENTRIES = 2047;
const HAS_PARENT = 2;
/** GUIDs as they lie in the file. */
const GUID = {
  metadataRegion: '06a27c8b90479a4bb8fe575f050f886e',
  fileParameters: '3767a1ca36fa434db3b633f0aa44e76b',
  diskSize: '2442a52f1bcd7648b2115dbed83bf4b8',
  parentLocator: '2d5fd3a80bb34d45abf7d3d84834ab0c',
} as const;

/** @throws JobError SOURCE_INVALID */
export async function readVhdx(file: ByteSource): Promise<HeaderFacts> {
  const sizes: number[] = [];
  // Both copies: whichever a reader takes, it finds no parent.
  for (const offset of REGION_TABLES) {
    if (file.sizeBytes < offset + TABLE_BYTES) throw invalid(file.name, 'is too short for a VHDX image');
    const table = await file.read(offset, TABLE_BYTES);
    if (table.subarray(0, 4).toString('latin1') !== 'regi') continue;
    sizes.push(await readMetadata(file, table));
  }
  const [capacityBytes] = sizes;
  if (capacityBytes === undefined) throw invalid(file.name, 'has no VHDX region table');
  if (sizes.some((size) => size !== capacityBytes)) throw invalid(file.name, 'tells two different VHDX sizes');
  return { capacityBytes, concerns: [] };
}

async function readMetadata(file: ByteSource, regions: Buffer): Promise<number> {
  const region = entries(file, regions, 16, regions.readUInt32LE(8)).find(({ guid }) => guid === GUID.metadataRegion);
  if (region === undefined) throw invalid(file.name, 'has no VHDX metadata');
  const base = Number(region.bytes.readBigUInt64LE(16));
  const table = await file.read(base, TABLE_BYTES);
  if (table.subarray(0, 8).toString('latin1') !== 'metadata') throw invalid(file.name, 'has damaged VHDX metadata');
  let capacity: number | undefined;
  let parameters: number | undefined;
  for (const { guid, bytes } of entries(file, table, 32, table.readUInt16LE(10))) {
    const at = base + bytes.readUInt32LE(16);
    if (guid === GUID.parentLocator) throw differencing(file);
    if (guid === GUID.diskSize) capacity = Number((await file.read(at, 8)).readBigUInt64LE(0));
    if (guid === GUID.fileParameters) parameters = (await file.read(at, 8)).readUInt32LE(4);
  }
  if (capacity === undefined || parameters === undefined) throw invalid(file.name, 'has incomplete VHDX metadata');
  if ((parameters & HAS_PARENT) !== 0) throw differencing(file);
  return capacity;
}

/** Entries of both kinds of table take 32 bytes and begin with a GUID. */
function entries(file: ByteSource, table: Buffer, first: number, number: number): { guid: string; bytes: Buffer }[] {
  if (number > MAX_ENTRIES || first + number * 32 > table.length)
    throw invalid(file.name, `has a VHDX table of ${number} entries`);
  return Array.from({ length: number }, (_, index) => {
    const bytes = table.subarray(first + index * 32, first + (index + 1) * 32);
    return { guid: bytes.subarray(0, 16).toString('hex'), bytes };
  });
}

const differencing = (file: ByteSource): Error =>
  invalid(file.name, 'is a differencing VHDX: it holds only the changes to another file; merge them first');
