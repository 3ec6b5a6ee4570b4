import { CLUSTER, isZero } from '../../image/index.js';

/**
 * The content of one range as it comes. Zeros are seen piece by piece, while they are in the cache, and are not copied:
 * plain disks are mostly zeros.
 */
export class RangeContent {
  length = 0;
  filled = 0;
  private bytes: Buffer | undefined;
  private readonly holdsData: boolean[];

  /** @param capacity of the longest range */
  constructor(private readonly capacity: number) {
    this.holdsData = Array.from({ length: Math.ceil(capacity / CLUSTER) }, () => false);
  }

  /** For another range, or for the same once more. */
  begin(length: number): void {
    this.length = length;
    this.filled = 0;
    this.holdsData.fill(false);
  }

  /** False when there is more than the range has room for. */
  push(piece: Buffer): boolean {
    if (this.filled + piece.length > this.length) return false;
    for (let at = 0; at < piece.length;) {
      const to = this.filled + at;
      const inCluster = to % CLUSTER;
      const part = piece.subarray(at, at + Math.min(piece.length - at, CLUSTER - inCluster));
      this.place(part, to, inCluster);
      at += part.length;
    }
    this.filled += piece.length;
    return true;
  }

  /** Each cluster that is not all zeros, and where it begins in the range; valid until `begin`. */
  *data(): Generator<readonly [at: number, content: Buffer]> {
    const { bytes } = this;
    if (bytes === undefined) return;
    for (let at = 0; at < this.length; at += CLUSTER)
      if (this.holdsData[at / CLUSTER] === true) yield [at, bytes.subarray(at, Math.min(at + CLUSTER, this.length))];
  }

  private place(part: Buffer, to: number, inCluster: number): void {
    const cluster = Math.floor(to / CLUSTER);
    const before = this.holdsData[cluster] === true;
    if (isZero(part)) {
      if (before) this.bytes?.fill(0, to, to + part.length);
      return;
    }
    this.bytes ??= Buffer.allocUnsafeSlow(this.capacity);
    // Zeros at the cluster's start were passed over; the buffer still holds what another range left there.
    if (!before) this.bytes.fill(0, to - inCluster, to);
    this.holdsData[cluster] = true;
    part.copy(this.bytes, to);
  }
}
