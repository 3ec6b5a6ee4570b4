import path from 'node:path';
import { compareVersions } from '../../kernels.js';
import type { Configuration, GuestFiles, RawEntry } from '../entry.js';
import { parseBls } from './parse.js';
import { planBls } from './plan.js';

/** Where GRUB's `blscfg` looks. */
export const BLS_FOLDER = '/boot/loader/entries';
/** An entry has half a KiB. */
const LIMIT_BYTES = 64 * 1024;
/** Each takes three calls to read. */
const MOST_ENTRIES = 200;

export interface BlsFolder {
  readonly loader: 'bls' | 'systemd-boot';
  /** `/boot/loader/entries` */
  readonly folder: string;
  /** Variables that the boot loader puts into them. */
  readonly variables: ReadonlyMap<string, string>;
  /** Mount point of the file system that the paths are of, where that is certain. */
  readonly seenFrom?: string;
  /** Name of the entry that is started (without `.conf`, or a pattern with `*`), its title, or its place from 0. */
  readonly wanted: string;
}

/** The entries of a folder, newest first, as the boot loaders sort them. */
export async function readBls(files: GuestFiles, options: BlsFolder): Promise<Configuration> {
  const { loader, folder, variables, seenFrom, wanted } = options;
  const names = (await files.list(folder)).filter((name) => name.endsWith('.conf'));
  const sorted = names.toSorted((a, b) => compareVersions(b, a)).slice(0, MOST_ENTRIES);
  const found: Configuration['files'][number][] = [];
  const entries: RawEntry[] = [];
  for (const name of sorted) {
    const file = path.posix.join(folder, name);
    const text = await files.readText(file, LIMIT_BYTES);
    const parsed = parseBls(text ?? '', variables);
    if (text === undefined || parsed === undefined) continue;
    found.push({ loader, file, text, plan: planBls });
    entries.push({ ...parsed, loader, file, isDefault: false, ...(seenFrom === undefined ? {} : { seenFrom }) });
  }
  const chosen = entries.find((entry) => isWanted(entry, wanted)) ?? entries[Number(wanted)] ?? entries[0];
  return { files: found, entries: entries.map((entry) => ({ ...entry, isDefault: entry === chosen })) };
}

function isWanted({ file, title }: RawEntry, wanted: string): boolean {
  if (wanted === '') return false;
  const id = path.posix.basename(file, '.conf');
  const pattern = wanted.replace(/\.conf$/, '');
  const [start = '', ...rest] = pattern.split('*');
  const end = rest.at(-1);
  const matches = end === undefined ? id === pattern : id.startsWith(start) && id.endsWith(end);
  return matches || title === wanted;
}
