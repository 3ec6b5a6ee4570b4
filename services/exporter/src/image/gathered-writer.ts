import { fdatasync, write } from 'node:fs';

/** Larger writes were slower. */
const BATCH_BYTES = 2 ** 20;
const WRITES_IN_FLIGHT = 2;
/** Those, the one that is filled, and one more for what comes before pressure is asked for. */
const BATCHES_KEPT = WRITES_IN_FLIGHT + 2;
/** Write-back is started early, so that the sync at the end has little left to do and dirty memory stays bounded. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/**
 * Appends to a file by large positioned writes, two at a time. What is appended is copied into a few buffers that are used
 * again and again: the copy costs less than the memory of buffers that wait for the garbage collector.
 */
export class GatheredWriter {
  private readonly free: Buffer[] = [];
  private batch: Buffer | undefined;
  private filled = 0;
  private readonly pending = new Set<Promise<void>>();
  private syncing: Promise<void> | undefined;
  private sinceSync = 0;
  private failure: Error | undefined;

  /** @param position where the first byte goes */
  constructor(
    private readonly fd: number,
    private position: number,
  ) {}

  append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      this.batch ??= this.free.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
      const copied = bytes.copy(this.batch, this.filled, at);
      this.filled += copied;
      at += copied;
      if (this.filled === BATCH_BYTES) this.issue();
    }
  }

  /** A promise to wait for before more is appended, when the disk is behind. @throws the first error of a write */
  pressure(): Promise<void> | undefined {
    if (this.failure) throw this.failure;
    if (this.pending.size >= WRITES_IN_FLIGHT) return Promise.race(this.pending);
    if (this.syncing !== undefined && this.sinceSync >= SYNC_EVERY_BYTES) return this.syncing;
    return undefined;
  }

  /** Everything appended is written (not yet synced); the first error is thrown. Nothing runs any more afterwards. */
  async drain(): Promise<void> {
    this.issue();
    while (this.pending.size > 0) await Promise.all(this.pending);
    await this.syncing;
    if (this.failure) throw this.failure;
  }

  /** Everything appended so far is on the disk when it resolves; more may be appended meanwhile. */
  async flush(): Promise<void> {
    this.issue();
    await Promise.all(this.pending);
    // One that began before those writes ended says nothing about them.
    await this.syncing;
    await this.sync();
    if (this.failure) throw this.failure;
  }

  private issue(): void {
    const { batch, filled, position } = this;
    if (batch === undefined || filled === 0) return;
    this.batch = undefined;
    this.filled = 0;
    this.position += filled;
    const writing = new Promise<void>((resolve) => {
      this.writeAll(batch, 0, filled, position, resolve);
    }).then(() => {
      this.pending.delete(writing);
      if (this.free.length < BATCHES_KEPT) this.free.push(batch);
    });
    this.pending.add(writing);
    this.sinceSync += filled;
    if (this.sinceSync >= SYNC_EVERY_BYTES && this.syncing === undefined) void this.sync();
  }

  private writeAll(batch: Buffer, from: number, end: number, position: number, done: () => void): void {
    write(this.fd, batch, from, end - from, position, (error, written) => {
      if (error) this.failure ??= error;
      else if (written < end - from) {
        // A signal or an almost full disk: the next call tells which.
        if (written > 0) {
          this.writeAll(batch, from + written, end, position + written, done);
          return;
        }
        this.failure ??= new Error(`nothing of ${end - from} bytes was written at ${position}`);
      }
      done();
    });
  }

  /** Never rejects. */
  private async sync(): Promise<void> {
    this.sinceSync = 0;
    const sync = new Promise<void>((resolve) => {
      fdatasync(this.fd, (error) => {
        if (error) this.failure ??= error;
        if (this.syncing === sync) this.syncing = undefined;
        resolve();
      });
    });
    this.syncing = sync;
    return sync;
  }
}
