/** File operations that survive a power cut: each is on the disk when its promise resolves. */
import { constants, createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

export async function syncPath(target: string): Promise<void> {
  const handle = await open(target, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Written aside and renamed: readers see the old content or the new one. */
export async function writeDurably(file: string, content: string | Buffer): Promise<void> {
  const aside = `${file}.new`;
  const handle = await open(aside, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(aside, file);
  await syncPath(path.dirname(file));
}

/** Moves a file; across file systems it is copied aside first, so that the target is never half a file. */
export async function moveDurably(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    const aside = `${to}.copying`;
    await copySparse(from, aside);
    await rename(aside, to);
    await syncPath(path.dirname(to));
    await rm(from);
  }
  await syncPath(path.dirname(to));
}

export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Blocks of zeros become holes: an image stays as thin as it was. */
async function copySparse(from: string, to: string): Promise<void> {
  const handle = await open(to, 'w');
  try {
    let position = 0;
    for await (const chunk of createReadStream(from, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
      if (!isZero(chunk)) await handle.write(chunk, 0, chunk.length, position);
      position += chunk.length;
    }
    await handle.truncate(position);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isZero = (chunk: Buffer): boolean =>
  chunk[0] === 0 && chunk.compare(chunk, 1, chunk.length, 0, chunk.length - 1) === 0;
