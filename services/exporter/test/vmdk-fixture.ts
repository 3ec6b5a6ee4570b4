/** Builds streamOptimized VMDKs of either layout, by the book or awkward on purpose, without the code under test. */
import { deflateSync } from 'node:zlib';

export const GRAIN = 65_536;
const SECTOR = 512;
const GRAINS_PER_TABLE = 512;

export interface StreamOptions {
  capacity: number;
  /** In the order in which they are sent. `at` is where their marker says they belong. */
  grains: { at: number; content: Buffer; level?: number }[];
  footer?: boolean;
  endOfStream?: boolean;
  /** What the tables say about a grain's position (sectors), for lies. */
  tableEntry?: (grain: number, sector: number) => number;
  footerCapacity?: number;
}

export function vmdkHeader(capacity: number, directorySector: bigint, overhead = 128): Buffer {
  const header = Buffer.alloc(SECTOR);
  header.write('KDMV', 0, 'latin1');
  header.writeUInt32LE(3, 4);
  header.writeUInt32LE(0x3_00_01, 8);
  header.writeBigUInt64LE(BigInt(capacity / SECTOR), 12);
  header.writeBigUInt64LE(128n, 20);
  header.writeBigUInt64LE(1n, 28);
  header.writeBigUInt64LE(1n, 36);
  header.writeUInt32LE(GRAINS_PER_TABLE, 44);
  header.writeBigUInt64LE(directorySector, 56);
  header.writeBigUInt64LE(BigInt(overhead), 64);
  header.write('\n \r\n', 73, 'latin1');
  header.writeUInt16LE(1, 77);
  return header;
}

export function marker(sectors: number, type: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.writeBigUInt64LE(BigInt(sectors), 0);
  bytes.writeUInt32LE(type, 12);
  return bytes;
}

export function grainRecord(at: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(at * 128), 0);
  head.writeUInt32LE(data.length, 8);
  return pad(Buffer.concat([head, data]));
}

/** The layout that ESXi sends: tables, directory, footer and end-of-stream marker last. */
export function footerLast(options: StreamOptions): Buffer {
  const { capacity, grains, footer = true, endOfStream = true } = options;
  const parts: Buffer[] = [vmdkHeader(capacity, 0xffff_ffff_ffff_ffffn), Buffer.alloc(127 * SECTOR)];
  let sector = 128;
  const put = (part: Buffer): void => {
    parts.push(part);
    sector += part.length / SECTOR;
  };
  const tables = new Map<number, Buffer>();
  for (const { at, content, level } of grains) {
    const table = Math.floor(at / GRAINS_PER_TABLE);
    if (!tables.has(table)) tables.set(table, Buffer.alloc(GRAINS_PER_TABLE * 4));
    const entry = options.tableEntry?.(at, sector) ?? sector;
    tables.get(table)?.writeUInt32LE(entry, (at % GRAINS_PER_TABLE) * 4);
    put(grainRecord(at, deflateSync(content, level === undefined ? {} : { level })));
  }
  const count = Math.ceil(Math.ceil(capacity / GRAIN) / GRAINS_PER_TABLE);
  const directory = Buffer.alloc(Math.ceil((count * 4) / SECTOR) * SECTOR);
  for (const [table, bytes] of tables) {
    put(marker(bytes.length / SECTOR, 1));
    directory.writeUInt32LE(sector, table * 4);
    put(bytes);
  }
  put(marker(directory.length / SECTOR, 2));
  const directorySector = sector;
  put(directory);
  if (footer) {
    put(marker(1, 3));
    put(vmdkHeader(options.footerCapacity ?? capacity, BigInt(directorySector)));
  }
  if (endOfStream) put(marker(0, 0));
  return Buffer.concat(parts);
}

/** Random-looking bytes that do not deflate, the same for the same seed. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let x = Math.imul(seed, 2_654_435_761) >>> 0 || 1;
  for (let i = 0; i + 4 <= length; i += 4) {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    bytes.writeUInt32LE(x, i);
  }
  return bytes;
}

export const text = (seed: number, length = GRAIN): Buffer => Buffer.alloc(length, `line ${seed} of some text; `);

/** The raw disk that the grains make. */
export function rawDisk({ capacity, grains }: Pick<StreamOptions, 'capacity' | 'grains'>): Buffer {
  const disk = Buffer.alloc(capacity);
  for (const { at, content } of grains) content.copy(disk, at * GRAIN);
  return disk;
}

const pad = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((SECTOR - (bytes.length % SECTOR)) % SECTOR)]);
