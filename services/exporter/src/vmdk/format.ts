import { VmdkError } from './errors.js';

/*
 * streamOptimized VMDK, after VMware's "Virtual Disk Format 5.0". All numbers are little-endian, all positions are sectors.
 * A stream is: header, descriptor, then markers. A marker with a size > 0 is a grain (12 bytes, then zlib data, padded to a
 * sector); one with size 0 takes a sector and announces metadata of `val` sectors: a grain table, the grain directory, the
 * footer, or (type 0) the end.
 */
export const SECTOR = 512;
export const GRAIN_BYTES = 65_536;
export const GRAIN_SECTORS = GRAIN_BYTES / SECTOR;
/** Entries of one grain table; one table covers 32 MiB. */
export const TABLE_ENTRIES = 512;
export const TABLE_SECTORS = (TABLE_ENTRIES * 4) / SECTOR;
/** zlib adds a few bytes to what it cannot compress; a marker that claims more than this is not true. */
export const MAX_GRAIN_DATA = 2 * GRAIN_BYTES;

export const MARKER = { endOfStream: 0, grainTable: 1, grainDirectory: 2, footer: 3 } as const;

const MAGIC = 0x56_4d_44_4b;
const FLAG_COMPRESSED = 1 << 16;
const FLAG_MARKERS = 1 << 17;
const COMPRESSION_DEFLATE = 1;
/** The directory comes at the end of the stream, and a footer repeats the header with its true position. */
const DIRECTORY_AT_END = 0xffff_ffff_ffff_ffffn;
/** 64 TiB; vSphere's limit is 62 TiB. Memory for the tables' sums goes by it: 14 bytes for 32 MiB. */
const MAX_CAPACITY_SECTORS = 2n ** 37n;
/** Descriptor and alignment; what the tables need comes on top. */
const OVERHEAD_SLACK_SECTORS = 8_192;

export interface VmdkHeader {
  readonly capacityBytes: number;
  readonly grains: number;
  readonly tables: number;
  /** Sectors of the grain directory. */
  readonly directorySectors: number;
  /** Sectors before the first marker. */
  readonly overheadSectors: number;
  /** undefined: at the end, as ESXi sends it. */
  readonly directorySector: number | undefined;
  /** Of a copy of the directory, which nobody needs. */
  readonly redundantSector: number | undefined;
  readonly descriptorSector: number;
  readonly descriptorSectors: number;
}

/** @throws VmdkError with the position in the stream, `base` being where these 512 bytes begin */
export function parseHeader(bytes: Buffer, base: number): VmdkHeader {
  const refuse = (problem: 'not-vmdk' | 'unsupported' | 'header', message: string, at: number): never => {
    throw new VmdkError(problem, message, base + at);
  };
  if (bytes.readUInt32LE(0) !== MAGIC) refuse('not-vmdk', 'the stream is not a VMDK', 0);
  const version = bytes.readUInt32LE(4);
  if (version < 1 || version > 3) refuse('unsupported', `VMDK version ${version} is not known`, 4);
  const flags = bytes.readUInt32LE(8);
  if ((flags & FLAG_COMPRESSED) === 0 || (flags & FLAG_MARKERS) === 0)
    refuse('unsupported', 'the VMDK is not streamOptimized', 8);
  const capacity = bytes.readBigUInt64LE(12);
  if (capacity === 0n || capacity > MAX_CAPACITY_SECTORS) refuse('header', `a capacity of ${capacity} sectors`, 12);
  const grain = bytes.readBigUInt64LE(20);
  if (grain !== BigInt(GRAIN_SECTORS)) refuse('unsupported', `grains of ${grain} sectors are not supported`, 20);
  const entries = bytes.readUInt32LE(44);
  if (entries !== TABLE_ENTRIES) refuse('unsupported', `grain tables of ${entries} entries are not supported`, 44);
  // "\n \r\n": a transfer in text mode would have changed it.
  if (bytes.readUInt32BE(73) !== 0x0a_20_0d_0a) refuse('header', 'the line ends of the header were changed', 73);
  const compression = bytes.readUInt16LE(77);
  if (compression !== COMPRESSION_DEFLATE) refuse('unsupported', `compression ${compression} is not known`, 77);

  const capacityBytes = Number(capacity) * SECTOR;
  const grains = Math.ceil(capacityBytes / GRAIN_BYTES);
  const tables = Math.ceil(grains / TABLE_ENTRIES);
  const directorySectors = Math.ceil((tables * 4) / SECTOR);
  const overhead = bytes.readBigUInt64LE(64);
  // Both directories with all their tables may come first.
  const most = OVERHEAD_SLACK_SECTORS + 2 * (directorySectors + tables * TABLE_SECTORS);
  if (overhead === 0n || overhead > BigInt(most)) refuse('header', `an overhead of ${overhead} sectors`, 64);
  const directory = bytes.readBigUInt64LE(56);
  const atEnd = directory === DIRECTORY_AT_END;
  if (!atEnd && (directory === 0n || directory > 2n ** 51n))
    refuse('header', `a grain directory at sector ${directory}`, 56);
  const redundant = bytes.readBigUInt64LE(48);
  return {
    capacityBytes,
    grains,
    tables,
    directorySectors,
    overheadSectors: Number(overhead),
    directorySector: atEnd ? undefined : Number(directory),
    redundantSector: redundant === 0n || redundant > 2n ** 51n ? undefined : Number(redundant),
    descriptorSector: Number(bytes.readBigUInt64LE(28)),
    descriptorSectors: Number(bytes.readBigUInt64LE(36)),
  };
}
