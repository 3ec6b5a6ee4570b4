import { fdatasync, writev } from 'node:fs';

/** 1 MiB a write; larger ones were slower. */
const BATCH_CLUSTERS = 16;
const WRITES_IN_FLIGHT = 2;
/** Write-back is started early, so that the sync at the end has little left to do and dirty memory stays bounded. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/** Appends buffers to a file by large positioned writes, two at a time. */
export class GatheredWriter {
  private batch: Buffer[] = [];
  private batchBytes = 0;
  private readonly pending = new Set<Promise<void>>();
  private syncing: Promise<void> | undefined;
  private sinceSync = 0;
  private failure: Error | undefined;

  /** @param position where the first byte goes */
  constructor(
    private readonly fd: number,
    private position: number,
  ) {}

  /** The buffer must not change any more. */
  append(buffer: Buffer): void {
    this.batch.push(buffer);
    this.batchBytes += buffer.length;
    if (this.batch.length >= BATCH_CLUSTERS) this.issue();
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
    if (this.batch.length > 0) this.issue();
    while (this.pending.size > 0) await Promise.all(this.pending);
    await this.syncing;
    if (this.failure) throw this.failure;
  }

  /** Everything appended so far is on the disk when it resolves; more may be appended meanwhile. */
  async flush(): Promise<void> {
    if (this.batch.length > 0) this.issue();
    await Promise.all(this.pending);
    // One that began before those writes ended says nothing about them.
    await this.syncing;
    await this.sync();
    if (this.failure) throw this.failure;
  }

  private issue(): void {
    const { batch, batchBytes, position } = this;
    this.batch = [];
    this.batchBytes = 0;
    this.position += batchBytes;
    const write = new Promise<void>((resolve) => {
      this.writeAll(batch, batchBytes, position, resolve);
    }).then(() => {
      this.pending.delete(write);
    });
    this.pending.add(write);
    this.sinceSync += batchBytes;
    if (this.sinceSync >= SYNC_EVERY_BYTES && this.syncing === undefined) void this.sync();
  }

  private writeAll(batch: Buffer[], bytes: number, position: number, done: () => void): void {
    writev(this.fd, batch, position, (error, written) => {
      if (error) this.failure ??= error;
      else if (written < bytes) {
        // A signal or an almost full disk: the next call tells which.
        if (written > 0) {
          this.writeAll(rest(batch, written), bytes - written, position + written, done);
          return;
        }
        this.failure ??= new Error(`nothing of ${bytes} bytes was written at ${position}`);
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

function rest(batch: Buffer[], written: number): Buffer[] {
  let left = written;
  const kept: Buffer[] = [];
  for (const buffer of batch) {
    if (left >= buffer.length) {
      left -= buffer.length;
      continue;
    }
    kept.push(buffer.subarray(left));
    left = 0;
  }
  return kept;
}
