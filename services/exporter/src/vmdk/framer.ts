import { Carry } from './carry.js';
import { VmdkError } from './errors.js';
import {
  GRAIN_BYTES,
  GRAIN_SECTORS,
  MARKER,
  MAX_GRAIN_DATA,
  SECTOR,
  TABLE_SECTORS,
  parseHeader,
  type VmdkHeader,
} from './format.js';
import { FrontTables } from './front-tables.js';
import { GrainTables } from './tables.js';

/** Zeros that may follow the end-of-stream marker. */
const MAX_TRAILING = 1024 * 1024;
const CARRY_BYTES = 512 * 1024;
/** The most that `push` takes at once: bounds what one call can set free (tiny grains expand 128 times). */
export const PUSH_BYTES = 64 * 1024;

export interface FramerEvents {
  /** The header was read; may throw to refuse the disk. */
  header(header: VmdkHeader): void;
  /** The zlib data of a grain, valid during the call only. `offset` is where its marker begins. */
  grain(index: number, data: Buffer, offset: number): void;
}

/**
 * Cuts a streamOptimized VMDK into grains and checks everything but their content: markers, lengths, order, tables, end.
 * Reads both layouts: directory and footer at the end (ESXi), directory first (qemu-img).
 *
 * Grains have to come in the order of the disk. Every known writer sends them so, and it is what lets content be hashed on
 * the way in, a grain sent twice be noticed and the image be written with constant memory.
 */
export class VmdkFramer {
  header: VmdkHeader | undefined;
  private readonly carry = new Carry(CARRY_BYTES);
  private tables: GrainTables | undefined;
  private lastGrain = -1;
  /** Bytes to pass over: what follows the header, and the padding of a grain. */
  private padding = 0;
  private section: { left: number; take(sector: Buffer): void } | undefined;
  private directorySector: number | undefined;
  private footerSeen = false;
  /** A stream may repeat its tables, but not for ever: each takes a little memory. */
  private tablesTold = 0;
  private ended = false;
  private trailing = 0;

  constructor(private readonly events: FramerEvents) {}

  /** Takes the next piece, of at most PUSH_BYTES. @throws VmdkError */
  push(piece: Buffer): void {
    this.carry.push(piece);
    while (this.step());
  }

  /** The stream is over. @throws VmdkError when it was not complete */
  end(): void {
    const { carry, header, tables } = this;
    if (carry.offset + carry.length === 0) throw new VmdkError('empty', 'the stream is empty', 0);
    const truncated = (message: string): VmdkError => new VmdkError('truncated', message, carry.offset + carry.length);
    if (header === undefined || tables === undefined) throw truncated('the stream ends within the header');
    // Padding of the last grain may be missing where nothing has to follow: qemu-img leaves it out.
    const needsMore = header.directorySector === undefined && !this.ended;
    if (this.section !== undefined || carry.length > 0 || (this.padding > 0 && this.lastGrain < 0))
      throw truncated('the stream ends in the middle of a record');
    if (needsMore) throw truncated('the stream ends before its footer and end-of-stream marker');
    tables.check(carry.offset);
  }

  /** Uses up one record; false when more bytes are needed. */
  private step(): boolean {
    const { carry } = this;
    if (carry.length === 0) return false;
    if (this.header === undefined) return this.readHeader();
    if (this.section !== undefined) return this.readSection(this.section);
    if (this.padding > 0) {
      const length = Math.min(this.padding, carry.length);
      carry.skip(length);
      this.padding -= length;
      return true;
    }
    if (this.ended) return this.readTrailing();
    if (carry.length < 16) return false;
    return carry.peek(12).readUInt32LE(8) > 0 ? this.readGrain(this.header) : this.readMarker(this.header);
  }

  private readHeader(): boolean {
    const { carry } = this;
    if (carry.length < SECTOR) return false;
    const header = parseHeader(carry.peek(SECTOR), 0);
    // It may refuse the disk, before memory is taken for what this header claims.
    this.events.header(header);
    this.header = header;
    this.tables = new GrainTables(header.tables);
    carry.skip(SECTOR);
    const { directorySector } = header;
    if (directorySector === undefined) this.padding = (header.overheadSectors - 1) * SECTOR;
    else {
      const front = new FrontTables(header, this.tables, directorySector);
      const left = front.sectorsLeft;
      this.section = left === 0 ? undefined : { left, take: (bytes) => front.take(bytes) };
    }
    return true;
  }

  private readSection(section: { left: number; take(sector: Buffer): void }): boolean {
    if (this.carry.length < SECTOR) return false;
    section.take(this.carry.peek(SECTOR));
    this.carry.skip(SECTOR);
    if (--section.left === 0) this.section = undefined;
    return true;
  }

  private readGrain(header: VmdkHeader): boolean {
    const { carry } = this;
    const { offset } = carry;
    const marker = carry.peek(12);
    const size = marker.readUInt32LE(8);
    if (size > MAX_GRAIN_DATA) throw new VmdkError('marker', `a grain of ${size} compressed bytes`, offset + 8);
    if (this.directorySector !== undefined && header.directorySector === undefined)
      throw new VmdkError('marker', 'a grain after the grain directory', offset);
    const sector = marker.readBigUInt64LE(0);
    if (sector % BigInt(GRAIN_SECTORS) !== 0n)
      throw new VmdkError('marker', `a grain at sector ${sector}, which is not a multiple of ${GRAIN_SECTORS}`, offset);
    if (sector >= BigInt(header.grains * GRAIN_SECTORS))
      throw new VmdkError('beyond', `a grain at sector ${sector}, beyond the disk's capacity`, offset);
    const index = Number(sector) / GRAIN_SECTORS;
    if (index === this.lastGrain) throw new VmdkError('duplicate', `the grain at sector ${sector} came twice`, offset);
    if (index < this.lastGrain)
      throw new VmdkError(
        'order',
        `the grain at sector ${sector} came after the one at sector ${this.lastGrain * GRAIN_SECTORS}`,
        offset,
      );
    if (carry.length < 12 + size) return false;
    this.events.grain(index, carry.peek(size, 12), offset);
    this.tables?.grain(index, offset / SECTOR);
    this.lastGrain = index;
    carry.skip(12 + size);
    this.padding = (SECTOR - ((12 + size) % SECTOR)) % SECTOR;
    return true;
  }

  private readMarker(header: VmdkHeader): boolean {
    const { carry, tables } = this;
    if (carry.length < SECTOR || tables === undefined) return false;
    const { offset } = carry;
    const marker = carry.peek(SECTOR);
    const sectors = marker.readBigUInt64LE(0);
    const type = marker.readUInt32LE(12);
    const expect = (wanted: number, what: string): void => {
      if (sectors !== BigInt(wanted))
        throw new VmdkError('marker', `${what} of ${sectors} sectors instead of ${wanted}`, offset);
    };
    const at = offset / SECTOR + 1;
    carry.skip(SECTOR);
    // With the directory in front, tables at the end would be a second truth: they are passed over.
    const counts = header.directorySector === undefined;
    switch (type) {
      case MARKER.endOfStream:
        expect(0, 'an end-of-stream marker');
        if (counts && !this.footerSeen)
          throw new VmdkError('marker', 'the end of the stream before its footer', offset);
        this.ended = true;
        return true;
      case MARKER.grainTable: {
        expect(TABLE_SECTORS, 'a grain table');
        let part = 0;
        this.section = {
          left: TABLE_SECTORS,
          take: (bytes) => (counts ? tables.tableSector(bytes, at, part++) : undefined),
        };
        if (counts && ++this.tablesTold > header.tables * 2)
          throw new VmdkError('tables', `more than ${header.tables * 2} grain tables`, offset);
        return true;
      }
      case MARKER.grainDirectory:
        expect(header.directorySectors, 'a grain directory');
        if (this.directorySector !== undefined) throw new VmdkError('marker', 'a second grain directory', offset);
        this.directorySector = at;
        this.section = {
          left: header.directorySectors,
          take: (bytes) => (counts ? tables.directorySector(bytes) : undefined),
        };
        return true;
      case MARKER.footer:
        expect(1, 'a footer');
        if (this.directorySector === undefined)
          throw new VmdkError('marker', 'a footer before the grain directory', offset);
        this.section = { left: 1, take: (bytes) => this.readFooter(header, bytes, offset + SECTOR) };
        return true;
      default:
        throw new VmdkError('marker', `a marker of unknown type ${type}`, offset + 12);
    }
  }

  private readFooter(header: VmdkHeader, bytes: Buffer, offset: number): void {
    const footer = parseHeader(bytes, offset);
    if (footer.capacityBytes !== header.capacityBytes)
      throw new VmdkError('header', 'header and footer tell different capacities', offset + 12);
    if (footer.directorySector !== this.directorySector)
      throw new VmdkError('header', 'the footer points at another grain directory', offset + 56);
    this.footerSeen = true;
  }

  private readTrailing(): boolean {
    const { carry } = this;
    const bytes = carry.peek(carry.length);
    const dirty = bytes.findIndex((byte) => byte !== 0);
    this.trailing += bytes.length;
    if (dirty >= 0 || this.trailing > MAX_TRAILING)
      throw new VmdkError('trailing', 'bytes after the end of the stream', carry.offset + Math.max(dirty, 0));
    carry.skip(bytes.length);
    return true;
  }
}

/** Guest-visible bytes of a grain: the last one may be shorter. */
export const grainLength = (header: VmdkHeader, index: number): number =>
  Math.min(GRAIN_BYTES, header.capacityBytes - index * GRAIN_BYTES);
