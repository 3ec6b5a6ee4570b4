import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Names and contents of all files beneath a folder. Images are left out: what they hold is the guest's. */
export async function filesOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !/\.(qcow2|raw|vmdk)$/.test(entry.name));
  const texts = await Promise.all(
    files.map(async (entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return `${file}\n${await readFile(file, 'latin1')}\n${await readFile(file, 'utf8')}`;
    }),
  );
  return texts.join('\n');
}
