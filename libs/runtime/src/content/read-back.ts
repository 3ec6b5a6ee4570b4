import { NbdClient } from './nbd-client.js';
import { SegmentHasher } from './segment-hasher.js';

const READ_BYTES = 1024 * 1024;
const READS_IN_FLIGHT = 4;

/** What was read back is not what was written. */
export class MismatchError extends Error {
  override readonly name = 'MismatchError';
}

export interface ContentRead {
  /** Of a qemu-nbd that serves the image (see image-server.ts). */
  readonly socketPath: string;
  readonly capacityBytes: number;
  readonly segmentBytes: number;
  /** Position in the disk. */
  progress?(doneBytes: number): void;
  readonly signal: AbortSignal;
}

export interface Content {
  /** SHA-256 of each segment; null is a segment that reads as zeros without being stored. */
  readonly segments: (string | null)[];
  readonly bytesRead: number;
}

/**
 * Reads a disk as QEMU sees it and hashes it by segments. Only what QEMU calls data is read; the rest counts as zeros.
 * @throws MismatchError when the disk has another size
 */
export async function readContent(options: ContentRead): Promise<Content> {
  const { capacityBytes, segmentBytes, signal } = options;
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
    return { segments: hasher.finish(), bytesRead: window.bytes };
  } finally {
    signal.removeEventListener('abort', onAbort);
    client.close();
  }
}

/** Number of the first segment that differs, from 1; undefined when all agree. */
export function firstDifference(
  wanted: readonly (string | null)[],
  found: readonly (string | null)[],
): number | undefined {
  for (let index = 0; index < Math.max(wanted.length, found.length); index++)
    if (wanted[index] !== found[index]) return index + 1;
  return undefined;
}

/**
 * Reads a written disk back and compares it with the hashes taken on the way in. A hole where data should be (or the
 * reverse) does not pass. Returns the bytes read.
 * @throws MismatchError naming the first segment that differs
 */
export async function readBack(options: ContentRead & { segments: readonly (string | null)[] }): Promise<number> {
  const { segments, segmentBytes } = options;
  const found = await readContent(options);
  const differs = firstDifference(segments, found.segments);
  if (differs !== undefined)
    throw new MismatchError(
      `segment ${differs} of ${segments.length} (${segmentBytes / 2 ** 20} MiB each) reads back differently`,
    );
  return found.bytesRead;
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
