import { parentPort, workerData } from 'node:worker_threads';
import { readBack } from '@hyper2kvm/runtime/content';
import { toFailure } from './failure.js';
import type { FromThread, ToThread, TransferResult, TransferTask } from './messages.js';
import { RateLimit } from './rate-limit.js';
import { transferDisk } from './transfer.js';

/*
 * The thread of one disk. It imports neither contracts nor the runtime's main entry: each thread has its own heap, and three of them have
 * to fit. Main and thread talk by the messages of messages.ts; the thread ends by itself after the read-back or a failure.
 */
const PROGRESS_EVERY_MS = 250;

const port = parentPort;
if (port === null) throw new Error('thread.js is started as a worker thread');
const task = workerData as TransferTask;
const stop = new AbortController();
const rate = new RateLimit(task.bytesPerSecond, stop.signal);
const send = (message: FromThread): void => port.postMessage(message);

let lastProgress = 0;
/** What was not worth a message of its own yet. */
let untold: FromThread | undefined;
function progress(stage: 'transfer' | 'read-back', doneBytes: number, bytesDownloaded: number): void {
  untold = { kind: 'progress', stage, doneBytes, bytesDownloaded };
  const now = performance.now();
  if (now - lastProgress < PROGRESS_EVERY_MS) return;
  lastProgress = now;
  tell();
}
function tell(): void {
  if (untold !== undefined) send(untold);
  untold = undefined;
}

const readBackAsked = new Promise<string>((resolve) => {
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'stop':
        stop.abort();
        break;
      case 'rate':
        rate.set(message.bytesPerSecond);
        break;
      case 'read-back':
        resolve(message.socketPath);
        break;
    }
  });
});
const stopped = new Promise<never>((_, reject) => {
  stop.signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
});
stopped.catch(() => {});

async function run(): Promise<void> {
  const result: TransferResult = await transferDisk(task, rate, stop.signal, (done, downloaded) =>
    progress('transfer', done, downloaded),
  );
  send({ kind: 'written', result });
  const socketPath = await Promise.race([readBackAsked, stopped]);
  const bytesRead = await readBack({
    socketPath,
    capacityBytes: task.capacityBytes,
    segmentBytes: task.segmentBytes,
    segments: result.segments,
    progress: (done) => progress('read-back', done, result.bytesDownloaded),
    signal: stop.signal,
  });
  send({ kind: 'read-back', bytesRead });
}

run()
  .catch((error: unknown) => {
    // What came for nothing was transferred all the same.
    tell();
    send({ kind: 'failed', failure: toFailure(error) });
  })
  .finally(() => port.close());
