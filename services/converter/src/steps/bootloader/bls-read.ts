import path from 'node:path';
import { compareVersions } from '../kernels.js';
import { parseBls } from './bls.js';
import type { BootFacts, GuestFiles, RawEntry } from './entry.js';
import type { Grub2 } from './grub2-read.js';

const ENTRIES = '/boot/loader/entries';
/** An entry has half a KiB. */
const LIMIT_BYTES = 64 * 1024;
/** Each takes three calls to read. */
const MOST_ENTRIES = 200;

/** Entries of the Boot Loader Specification where GRUB takes them (`blscfg`), newest first as GRUB sorts them. */
export async function readBls(files: GuestFiles, _guest: BootFacts, grub: Grub2): Promise<RawEntry[]> {
  if (!grub.files.some(({ cfg }) => cfg.usesBls)) return [];
  const names = (await files.list(ENTRIES)).filter((name) => name.endsWith('.conf'));
  const sorted = names.toSorted((a, b) => compareVersions(b, a)).slice(0, MOST_ENTRIES);
  const entries: RawEntry[] = [];
  for (const name of sorted) {
    const file = path.posix.join(ENTRIES, name);
    const parsed = parseBls((await files.readText(file, LIMIT_BYTES)) ?? '', grub.variables);
    if (parsed === undefined) continue;
    entries.push({
      ...parsed,
      loader: 'bls',
      file,
      isDefault: false,
    });
  }
  const wanted = grub.variables.get('saved_entry') ?? '';
  const named = ({ file, title }: RawEntry): boolean =>
    wanted !== '' && [path.posix.basename(file, '.conf'), title].includes(wanted);
  const chosen = entries.find(named) ?? entries[Number(wanted)] ?? entries[0];
  return entries.map((entry) => ({ ...entry, isDefault: entry === chosen }));
}
