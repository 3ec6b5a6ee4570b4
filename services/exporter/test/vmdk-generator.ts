/** Valid streamOptimized VMDKs of both layouts as lists of records, so that a test can mutate records and bytes. */
import { deflateSync } from 'node:zlib';
import { GRAIN, grainRecord, marker, noise, text, vmdkHeader } from './vmdk-fixture.js';

const SECTOR = 512;
const PER_TABLE = 512;
const DESCRIPTOR_SECTORS = 20;

export type RecordKind = 'header' | 'grain' | 'marker' | 'table' | 'directory' | 'footer' | 'end' | 'filler';
export interface VmdkRecord {
  readonly kind: RecordKind;
  readonly bytes: Buffer;
}

export interface DiskPlan {
  readonly capacity: number;
  /** Grain number → content of its visible length. */
  readonly grains: ReadonlyMap<number, Buffer>;
}

export interface LayoutPlan {
  /** Where the directory lies. */
  readonly directory: 'first' | 'last';
  /** Directory last: a table follows its grains, or all of them follow the last grain. */
  readonly tables: 'inline' | 'together';
  /** zlib's level of each grain, in turns; 0 stores. */
  readonly levels: readonly number[];
  /** The last grain may come whole though the disk ends within it. */
  readonly wholeLast: boolean;
  /** Directory first: nothing has to follow the grains, but it may. */
  readonly endMarker: boolean;
  /** Tables without grains may be there or not. */
  readonly emptyTables: boolean;
  /** Directory first: a copy of directory and tables before them, as qemu-img writes it. */
  readonly redundant: boolean;
}

export const grainsOf = (capacity: number): number => Math.ceil(capacity / GRAIN);
export const visible = (capacity: number, grain: number): number => Math.min(GRAIN, capacity - grain * GRAIN);

/** Kinds of content that data on disks has; each is made once. */
const CONTENTS = [
  text(1),
  text(2),
  noise(GRAIN, 3),
  noise(GRAIN, 4),
  Buffer.alloc(GRAIN),
  Buffer.alloc(GRAIN, 0xff),
  Buffer.concat([Buffer.alloc(GRAIN - 1), Buffer.from([7])]),
  Buffer.concat([noise(GRAIN / 2, 5), Buffer.alloc(GRAIN / 2)]),
];
export const CONTENT_KINDS = CONTENTS.length;
export const contentOf = (kind: number, length: number): Buffer =>
  (CONTENTS[kind % CONTENT_KINDS] ?? Buffer.alloc(GRAIN)).subarray(0, length);

const deflated = new Map<string, Buffer>();
function deflate(content: Buffer, level: number): Buffer {
  // The same content comes again and again; its whole text is the key to nothing but itself.
  const key = `${level} ${content.length} ${content.toString('latin1')}`;
  let data = deflated.get(key);
  if (data === undefined) deflated.set(key, (data = deflateSync(content, { level })));
  return data;
}

export function records(disk: DiskPlan, layout: LayoutPlan): VmdkRecord[] {
  return layout.directory === 'first' ? directoryFirst(disk, layout) : directoryLast(disk, layout);
}

function grainRecords({ capacity, grains }: DiskPlan, { levels, wholeLast }: LayoutPlan): [number, Buffer][] {
  return [...grains]
    .toSorted(([a], [b]) => a - b)
    .map(([grain, content], at) => {
      const short = visible(capacity, grain) < GRAIN;
      const whole = short && wholeLast ? Buffer.concat([content, Buffer.alloc(GRAIN - content.length)]) : content;
      return [grain, grainRecord(grain, deflate(whole, levels[at % levels.length] ?? 6))];
    });
}

const tableOf = (grain: number): number => Math.floor(grain / PER_TABLE);
const tableCount = (capacity: number): number => Math.ceil(grainsOf(capacity) / PER_TABLE);
const directoryBytes = (tables: number): Buffer => Buffer.alloc(Math.ceil((tables * 4) / SECTOR) * SECTOR);

function directoryLast(disk: DiskPlan, layout: LayoutPlan): VmdkRecord[] {
  const out: VmdkRecord[] = [];
  let sector = 0;
  const put = (kind: RecordKind, bytes: Buffer): number => {
    const at = sector;
    out.push({ kind, bytes });
    sector += bytes.length / SECTOR;
    return at;
  };
  put('header', vmdkHeader(disk.capacity, 0xffff_ffff_ffff_ffffn));
  put('filler', Buffer.alloc(127 * SECTOR));
  const count = tableCount(disk.capacity);
  const directory = directoryBytes(count);
  const tables = Array.from({ length: count }, () => ({
    bytes: Buffer.alloc(PER_TABLE * 4),
    used: false,
    done: false,
  }));
  const close = (number: number): void => {
    const table = tables[number];
    if (table === undefined || table.done || (!table.used && !layout.emptyTables)) return;
    table.done = true;
    put('marker', marker(4, 1));
    directory.writeUInt32LE(put('table', table.bytes), number * 4);
  };
  let open = 0;
  for (const [grain, bytes] of grainRecords(disk, layout)) {
    const number = tableOf(grain);
    if (layout.tables === 'inline') for (; open < number; open++) close(open);
    const table = tables[number];
    if (table === undefined) throw new Error(`grain ${grain} is beyond the disk`);
    table.used = true;
    table.bytes.writeUInt32LE(put('grain', bytes), (grain % PER_TABLE) * 4);
  }
  for (let number = 0; number < count; number++) close(number);
  put('marker', marker(directory.length / SECTOR, 2));
  const directorySector = put('directory', directory);
  put('marker', marker(1, 3));
  put('footer', vmdkHeader(disk.capacity, BigInt(directorySector)));
  put('end', marker(0, 0));
  return out;
}

function directoryFirst(disk: DiskPlan, layout: LayoutPlan): VmdkRecord[] {
  const count = tableCount(disk.capacity);
  const tables = Array.from({ length: count }, () => Buffer.alloc(PER_TABLE * 4));
  const front: VmdkRecord[] = [];
  let sector = 1 + DESCRIPTOR_SECTORS;
  const directories: number[] = [];
  for (let copy = layout.redundant ? 0 : 1; copy < 2; copy++) {
    const directory = directoryBytes(count);
    directories.push(sector);
    sector += directory.length / SECTOR;
    for (let number = 0; number < count; number++, sector += 4) directory.writeUInt32LE(sector, number * 4);
    front.push(
      { kind: 'directory', bytes: directory },
      ...tables.map((bytes): VmdkRecord => ({ kind: 'table', bytes })),
    );
  }
  const overhead = Math.ceil(sector / 128) * 128;
  front.push({ kind: 'filler', bytes: Buffer.alloc((overhead - sector) * SECTOR) });
  sector = overhead;
  for (const [grain, bytes] of grainRecords(disk, layout)) {
    tables[tableOf(grain)]?.writeUInt32LE(sector, (grain % PER_TABLE) * 4);
    front.push({ kind: 'grain', bytes });
    sector += bytes.length / SECTOR;
  }
  const header = vmdkHeader(disk.capacity, BigInt(directories.at(-1) ?? 0), overhead);
  if (layout.redundant) header.writeBigUInt64LE(BigInt(directories[0] ?? 0), 48);
  header.writeBigUInt64LE(BigInt(DESCRIPTOR_SECTORS), 36);
  return [
    { kind: 'header', bytes: header },
    { kind: 'filler', bytes: pad(Buffer.from('# Disk DescriptorFile\n'), DESCRIPTOR_SECTORS * SECTOR) },
    ...front,
    ...(layout.endMarker ? [{ kind: 'end', bytes: marker(0, 0) } as const] : []),
  ];
}

const pad = (bytes: Buffer, length: number): Buffer => Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
