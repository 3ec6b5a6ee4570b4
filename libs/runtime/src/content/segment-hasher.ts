import { createHash, type Hash } from 'node:crypto';

const ZEROS = Buffer.alloc(1024 * 1024);

/**
 * SHA-256 of each segment of a disk's guest-visible content, fed with its data in order; what is left out is zeros.
 * A segment without any data is null, not the hash of its zeros.
 */
export class SegmentHasher {
  private readonly hashes: (string | null)[] = [];
  private current: Hash | undefined;
  /** First byte that is not hashed yet, holes included. */
  private position = 0;

  constructor(
    private readonly capacityBytes: number,
    private readonly segmentBytes: number,
  ) {}

  /** @param offset in the disk, not below the end of the last data; the data may cross segments */
  data(offset: number, content: Buffer): void {
    if (offset < this.position) throw new RangeError(`data at ${offset} after ${this.position}`);
    this.advance(offset);
    let at = 0;
    while (at < content.length) {
      const length = Math.min(content.length - at, this.segmentEnd() - this.position);
      this.open().update(content.subarray(at, at + length));
      this.position += length;
      at += length;
      if (this.position === this.segmentEnd()) this.closeSegment();
    }
  }

  /** The rest is zeros. */
  finish(): (string | null)[] {
    this.advance(this.capacityBytes);
    return this.hashes;
  }

  /** Passes over zeros up to `offset`. They are hashed only within a segment that has data. */
  private advance(offset: number): void {
    while (this.position < offset) {
      const end = Math.min(this.segmentEnd(), offset);
      // A hole at a segment's start is remembered by the position alone, until data follows.
      if (this.current !== undefined) zeros(this.current, end - this.position);
      this.position = end;
      if (this.position === this.segmentEnd()) this.closeSegment();
    }
  }

  private segmentEnd(): number {
    return Math.min((this.hashes.length + 1) * this.segmentBytes, this.capacityBytes);
  }

  private open(): Hash {
    if (this.current === undefined) {
      this.current = createHash('sha256');
      zeros(this.current, this.position - this.hashes.length * this.segmentBytes);
    }
    return this.current;
  }

  private closeSegment(): void {
    this.hashes.push(this.current?.digest('hex') ?? null);
    this.current = undefined;
  }
}

function zeros(hash: Hash, length: number): void {
  for (let left = length; left > 0; left -= ZEROS.length) hash.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
}
