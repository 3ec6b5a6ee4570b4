import { LIMIT_BYTES, type Configuration, type GuestFiles, type RawEntry } from '../entry.js';
import { parseLegacy } from './parse.js';
import { planLegacy } from './plan.js';

const FOLDER = '/boot/grub';
/** Red Hat's name first: its menu.lst is a link to it. */
const NAMES = ['grub.conf', 'menu.lst'];

export async function readLegacy(files: GuestFiles): Promise<Configuration> {
  const there = await files.list(FOLDER);
  const found: Configuration['files'][number][] = [];
  const entries: RawEntry[] = [];
  for (const name of NAMES.filter((each) => there.includes(each))) {
    const file = `${FOLDER}/${name}`;
    const text = await files.readText(file, LIMIT_BYTES);
    const parsed = parseLegacy(text ?? '');
    if (text === undefined || parsed.length === 0) continue;
    const linked = found.some((each) => each.text === text);
    found.push({ loader: 'grub-legacy', file, text, plan: planLegacy });
    if (linked) continue;
    entries.push(...parsed.map((entry): RawEntry => ({ ...entry, loader: 'grub-legacy', file })));
  }
  return { files: found, entries };
}
