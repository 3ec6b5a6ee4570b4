import { rm } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { JobError } from '@hyper2kvm/contracts';
import { serveImage, withLongSpan } from '@hyper2kvm/runtime';
import type { Children } from './children.js';
import type { FromThread, ToThread, TransferFailure, TransferResult, TransferTask } from './messages.js';

/**
 * MiB of JavaScript heap. The buffers of data lie outside of it, but those that came over the network are given back only
 * when the young generation is collected: a small one keeps memory low and costs no time that can be measured.
 */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 };
/** A thread that was told to stop ends within this, or is ended. */
const STOP_GRACE_MS = 2_000;
/** What is on the disk is not to be gone on from: the next transfer of it begins at zero. */
const SPOILED: ReadonlySet<string> = new Set(['EXPORT_MISMATCH', 'SOURCE_CHANGED', 'CHILD_FAILED']);
const CHECK_TIMEOUT_MS = 30 * 60_000;

export interface DiskTransfer {
  readonly task: TransferTask;
  /** Of the unix socket for reading back: short (107 bytes at most), in a folder that exists. */
  readonly socketPath: string;
  readonly children: Children;
  readonly signal: AbortSignal;
  /**
   * Whether the image is read back through QEMU and compared; `qemu-img check` runs in any case. A disk that was continued
   * is always read back: this transfer did not see all of its bytes.
   */
  readonly readBack: boolean;
  /** Called once, before the first byte, with what can be changed while it runs. */
  onStart?(control: TransferControl): void;
  progress(progress: { stage: 'transfer' | 'read-back'; doneBytes: number; bytesDownloaded: number }): void;
}

export interface TransferControl {
  /** Null is no limit. Without effect once the disk was received. */
  setRate(bytesPerSecond: number | null): void;
}

/**
 * Brings one disk to `task.path` and proves it: content read back through QEMU equals what came, `qemu-img check` passes.
 * @throws JobError; the signal's reason when it was aborted
 */
export async function transferAndVerify(transfer: DiskTransfer): Promise<TransferResult> {
  const { task, signal, children } = transfer;
  signal.throwIfAborted();
  const thread = new DiskThread(task, (message) => transfer.progress(message));
  const onAbort = (): void => thread.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    transfer.onStart?.({ setRate: (bytesPerSecond) => thread.post({ kind: 'rate', bytesPerSecond }) });
    const result = await thread.written;
    signal.throwIfAborted();
    const readBack = transfer.readBack || result.bytesResumed > 0;
    await withLongSpan('export.verify', { 'disk.read_back': readBack }, async () => {
      if (readBack) await compare(transfer, thread);
      const args = ['check', '-q', '-f', 'qcow2', task.path];
      await children.run('qemu-img', args, { signal, timeoutMs: CHECK_TIMEOUT_MS });
    });
    return result;
  } catch (error) {
    signal.throwIfAborted();
    const failure = error instanceof ThreadFailure ? new JobError(error.failure.code, error.message) : error;
    if (task.journal !== undefined && failure instanceof JobError && SPOILED.has(failure.code))
      await rm(task.journal.path, { force: true });
    throw failure;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await thread.end();
  }
}

async function compare({ task, socketPath, signal }: DiskTransfer, thread: DiskThread): Promise<void> {
  const server = await serveImage(task.path, 'qcow2', socketPath, signal);
  try {
    thread.post({ kind: 'read-back', socketPath });
    const failed = server.ended.then((error) => Promise.reject(error));
    failed.catch(() => {});
    await Promise.race([thread.readBack, failed]);
  } finally {
    await server.stop();
  }
}

class ThreadFailure extends Error {
  constructor(readonly failure: TransferFailure) {
    super(failure.message);
  }
}

class DiskThread {
  readonly written: Promise<TransferResult>;
  readonly readBack: Promise<void>;
  private readonly worker: Worker;
  private readonly exited: Promise<unknown>;

  constructor(task: TransferTask, onProgress: (message: Extract<FromThread, { kind: 'progress' }>) => void) {
    const written = deferred<TransferResult>();
    const readBack = deferred<void>();
    const fail = (failure: TransferFailure): void => {
      written.reject(new ThreadFailure(failure));
      readBack.reject(new ThreadFailure(failure));
    };
    this.written = written.promise;
    this.readBack = readBack.promise;
    this.worker = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: task,
      resourceLimits: THREAD_LIMITS,
      // The service's own flags (tracing, loaders) are not for a thread that only moves bytes.
      execArgv: [],
    });
    // Not `once` of node:events: that rejects when the thread breaks.
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', resolve);
    });
    this.worker.on('message', (message: FromThread) => {
      switch (message.kind) {
        case 'progress':
          onProgress(message);
          break;
        case 'written':
          written.resolve(message.result);
          break;
        case 'read-back':
          readBack.resolve();
          break;
        case 'failed':
          fail(message.failure);
          break;
      }
    });
    this.worker.on('error', (error) =>
      fail({ code: 'INTERNAL', message: `the transfer thread broke: ${error.message}` }),
    );
    this.worker.on('exit', () => fail({ code: 'INTERNAL', message: 'the transfer thread ended too early' }));
  }

  post(message: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.worker.postMessage(message);
  }

  stop(): void {
    this.post({ kind: 'stop' });
  }

  async end(): Promise<void> {
    this.stop();
    const timer = setTimeout(() => void this.worker.terminate(), STOP_GRACE_MS);
    await this.exited;
    clearTimeout(timer);
  }
}

/** A promise that may be rejected before anybody waits for it. */
function deferred<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: Error): void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((ok, no) => {
    resolve = ok;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
