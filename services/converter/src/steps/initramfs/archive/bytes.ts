/** An initramfs that is not what it should be: it comes from the guest, so this is no fault of ours. */
export class ArchiveError extends Error {}

/** Exact counts of bytes out of chunks of any size; holds no more than one chunk and what is asked for. */
export class ByteReader {
  /** Bytes taken so far. */
  position = 0;
  private readonly source: AsyncIterator<Buffer>;
  private held: Buffer = Buffer.alloc(0);

  /** @param limitBytes of the whole source: what is decompressed has no natural end */
  constructor(
    source: AsyncIterable<Buffer>,
    private readonly limitBytes: number,
  ) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, fewer at the end; they stay to be taken. */
  async peek(count: number): Promise<Buffer> {
    if (this.held.length >= count) return this.held.subarray(0, count);
    const parts = [this.held];
    for (let length = this.held.length; length < count;) {
      const chunk = await this.next();
      if (chunk === undefined) break;
      parts.push(chunk);
      length += chunk.length;
    }
    this.held = Buffer.concat(parts);
    return this.held.subarray(0, count);
  }

  /** @throws ArchiveError when the source ends before */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.peek(count);
    if (bytes.length < count) throw new ArchiveError(`it ends at byte ${this.position + bytes.length}, in an entry`);
    this.held = this.held.subarray(count);
    this.position += count;
    return bytes;
  }

  /** The same in the pieces in which they come. */
  async *pieces(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (this.held.length === 0) await this.peek(1);
      if (this.held.length === 0) throw new ArchiveError(`it ends at byte ${this.position}, in an entry`);
      const piece = this.held.subarray(0, left);
      this.held = this.held.subarray(piece.length);
      this.position += piece.length;
      left -= piece.length;
      yield piece;
    }
  }

  async skip(count: number): Promise<void> {
    for await (const piece of this.pieces(count)) void piece;
  }

  /** Past the zeros with which archives are padded. */
  async skipZeros(): Promise<void> {
    for (;;) {
      if (this.held.length === 0 && (await this.peek(1)).length === 0) return;
      const end = this.held.findIndex((byte) => byte !== 0);
      const zeros = end < 0 ? this.held.length : end;
      this.held = this.held.subarray(zeros);
      this.position += zeros;
      if (end >= 0) return;
    }
  }

  /** Ends the source; what is left is not read. */
  async close(): Promise<void> {
    this.held = Buffer.alloc(0);
    await this.source.return?.();
  }

  private async next(): Promise<Buffer | undefined> {
    const { done, value } = await this.source.next();
    if (done === true) return undefined;
    if (this.position + this.held.length + value.length > this.limitBytes) {
      throw new ArchiveError(`it has more than ${this.limitBytes} bytes`);
    }
    return value;
  }
}
