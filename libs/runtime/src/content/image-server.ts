import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import { spawnGuarded } from '../process/spawn.js';

const START_TIMEOUT_MS = 20_000;
/** An image may take long to open; in between it is looked whether QEMU still lives. */
const GREETING_MS = 1_000;
const KEPT_LINES = 5;

export interface ImageServer {
  /** Resolves when it ended by itself, which it should not. */
  readonly ended: Promise<JobError>;
  stop(): Promise<void>;
}

/**
 * Serves an image read-only through QEMU on a unix socket.
 * @param format as QEMU names it; never guessed from the content, which a guest may have written
 * @param socketPath short (107 bytes at most), in a folder that exists
 * @throws JobError CHILD_FAILED when it does not listen, with what it said
 */
export async function serveImage(
  image: string,
  format: string,
  socketPath: string,
  signal: AbortSignal,
): Promise<ImageServer> {
  const lines: string[] = [];
  const args = ['--read-only', `--format=${format}`, '--persistent', '--shared=2', `--socket=${socketPath}`, image];
  const child = spawnGuarded('qemu-nbd', args, {
    signal,
    onLine: (line) => void lines.push(line),
  });
  const ended = child.exited.then(
    ({ code }) =>
      new JobError('CHILD_FAILED', `qemu-nbd ended with ${code ?? 'a signal'}: ${lines.slice(-KEPT_LINES).join('; ')}`),
  );
  let over: JobError | undefined;
  void ended.then((error) => {
    over = error;
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await greets(socketPath))) {
    if (over !== undefined) throw over;
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      await child.kill();
      throw new JobError('CHILD_FAILED', `qemu-nbd did not listen within ${START_TIMEOUT_MS / 1000} s`);
    }
    await sleep(20);
  }
  return { ended, stop: () => child.kill() };
}

/** Whether it greets. It listens before it has opened the image, and may yet fail at that; it greets only afterwards. */
async function greets(socketPath: string): Promise<boolean> {
  const socket = connect({ path: socketPath });
  const greeting = new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.setTimeout(GREETING_MS, () => resolve(false));
  });
  try {
    return await greeting;
  } finally {
    socket.destroy();
  }
}
