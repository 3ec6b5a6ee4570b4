import { VmdkError } from './errors.js';
import { SECTOR, TABLE_SECTORS, type VmdkHeader } from './format.js';
import type { GrainTables } from './tables.js';

const ZEROS = Buffer.alloc(SECTOR);

/**
 * What lies between header and grains when the directory comes first: the descriptor, the directory and its tables, often a
 * redundant copy of both, and zeros. Anything else there is a grain that slid forward when something before it was lost; to
 * pass over it would be to lose it.
 */
export class FrontTables {
  private sector = 1;
  private readonly main: Directory;
  private readonly copy: Directory | undefined;

  constructor(
    private readonly header: VmdkHeader,
    private readonly tables: GrainTables,
    directorySector: number,
  ) {
    if (directorySector + header.directorySectors > header.overheadSectors)
      throw new VmdkError('header', 'the grain directory does not fit before the grains', 56);
    const { redundantSector } = header;
    this.main = new Directory(directorySector, header);
    this.copy = redundantSector === undefined ? undefined : new Directory(redundantSector, header);
  }

  get sectorsLeft(): number {
    return this.header.overheadSectors - this.sector;
  }

  /** The next sector. @throws VmdkError */
  take(bytes: Buffer): void {
    const at = this.sector++;
    if (this.main.holds(at)) {
      this.tables.directorySector(bytes);
      this.main.read(bytes);
      return;
    }
    const table = this.main.tableAt(at);
    if (table !== undefined) {
      this.tables.tableSector(bytes, table, at - table);
      return;
    }
    if (this.copy?.holds(at) === true) this.copy.read(bytes);
    else if (!this.inDescriptor(at) && this.copy?.tableAt(at) === undefined && !bytes.equals(ZEROS))
      throw new VmdkError('header', 'bytes before the grains that belong to nothing', at * SECTOR);
  }

  private inDescriptor(at: number): boolean {
    const { descriptorSector, descriptorSectors } = this.header;
    return at >= descriptorSector && at < descriptorSector + descriptorSectors;
  }
}

/** A grain directory, and the tables that it names once it was read. */
class Directory {
  private readonly starts = new Set<number>();
  private current = -1;
  private left: number;

  constructor(
    private readonly first: number,
    private readonly header: VmdkHeader,
  ) {
    this.left = header.tables;
  }

  holds(at: number): boolean {
    return at >= this.first && at < this.first + this.header.directorySectors;
  }

  read(bytes: Buffer): void {
    for (let i = 0; i < SECTOR / 4 && this.left > 0; i++, this.left--) {
      const start = bytes.readUInt32LE(i * 4);
      if (start !== 0) this.starts.add(start);
    }
  }

  /** Where the table that this sector belongs to begins. */
  tableAt(at: number): number | undefined {
    if (this.starts.has(at)) this.current = at;
    return this.current >= 0 && at < this.current + TABLE_SECTORS ? this.current : undefined;
  }
}
