import { open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

/** Makes a folder's entries durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Appears whole or not at all, also after a power cut. Readable by the owner only. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  const aside = `${file}.tmp`;
  const handle = await open(aside, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
    await handle.sync();
  } catch (error) {
    await unlink(aside).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
  await moveDurably(aside, file);
}

/** Renames within a file system and makes the new name durable. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(path.dirname(to));
}
