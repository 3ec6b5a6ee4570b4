import { parentPort, workerData } from 'node:worker_threads';
import { readContent } from '@hyper2kvm/runtime/content';
import type { FromThread, ReadTask } from './messages.js';

/* Hashes one image: a core is busy with that for minutes, and must not be the one that renews leases. Imports nothing large. */
const PROGRESS_EVERY_MS = 250;

const port = parentPort;
if (port === null) throw new Error('thread.js is started as a worker thread');
const send = (message: FromThread): void => port.postMessage(message);

let lastProgress = 0;
readContent({
  ...(workerData as ReadTask),
  // The thread is ended from outside.
  signal: new AbortController().signal,
  progress: (doneBytes) => {
    const now = performance.now();
    if (now - lastProgress < PROGRESS_EVERY_MS) return;
    lastProgress = now;
    send({ kind: 'progress', doneBytes });
  },
}).then(
  (content) => send({ kind: 'content', content }),
  (error: unknown) => send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
);
