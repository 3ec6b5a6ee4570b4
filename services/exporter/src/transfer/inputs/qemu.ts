import { NbdClient } from '@hyper2kvm/runtime/content';
import { CLUSTER, isZero } from '../../image/index.js';
import { TransferError } from '../errors.js';
import type { Pour, QemuInput, Sink } from './input.js';

const READ_BYTES = 16 * CLUSTER;
const READS_IN_FLIGHT = 3;
/** Of one question for the allocation map. */
const MAP_BYTES = 1024 * 1024 * 1024;

/**
 * Reads what QEMU calls data; the rest is zeros.
 * @throws TransferError SOURCE_INVALID when QEMU cannot read the image, SOURCE_CHANGED when it has another size
 */
export const pourQemu: Pour<QemuInput> = async (input, disk, sink, signal) => {
  const { capacityBytes } = disk;
  const client = await NbdClient.connect(input.socketPath).catch((error: Error) => {
    throw new TransferError('EXPORT_TRANSFER', `qemu-nbd does not answer: ${error.message}`, { cause: error });
  });
  const window = new Window(client, sink);
  let stalled: TransferError | undefined;
  const watch = setInterval(
    () => {
      if (performance.now() - window.waitingSince < disk.stallTimeoutMs) return;
      stalled ??= new TransferError('EXPORT_TRANSFER', `no data for ${disk.stallTimeoutMs / 1000} s`);
      client.close();
    },
    Math.min(1_000, disk.stallTimeoutMs / 4),
  );
  const onAbort = (): void => client.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (client.sizeBytes !== capacityBytes)
      throw new TransferError('SOURCE_CHANGED', `the disk has ${client.sizeBytes} bytes instead of ${capacityBytes}`);
    let mapped = disk.startAt;
    /** Below it everything was asked for: extents are no multiple of a cluster, and two of them may share one. */
    let asked = disk.startAt;
    while (mapped < capacityBytes) {
      signal.throwIfAborted();
      window.waits();
      const extents = await client.extents(mapped, Math.min(MAP_BYTES, capacityBytes - mapped));
      window.goesOn();
      for (const extent of extents) {
        mapped = Math.min(extent.offset + extent.length, capacityBytes);
        if (extent.zero) continue;
        const from = Math.max(asked, Math.floor(extent.offset / CLUSTER) * CLUSTER);
        const to = Math.min(Math.ceil(mapped / CLUSTER) * CLUSTER, capacityBytes);
        for (let at = from; at < to; at += READ_BYTES) await window.read(at, Math.min(READ_BYTES, to - at));
        asked = Math.max(asked, to);
      }
      if (window.idle) sink.progress(mapped);
    }
    await window.drain();
  } catch (error) {
    signal.throwIfAborted();
    throw stalled ?? meaning(error);
  } finally {
    clearInterval(watch);
    signal.removeEventListener('abort', onAbort);
    client.close();
  }
};

function meaning(error: unknown): unknown {
  if (error instanceof TransferError || !(error instanceof Error)) return error;
  if (error.message.includes('from the NBD server'))
    return new TransferError('SOURCE_INVALID', `QEMU cannot read the disk: ${error.message}`, { cause: error });
  if (error.message.includes('NBD'))
    return new TransferError('EXPORT_TRANSFER', `reading through qemu-nbd broke: ${error.message}`, { cause: error });
  return error;
}

/** Reads under way; what came is given to the sink in the order it was asked for. */
class Window {
  /** Whole, whatever was last read into them. */
  private readonly free: Buffer[] = [];
  private readonly queue: { offset: number; whole: Buffer; length: number; done: Promise<void> }[] = [];
  /** While it is QEMU that is waited for; else a time that never comes. */
  waitingSince = Infinity;

  constructor(
    private readonly client: NbdClient,
    private readonly sink: Sink,
  ) {}

  waits(): void {
    this.waitingSince = performance.now();
  }

  goesOn(): void {
    this.waitingSince = Infinity;
  }

  get idle(): boolean {
    return this.queue.length === 0;
  }

  async read(offset: number, length: number): Promise<void> {
    if (this.queue.length >= READS_IN_FLIGHT) await this.take();
    const whole = this.free.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
    const done = this.client.read(offset, whole.subarray(0, length));
    // Awaited in order; until then a failure must not count as unhandled.
    done.catch(() => {});
    this.queue.push({ offset, whole, length, done });
  }

  async drain(): Promise<void> {
    while (this.queue.length > 0) await this.take();
  }

  private async take(): Promise<void> {
    const first = this.queue.shift();
    if (first === undefined) return;
    this.waits();
    await first.done;
    this.goesOn();
    const { offset, whole, length } = first;
    const buffer = whole.subarray(0, length);
    this.sink.received(buffer);
    for (let at = 0; at < buffer.length; at += CLUSTER) {
      const cluster = buffer.subarray(at, at + CLUSTER);
      if (!isZero(cluster)) this.sink.data(offset + at, cluster);
    }
    this.sink.progress(offset + length);
    this.free.push(whole);
    for (const wait of [this.sink.pressure(), this.sink.throttle()]) if (wait !== undefined) await wait;
  }
}
