import type { Socket } from 'node:net';
import { negotiate } from './nbd-handshake.js';
import { SocketReader } from './socket-reader.js';

/*
 * The part of the NBD protocol (NetworkBlockDevice/nbd, doc/proto.md) that reading back needs: fixed newstyle
 * negotiation, structured replies, and the allocation map (`base:allocation`). All numbers are big-endian.
 */
const REQUEST_MAGIC = 0x25_60_95_13;
const REPLY_MAGIC = 0x66_8e_33_ef;
const COMMAND = { read: 0, disconnect: 2, blockStatus: 7 } as const;
const CHUNK = { none: 0, offsetData: 1, offsetHole: 2, blockStatus: 5, errorBit: 0x8000 } as const;
const FLAG_DONE = 1;
const STATE_ZERO = 2;
/** More would be a server that talks nonsense. */
const MAX_CONTROL_BYTES = 8 * 1024 * 1024;

/** A run of the disk. `zero` means: reads as zeros, whether allocated or not. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
  readonly zero: boolean;
}

interface Pending {
  readonly offset: number;
  readonly target: Buffer | undefined;
  readonly extents: Extent[];
  resolve(): void;
  reject(error: Error): void;
  error?: Error;
}

/** A read-only NBD client on a unix socket. Several requests may be under way. */
export class NbdClient {
  private readonly pending = new Map<number, Pending>();
  private nextCookie = 1;
  private broken: Error | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly reader: SocketReader,
    readonly sizeBytes: number,
  ) {
    this.receive().catch((error: Error) => this.breakOff(error));
  }

  static async connect(path: string): Promise<NbdClient> {
    const { socket, reader } = await SocketReader.connect(path);
    try {
      return new NbdClient(socket, reader, await negotiate(socket, reader));
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** Fills `target` with the disk's content from `offset`. */
  async read(offset: number, target: Buffer): Promise<void> {
    await this.request(COMMAND.read, offset, target.length, target);
  }

  /** What lies in a range; may cover less of it than asked for, never nothing. */
  async extents(offset: number, length: number): Promise<Extent[]> {
    const { extents } = await this.request(COMMAND.blockStatus, offset, length, undefined);
    if (extents.length === 0) throw new Error('the NBD server gave no allocation map');
    return extents;
  }

  close(): void {
    if (this.broken === undefined) this.send(COMMAND.disconnect, 0, 0, 0);
    this.breakOff(new Error('the NBD connection is closed'));
    this.socket.end();
    this.socket.unref();
  }

  private async request(
    command: number,
    offset: number,
    length: number,
    target: Buffer | undefined,
  ): Promise<Pick<Pending, 'extents'>> {
    if (this.broken) throw this.broken;
    const cookie = this.nextCookie++;
    const extents: Extent[] = [];
    await new Promise<void>((resolve, reject) => {
      this.pending.set(cookie, { offset, target, extents, resolve, reject });
      this.send(command, cookie, offset, length);
    });
    return { extents };
  }

  private send(command: number, cookie: number, offset: number, length: number): void {
    const request = Buffer.alloc(28);
    request.writeUInt32BE(REQUEST_MAGIC, 0);
    request.writeUInt16BE(command, 6);
    request.writeBigUInt64BE(BigInt(cookie), 8);
    request.writeBigUInt64BE(BigInt(offset), 16);
    request.writeUInt32BE(length, 24);
    this.socket.write(request);
  }

  private async receive(): Promise<void> {
    for (;;) {
      const head = await this.reader.exact(20);
      if (head.readUInt32BE(0) !== REPLY_MAGIC) throw new Error('the NBD server sent an unknown reply');
      const done = (head.readUInt16BE(4) & FLAG_DONE) !== 0;
      const type = head.readUInt16BE(6);
      const cookie = Number(head.readBigUInt64BE(8));
      const pending = this.pending.get(cookie);
      if (pending === undefined) throw new Error('the NBD server answered what was not asked');
      await this.chunk(type, head.readUInt32BE(16), pending);
      if (!done) continue;
      this.pending.delete(cookie);
      if (pending.error) pending.reject(pending.error);
      else pending.resolve();
    }
  }

  private async chunk(type: number, length: number, pending: Pending): Promise<void> {
    if (type === CHUNK.offsetData && pending.target !== undefined && length > 8) {
      const at = Number((await this.reader.exact(8)).readBigUInt64BE(0)) - pending.offset;
      await this.reader.into(range(pending.target, at, length - 8));
      return;
    }
    if (length > MAX_CONTROL_BYTES) throw new Error(`the NBD server sent a reply of ${length} bytes`);
    const payload = await this.reader.exact(length);
    if (type === CHUNK.offsetHole && pending.target !== undefined && length === 12) {
      range(pending.target, Number(payload.readBigUInt64BE(0)) - pending.offset, payload.readUInt32BE(8)).fill(0);
    } else if (type === CHUNK.blockStatus && length >= 12) {
      let { offset } = pending;
      for (let at = 4; at + 8 <= length; at += 8) {
        const run = payload.readUInt32BE(at);
        pending.extents.push({ offset, length: run, zero: (payload.readUInt32BE(at + 4) & STATE_ZERO) !== 0 });
        offset += run;
      }
    } else if ((type & CHUNK.errorBit) !== 0 && length >= 6) {
      const message = payload.subarray(6, 6 + payload.readUInt16BE(4)).toString('utf8');
      pending.error = new Error(`error ${payload.readUInt32BE(0)} from the NBD server: ${message}`);
    } else if (type !== CHUNK.none) {
      throw new Error(`the NBD server sent a chunk of unknown type ${type}`);
    }
  }

  private breakOff(error: Error): void {
    this.broken ??= error;
    for (const pending of this.pending.values()) pending.reject(error);
    this.pending.clear();
  }
}

function range(target: Buffer, at: number, length: number): Buffer {
  if (at < 0 || at + length > target.length) throw new Error('the NBD server sent data outside of what was asked for');
  return target.subarray(at, at + length);
}
