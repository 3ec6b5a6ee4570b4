import { VmdkError } from './errors.js';
import { SECTOR, TABLE_ENTRIES } from './format.js';

/**
 * Compares what the grain tables of a stream say with the grains that came. The tables are the only part of the format
 * that tells a missing or misplaced grain from a hole: each grain's data carries a checksum, its position does not.
 *
 * Kept small whatever the disk: not the entries but, for each table (32 MiB), their number and two sums over
 * (entry, position). Tables come before the directory that says which is which, so they are known by their own position.
 */
export class GrainTables {
  private readonly arrived: Sums;
  /** Of the tables in the stream, by the sector where each begins. */
  private readonly told = new Map<number, Entry>();
  private readonly directory: Uint32Array;
  private directoryEntries = 0;

  constructor(private readonly tables: number) {
    this.arrived = new Sums(tables);
    this.directory = new Uint32Array(tables);
  }

  /** A grain whose marker begins at this sector of the stream. */
  grain(index: number, sector: number): void {
    const table = Math.floor(index / TABLE_ENTRIES);
    this.arrived.add(table, index % TABLE_ENTRIES, sector);
  }

  /** One sector of a grain table that begins at `tableSector`; `part` is 0 to 3. */
  tableSector(bytes: Buffer, tableSector: number, part: number): void {
    let entry = this.told.get(tableSector);
    if (entry === undefined) this.told.set(tableSector, (entry = { count: 0, a: 0, b: 0 }));
    const first = part * (SECTOR / 4);
    for (let i = 0; i < SECTOR / 4; i++) {
      const sector = bytes.readUInt32LE(i * 4);
      // 0: no grain. 1: a grain of zeros without data.
      if (sector <= 1) continue;
      entry.count++;
      entry.a = (entry.a + mix(first + i, sector, 0x9e_37_79_b1)) >>> 0;
      entry.b = (entry.b + mix(first + i, sector, 0x85_eb_ca_77)) >>> 0;
    }
  }

  /** The next sector of the grain directory. */
  directorySector(bytes: Buffer): void {
    for (let i = 0; i < SECTOR / 4 && this.directoryEntries < this.tables; i++)
      this.directory[this.directoryEntries++] = bytes.readUInt32LE(i * 4);
  }

  /** @throws VmdkError when a table names other grains than those that came */
  check(offset: number): void {
    for (let table = 0; table < this.tables; table++) {
      const at = this.directory[table] ?? 0;
      const told = at === 0 ? undefined : this.told.get(at);
      if (at !== 0 && told === undefined)
        throw new VmdkError('tables', `grain table ${table} is not where the directory says`, offset);
      if (this.arrived.equals(table, told)) continue;
      throw new VmdkError(
        'tables',
        `the grains that came for the 32 MiB from ${table * 32} MiB on are not those of grain table ${table}`,
        offset,
      );
    }
  }
}

interface Entry {
  count: number;
  a: number;
  b: number;
}

class Sums {
  private readonly count: Uint16Array;
  private readonly a: Uint32Array;
  private readonly b: Uint32Array;

  constructor(tables: number) {
    this.count = new Uint16Array(tables);
    this.a = new Uint32Array(tables);
    this.b = new Uint32Array(tables);
  }

  add(table: number, entry: number, sector: number): void {
    this.count[table] = (this.count[table] ?? 0) + 1;
    this.a[table] = (this.a[table] ?? 0) + mix(entry, sector, 0x9e_37_79_b1);
    this.b[table] = (this.b[table] ?? 0) + mix(entry, sector, 0x85_eb_ca_77);
  }

  equals(table: number, other: Entry | undefined): boolean {
    return (
      this.count[table] === (other?.count ?? 0) &&
      this.a[table] === (other?.a ?? 0) &&
      this.b[table] === (other?.b ?? 0)
    );
  }
}

/** A 32-bit mix of two numbers (murmur's finaliser): detects accidents, it is no defence against intent. */
function mix(entry: number, sector: number, seed: number): number {
  let h = Math.imul(entry + 1, seed) ^ (sector >>> 0);
  h = Math.imul(h ^ (h >>> 16), 0x85_eb_ca_6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2_b2_ae_35);
  return (h ^ (h >>> 16)) >>> 0;
}
