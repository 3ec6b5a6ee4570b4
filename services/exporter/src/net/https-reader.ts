import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CONNECT_TIMEOUT_MS, ConnectError, connectTrusted, type Trust } from './connect.js';
import { AnswerReader, HttpProtocolError, type AnswerHead } from './http-answer.js';

/** A TLS record has 16 KiB at most. */
const READ_BYTES = 64 * 1024;

/** The server brought nothing for too long. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
}

export interface Reading {
  /** @throws to refuse the answer */
  head(head: AnswerHead): void;
  /**
   * @param piece a view of at most 64 KiB, to be used up before this returns
   * @returns a promise to wait for before more is read; a few pieces may come all the same
   */
  body(piece: Buffer): Promise<void> | undefined;
}

interface Current {
  readonly reader: AnswerReader;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Reads large bodies over one HTTPS connection, one after the other. It stands for node:https where disks come through:
 * that makes a buffer of its own for every TLS record, which takes twice the time and leaves tens of megabytes of garbage
 * with each thread. Here all records are decrypted into one buffer.
 */
export class HttpsReader {
  private socket: TLSSocket | undefined;
  private current: Current | undefined;
  /** Promises that hold the connection back. */
  private waits = 0;
  private waitingSince = Infinity;

  /** @param signal ends everything; its reason is thrown then */
  constructor(
    private readonly trust: Trust,
    private readonly stallTimeoutMs: number,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Resolves when the body was read to its end. Time is counted only while the server is waited for: a slow disk of ours is
   * no stall of the server. The connection is used again where the server allows it, and closed after a failure.
   * @throws TlsTrustError, ConnectError, StalledError, HttpProtocolError, what `reading` throws, the signal's reason
   */
  async get(url: string, headers: Readonly<Record<string, string>>, reading: Reading): Promise<void> {
    this.signal.throwIfAborted();
    const target = new URL(url);
    const onAbort = (): void => this.fail(this.signal.reason);
    this.signal.addEventListener('abort', onAbort, { once: true });
    const watch = setInterval(() => this.watch(), Math.min(1_000, this.stallTimeoutMs / 4));
    try {
      const socket = (this.socket ??= await this.connect(target));
      const reader = new AnswerReader(
        (head) => reading.head(head),
        (piece) => this.holdBack(reading.body(piece)),
      );
      await new Promise<void>((resolve, reject) => {
        this.current = { reader, resolve, reject };
        this.waitingSince = performance.now();
        socket.write(requestHead(target, headers));
      });
      if (!reader.reusable) this.close();
    } catch (error) {
      this.close();
      this.signal.throwIfAborted();
      throw error;
    } finally {
      clearInterval(watch);
      this.signal.removeEventListener('abort', onAbort);
      this.current = undefined;
      this.waitingSince = Infinity;
    }
  }

  /** Ends the reading that is under way with this error. */
  fail(error: unknown): void {
    this.current?.reject(error);
    this.close();
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }

  private async connect(target: URL): Promise<TLSSocket> {
    const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = target.port === '' ? 443 : Number(target.port);
    // Known to net.connect, which tls.connect hands its options on to.
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length: number, buffer: Buffer): boolean => this.received(socket, buffer.subarray(0, length)),
    };
    const options = {
      host,
      port,
      ALPNProtocols: ['http/1.1'],
      ...(isIP(host) === 0 ? { servername: host } : {}),
      onread,
    };
    const socket: TLSSocket = await connectTrusted(this.trust, options, CONNECT_TIMEOUT_MS, this.signal);
    const ended = (error?: Error): void => {
      if (this.socket === socket) this.ended(error);
    };
    socket.on('error', (error) => ended(new ConnectError(`the connection broke (${error.message})`, { cause: error })));
    socket.on('end', () => ended());
    socket.on('close', () => ended());
    return socket;
  }

  /** Returns whether more may come at once. */
  private received(socket: TLSSocket, bytes: Buffer): boolean {
    if (this.socket !== socket) return false;
    const { current } = this;
    if (current === undefined) {
      // Nothing was asked for.
      this.close();
      return false;
    }
    try {
      current.reader.push(bytes);
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.waitingSince = this.waits > 0 ? Infinity : performance.now();
    this.settle();
    return this.waits === 0;
  }

  private holdBack(wait: Promise<void> | undefined): void {
    if (wait === undefined) return;
    const { socket } = this;
    this.waits++;
    wait.then(
      () => {
        if (--this.waits > 0 || this.socket !== socket) return;
        this.waitingSince = performance.now();
        this.settle();
        socket?.resume();
      },
      (error: unknown) => {
        this.waits--;
        this.fail(error);
      },
    );
  }

  private settle(): void {
    if (this.current?.reader.complete === true && this.waits === 0) this.current.resolve();
  }

  private ended(error: Error | undefined): void {
    const { current } = this;
    try {
      // Between two answers a server may close as it likes.
      current?.reader.end();
      if (error !== undefined) throw error;
      this.settle();
      if (current === undefined) this.close();
    } catch (early) {
      this.fail(error ?? early);
    }
  }

  private watch(): void {
    if (performance.now() - this.waitingSince < this.stallTimeoutMs) return;
    this.fail(new StalledError(`no data for ${this.stallTimeoutMs / 1000} s`));
  }
}

function requestHead(target: URL, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: target.host, Accept: '*/*', ...headers }).map(([name, value]) => {
    // Nothing that the source told may begin a header of its own.
    if (/[\r\n\0]/.test(value)) throw new HttpProtocolError(`a line break in ${name}`);
    return `${name}: ${value}`;
  });
  return `GET ${target.pathname}${target.search} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}
