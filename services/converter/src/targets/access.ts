import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** Of a folder and those above it: which of them a user without rights of their own cannot pass. */
export async function closedFolders(folder: string): Promise<string[]> {
  const closed: string[] = [];
  for (let each = await real(folder); ; each = path.dirname(each)) {
    const found = await stat(each).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o001) === 0) closed.unshift(each);
    if (each === path.dirname(each)) return closed;
  }
}

const real = async (folder: string): Promise<string> => realpath(folder).catch(() => path.resolve(folder));
