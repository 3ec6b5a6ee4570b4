import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { JobError, SEGMENT_BYTES } from '@hyper2kvm/contracts';
import { serveImage } from '@hyper2kvm/runtime';
import type { Content } from '@hyper2kvm/runtime/content';
import type { FromThread, ReadTask } from './messages.js';

const SOCKET = 'image.nbd';
/** MiB of JavaScript heap; the read buffers (4 MiB) lie outside of it. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

export interface ImageRead {
  readonly file: string;
  readonly format: 'qcow2' | 'raw';
  readonly capacityBytes: number;
  /** An existing folder, no other read's, for the socket through which QEMU serves the image. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Position in the disk. */
  progress(doneBytes: number): void;
}

/**
 * SHA-256 of each 64 MiB of an image's content, read through QEMU in a thread of its own. Holes cost nothing; data costs one
 * core: 1 GiB takes 0.7 to 3 s, depending on whether the CPU has SHA instructions, plus the reading where it is not cached.
 * @throws JobError CHILD_FAILED naming the file when it cannot be read; the signal's reason when it was aborted
 */
export async function readImage(read: ImageRead): Promise<Content> {
  const { file, format, capacityBytes, folder, signal } = read;
  signal.throwIfAborted();
  // A socket's path may have 107 bytes: the folder is named by its descriptor.
  const directory = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  const socketPath = `/proc/${process.pid}/fd/${directory.fd}/${SOCKET}`;
  try {
    const server = await serveImage(file, format, socketPath, signal);
    try {
      const failed = server.ended.then((error) => Promise.reject(error));
      failed.catch(() => {});
      const task = { socketPath, capacityBytes, segmentBytes: SEGMENT_BYTES };
      return await Promise.race([inThread(task, file, read), failed]);
    } finally {
      await server.stop();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await rm(path.join(folder, SOCKET), { force: true });
    await directory.close();
  }
}

async function inThread(task: ReadTask, file: string, read: Pick<ImageRead, 'signal' | 'progress'>): Promise<Content> {
  // The service's own flags (tracing, loaders) are not for a thread that only reads.
  const worker = new Worker(new URL('./thread.js', import.meta.url), {
    workerData: task,
    resourceLimits: THREAD_LIMITS,
    execArgv: [],
  });
  const end = (): void => void worker.terminate();
  read.signal.addEventListener('abort', end, { once: true });
  try {
    return await new Promise<Content>((resolve, reject) => {
      const fail = (why: string): void => reject(new JobError('CHILD_FAILED', `${file} could not be read: ${why}`));
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'progress') read.progress(message.doneBytes);
        else if (message.kind === 'content') resolve(message.content);
        else fail(message.message);
      });
      worker.on('error', (error) => fail(error.message));
      worker.on('exit', () => fail('its thread ended too early'));
    });
  } finally {
    read.signal.removeEventListener('abort', end);
    await worker.terminate();
  }
}
