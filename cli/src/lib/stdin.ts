import { readSync } from 'node:fs';

const PAUSE_MS = 20;

/**
 * All of standard input. A pipe may have been set not to block, by Node itself, and then has nothing to read while the program
 * before it still works.
 */
export function readStdin(): Buffer {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(65_536);
  for (;;) {
    const length = readSome(chunk);
    if (length === 0) return Buffer.concat(chunks);
    if (length === undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    else chunks.push(Buffer.from(chunk.subarray(0, length)));
  }
}

/** Undefined where there is nothing yet. */
function readSome(chunk: Buffer): number | undefined {
  try {
    return readSync(0, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}
