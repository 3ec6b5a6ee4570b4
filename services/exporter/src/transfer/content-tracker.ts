import { crc32 } from 'node:zlib';
import { SegmentHasher } from '@hyper2kvm/runtime/content';
import { CLUSTER } from '../image/index.js';

/** A stretch of the disk whose content is complete, and what a later transfer has to know to go on behind it. */
export interface UnitRecord {
  readonly unit: number;
  /** A bit for each 64 KiB of the unit that holds data, the lowest bit of the first byte first; absent: none does. */
  readonly clusters?: Buffer;
  /** Of the data of those clusters, in their order. */
  readonly crc: number;
  /** First host cluster behind the unit's. */
  readonly next: number;
  /** With the last unit of a segment: the segment's hash. */
  readonly hash?: string | null;
}

/** Units are what a transfer is resumed by: 16 MiB where a segment has 64. */
export function unitBytesOf(segmentBytes: number): number {
  const quarter = segmentBytes / 4;
  return quarter % CLUSTER === 0 ? quarter : segmentBytes;
}

/** Where a disk's content is continued. */
export interface ContentStart {
  /** Units that are complete. */
  readonly units: number;
  /** Hashes of the complete segments. */
  readonly segments: readonly (string | null)[];
  /** Of the segment that is begun, fed with its complete units. */
  readonly hasher?: SegmentHasher;
}

/** Hashes content by segments as it comes in the order of the disk, and tells of each unit that is complete. */
export class ContentTracker {
  private readonly hashes: (string | null)[];
  private readonly unitBytes: number;
  private hasher: SegmentHasher | undefined;
  private unit: number;
  private clusters: Buffer | undefined;
  private crc = 0;

  constructor(
    private readonly capacityBytes: number,
    private readonly segmentBytes: number,
    /** Called before the first data behind the unit is taken. */
    private readonly complete?: (record: Omit<UnitRecord, 'next'>) => void,
    start: ContentStart = { units: 0, segments: [] },
  ) {
    this.unitBytes = unitBytesOf(segmentBytes);
    this.hashes = [...start.segments];
    this.hasher = start.hasher;
    this.unit = start.units;
  }

  /** @param content within a cluster */
  data(offset: number, content: Buffer): void {
    this.passed(offset);
    const segment = this.hashes.length;
    this.hasher ??= segmentHasher(segment, this.capacityBytes, this.segmentBytes);
    this.hasher.data(offset - segment * this.segmentBytes, content);
    if (this.complete === undefined) return;
    this.clusters ??= Buffer.alloc(Math.ceil(this.unitBytes / CLUSTER / 8));
    const cluster = (offset - this.unit * this.unitBytes) / CLUSTER;
    this.clusters[cluster >> 3] = (this.clusters[cluster >> 3] ?? 0) | (1 << (cluster & 7));
    this.crc = crc32(content, this.crc);
  }

  /** Everything below was given. */
  passed(doneBytes: number): void {
    while (this.unit * this.unitBytes < this.capacityBytes && this.unitEnd() <= doneBytes) this.closeUnit();
  }

  /** The rest is zeros. */
  finish(): (string | null)[] {
    this.passed(this.capacityBytes);
    return this.hashes;
  }

  private unitEnd(): number {
    return Math.min((this.unit + 1) * this.unitBytes, this.capacityBytes);
  }

  private closeUnit(): void {
    const end = this.unitEnd();
    const endsSegment = end % this.segmentBytes === 0 || end === this.capacityBytes;
    if (endsSegment) {
      this.hashes.push(this.hasher?.finish()[0] ?? null);
      this.hasher = undefined;
    }
    const { unit, clusters, crc } = this;
    this.unit++;
    this.clusters = undefined;
    this.crc = 0;
    this.complete?.({
      unit,
      crc,
      ...(clusters === undefined ? {} : { clusters }),
      ...(endsSegment ? { hash: this.hashes.at(-1) ?? null } : {}),
    });
  }
}

/** Of one segment: offsets count from its start. */
export const segmentHasher = (segment: number, capacityBytes: number, segmentBytes: number): SegmentHasher => {
  const length = Math.min(segmentBytes, capacityBytes - segment * segmentBytes);
  return new SegmentHasher(length, length);
};
