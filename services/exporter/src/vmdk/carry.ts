/** Bytes of a stream that are not used yet. Only what is left of the last piece is ever moved. */
export class Carry {
  private readonly bytes: Buffer;
  private read = 0;
  private written = 0;
  /** Position in the stream of the first unused byte. */
  offset = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.written - this.read;
  }

  /** How much may be pushed now. */
  get room(): number {
    return this.bytes.length - this.length;
  }

  push(piece: Buffer): void {
    if (this.written + piece.length > this.bytes.length) {
      this.bytes.copyWithin(0, this.read, this.written);
      this.written -= this.read;
      this.read = 0;
    }
    this.written += piece.copy(this.bytes, this.written);
  }

  /** A view of the next bytes, valid until the next push. */
  peek(length: number, from = 0): Buffer {
    return this.bytes.subarray(this.read + from, this.read + from + length);
  }

  skip(length: number): void {
    this.read += length;
    this.offset += length;
    if (this.read === this.written) {
      this.read = 0;
      this.written = 0;
    }
  }
}
