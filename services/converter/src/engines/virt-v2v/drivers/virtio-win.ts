import { copyFile, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { extract, listIso } from './iso9660.js';

/** virtio-win, opened. */
export interface VirtioWin {
  /** Paths of all its files. */
  readonly files: readonly string[];
  /** Copies one of them to the host. */
  copy(file: string, to: string): Promise<void>;
  close(): Promise<void>;
}

/** Deeper than any virtio-win. */
const MOST_DEPTH = 8;

/**
 * @param place virtio-win.iso, or a folder of its content
 * @throws JobError DRIVERS_MISSING when nothing is configured, or nothing is there
 */
export async function openVirtioWin(place: string | undefined): Promise<VirtioWin> {
  if (place === undefined) {
    throw new JobError(
      'DRIVERS_MISSING',
      'Windows needs the drivers of virtio-win, and converter.virtio_win is not set',
    );
  }
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory() === true) {
    const files = await filesBelow(place);
    return { files, copy: (file, to) => copyFile(path.join(place, file), to), close: async () => {} };
  }
  if (found?.isFile() !== true) throw new JobError('DRIVERS_MISSING', `converter.virtio_win: ${place} is not there`);
  const handle = await open(place, 'r');
  try {
    const files = new Map((await listIso(handle, place)).map((file) => [file.path, file]));
    return {
      files: [...files.keys()],
      async copy(file, to) {
        const entry = files.get(file);
        if (entry !== undefined) await extract(handle, entry, to);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** In a fixed order. Links are followed, as the RPM has them; `MOST_DEPTH` ends those that go round. */
async function filesBelow(root: string, folder = '', depth = 0): Promise<string[]> {
  const files: string[] = [];
  for (const name of (await readdir(path.join(root, folder))).toSorted()) {
    const file = path.posix.join(folder, name);
    const entry = await stat(path.join(root, file)).catch(() => undefined);
    if (entry?.isFile() === true) files.push(file);
    if (entry?.isDirectory() === true && depth < MOST_DEPTH) files.push(...(await filesBelow(root, file, depth + 1)));
  }
  return files;
}
