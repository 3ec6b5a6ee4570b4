import type { Socket } from 'node:net';

/** Exact numbers of bytes from a socket, with the socket held back meanwhile. */
export class SocketReader {
  private readonly pieces: AsyncIterator<Buffer>;
  private piece: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async exact(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    await this.into(bytes);
    return bytes;
  }

  /** Fills the target. @throws Error when the connection ends before */
  async into(target: Buffer): Promise<void> {
    let filled = 0;
    while (filled < target.length) {
      if (this.piece.length === 0) {
        const next = await this.pieces.next();
        if (next.done === true) throw new Error('the NBD connection ended');
        this.piece = next.value;
      }
      const length = this.piece.copy(target, filled);
      filled += length;
      this.piece = this.piece.subarray(length);
    }
  }
}
