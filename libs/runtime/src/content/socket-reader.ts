import { connect, type Socket } from 'node:net';

const READ_BYTES = 256 * 1024;

/**
 * Exact numbers of bytes from a unix socket, which is held back meanwhile. All of them come through one buffer: one of its own
 * for each piece would leave tens of megabytes of garbage with the thread that reads.
 */
export class SocketReader {
  private socket: Socket | undefined;
  /** Of the one buffer, not used up yet; nothing is read into it until then. */
  private piece: Buffer = Buffer.alloc(0);
  private waiting: { target: Buffer; filled: number; resolve(): void; reject(error: Error): void } | undefined;
  private over: Error | undefined;

  /** @throws the error of connecting */
  static async connect(path: string): Promise<{ socket: Socket; reader: SocketReader }> {
    const reader = new SocketReader();
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean =>
        reader.received(Buffer.from(buffer.buffer, buffer.byteOffset, length)),
    };
    const socket = await new Promise<Socket>((resolve, reject) => {
      const opening = connect({ path, onread });
      opening.once('connect', () => resolve(opening));
      opening.once('error', reject);
    });
    reader.socket = socket;
    socket.on('error', (error) => reader.end(error));
    socket.on('end', () => reader.end(new Error('the NBD connection ended')));
    socket.on('close', () => reader.end(new Error('the NBD connection ended')));
    return { socket, reader };
  }

  async exact(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    await this.into(bytes);
    return bytes;
  }

  /** Fills the target. One caller at a time. @throws Error when the connection ends before */
  async into(target: Buffer): Promise<void> {
    const filled = this.piece.copy(target);
    this.piece = this.piece.subarray(filled);
    if (filled === target.length) return;
    if (this.over) throw this.over;
    await new Promise<void>((resolve, reject) => {
      this.waiting = { target, filled, resolve, reject };
      this.socket?.resume();
    });
  }

  /** Returns whether more may come before somebody waits for it. */
  private received(bytes: Buffer): boolean {
    const { waiting } = this;
    let used = 0;
    if (waiting !== undefined) {
      used = bytes.copy(waiting.target, waiting.filled);
      waiting.filled += used;
      if (waiting.filled === waiting.target.length) {
        this.waiting = undefined;
        waiting.resolve();
      }
    }
    this.piece = bytes.subarray(used);
    return this.piece.length === 0;
  }

  private end(error: Error): void {
    this.over ??= error;
    this.waiting?.reject(this.over);
    this.waiting = undefined;
  }
}
