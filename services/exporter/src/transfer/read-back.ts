import { SegmentHasher } from '../image/index.js';
import { NbdClient } from '../nbd/index.js';

const READ_BYTES = 1024 * 1024;
const READS_IN_FLIGHT = 4;

/** What was read back is not what was written. */
export class MismatchError extends Error {
  override readonly name = 'MismatchError';
}

export interface ReadBack {
  readonly socketPath: string;
  readonly capacityBytes: number;
  readonly segmentBytes: number;
  /** As hashed on the way in; null is a segment that has to read as zeros without being stored. */
  readonly segments: readonly (string | null)[];
  /** Position in the disk. */
  progress?(doneBytes: number): void;
  readonly signal: AbortSignal;
}

/**
 * Reads the disk as QEMU sees it and compares it with the hashes taken on the way in. Only what QEMU calls data is read;
 * the rest counts as zeros, so a hole where data should be (or the reverse) does not pass. Returns the bytes read.
 * @throws MismatchError naming the first segment that differs
 */
export async function readBack(options: ReadBack): Promise<number> {
  const { capacityBytes, segmentBytes, segments, signal } = options;
  const client = await NbdClient.connect(options.socketPath);
  const onAbort = (): void => client.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (client.sizeBytes !== capacityBytes)
      throw new MismatchError(`the image holds ${client.sizeBytes} bytes instead of ${capacityBytes}`);
    const hasher = new SegmentHasher(capacityBytes, segmentBytes);
    const window = new ReadWindow(client, hasher);
    let offset = 0;
    while (offset < capacityBytes) {
      signal.throwIfAborted();
      const extents = await client.extents(offset, Math.min(segmentBytes, capacityBytes - offset));
      for (const extent of extents) {
        const length = Math.min(extent.length, capacityBytes - extent.offset);
        if (!extent.zero) await window.read(extent.offset, length);
        offset = extent.offset + length;
      }
      options.progress?.(offset);
    }
    await window.drain();
    const found = hasher.finish();
    const differs = segments.findIndex((hash, index) => hash !== found[index]);
    if (differs >= 0 || found.length !== segments.length) {
      const mib = segmentBytes / 2 ** 20;
      throw new MismatchError(`segment ${differs + 1} of ${segments.length} (${mib} MiB each) reads back differently`);
    }
    return window.bytes;
  } finally {
    signal.removeEventListener('abort', onAbort);
    client.close();
  }
}

/** Reads under way, hashed in the order they were asked for. */
class ReadWindow {
  bytes = 0;
  private readonly free: Buffer[] = Array.from({ length: READS_IN_FLIGHT }, () => Buffer.allocUnsafeSlow(READ_BYTES));
  private readonly queue: { offset: number; buffer: Buffer; length: number; done: Promise<void> }[] = [];

  constructor(
    private readonly client: NbdClient,
    private readonly hasher: SegmentHasher,
  ) {}

  async read(from: number, length: number): Promise<void> {
    for (let at = 0; at < length; at += READ_BYTES) {
      const buffer = this.free.pop() ?? (await this.take());
      const piece = Math.min(READ_BYTES, length - at);
      const done = this.client.read(from + at, buffer.subarray(0, piece));
      // Awaited in order; until then a failure must not count as unhandled.
      done.catch(() => {});
      this.queue.push({ offset: from + at, buffer, length: piece, done });
    }
  }

  async drain(): Promise<void> {
    while (this.queue.length > 0) this.free.push(await this.take());
  }

  private async take(): Promise<Buffer> {
    const first = this.queue.shift();
    if (first === undefined) throw new Error('no read is under way');
    await first.done;
    this.hasher.data(first.offset, first.buffer.subarray(0, first.length));
    this.bytes += first.length;
    return first.buffer;
  }
}
