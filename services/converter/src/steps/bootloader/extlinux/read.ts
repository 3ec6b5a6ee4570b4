import path from 'node:path';
import { LIMIT_BYTES, type BootFacts, type Configuration, type GuestFiles, type RawEntry } from '../entry.js';
import { vendorFolders } from '../locate.js';
import { parseExtlinux } from './parse.js';
import { planExtlinux } from './plan.js';

const FOLDERS = ['/boot', '/boot/extlinux', '/boot/syslinux', '/extlinux', '/syslinux'];
const NAMES = ['extlinux.conf', 'syslinux.cfg'];
/** Debian's extlinux.conf reads linux.cfg. */
const MOST_FILES = 16;

export async function readExtlinux(files: GuestFiles, guest: BootFacts): Promise<Configuration> {
  const found: Configuration['files'][number][] = [];
  const entries: RawEntry[] = [];
  const onEsp = (await vendorFolders(files, guest)).filter((folder) => /\/syslinux$/i.test(folder));
  for (const folder of [...FOLDERS, ...onEsp]) {
    const there = await files.list(folder);
    const pending = NAMES.filter((name) => there.includes(name)).map((name) => path.posix.join(folder, name));
    for (let file = pending.shift(); file !== undefined && found.length < MOST_FILES; file = pending.shift()) {
      const seen = file;
      if (found.some((each) => each.file === seen)) continue;
      const text = await files.readText(file, LIMIT_BYTES);
      if (text === undefined) continue;
      const parsed = parseExtlinux(text);
      found.push({ loader: 'extlinux', file, text, plan: planExtlinux });
      pending.push(...parsed.includes.map((each) => absolute(folder, each)));
      entries.push(
        ...parsed.entries.map(({ title, kernel, initrds, commandLine, isDefault }): RawEntry => ({
          loader: 'extlinux',
          file: seen,
          title,
          kernel: absolute(folder, kernel),
          initrds: initrds.map((each) => absolute(folder, each)),
          commandLine,
          isDefault,
        })),
      );
    }
  }
  return { files: entries.length > 0 ? found : [], entries };
}

/** Paths are relative to the configuration's folder. */
const absolute = (folder: string, file: string): string => path.posix.resolve(folder, file);
