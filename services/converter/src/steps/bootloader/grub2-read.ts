import path from 'node:path';
import type { BootFacts, GuestFiles, RawEntry } from './entry.js';
import { parseGrubCfg, type GrubCfg, type GrubEntry } from './grub2.js';
import { parseGrubenv } from './grubenv.js';
import { espCandidates } from './locate.js';

/** One entry has about 1 KiB; SUSE has one for each snapshot. */
const LIMIT_BYTES = 8 * 1024 * 1024;
/** Debian's, then Red Hat's and SUSE's. */
const FOLDERS = ['/boot/grub', '/boot/grub2'];

export interface GrubFile {
  readonly file: string;
  readonly text: string;
  readonly cfg: GrubCfg;
}

export interface Grub2 {
  /** Those that hold entries, or take them from /boot/loader/entries; a stub that leads to another is not among them. */
  readonly files: readonly GrubFile[];
  readonly entries: readonly RawEntry[];
  /** What the first grubenv and the first grub.cfg set. */
  readonly variables: ReadonlyMap<string, string>;
}

export async function readGrub2(files: GuestFiles, guest: BootFacts): Promise<Grub2> {
  const found: GrubFile[] = [];
  let variables: ReadonlyMap<string, string> | undefined;
  for (const folder of [...FOLDERS, ...(await vendorFolders(files, guest))]) {
    const file = path.posix.join(folder, 'grub.cfg');
    const text = await files.readText(file, LIMIT_BYTES);
    if (text === undefined) continue;
    const environment = parseGrubenv((await files.readText(path.posix.join(folder, 'grubenv'))) ?? '');
    const cfg = parseGrubCfg(text, environment);
    if (cfg.entries.length === 0 && !cfg.usesBls) continue;
    found.push({ file, text, cfg });
    variables ??= new Map([...cfg.variables, ...environment]);
  }
  return {
    files: found,
    variables: variables ?? new Map(),
    entries: found.flatMap(({ file, cfg }) => rawEntries(file, cfg, variables ?? new Map())),
  };
}

/** /boot/efi/EFI/redhat and its like: the whole configuration there (RHEL 7 and 8), or a stub. */
export async function vendorFolders(files: GuestFiles, guest: BootFacts): Promise<string[]> {
  const folders: string[] = [];
  for (const esp of espCandidates(guest)) {
    for (const vendor of await files.list(`${esp}/EFI`)) folders.push(`${esp}/EFI/${vendor}`);
  }
  return folders;
}

function rawEntries(file: string, { entries }: GrubCfg, variables: ReadonlyMap<string, string>): RawEntry[] {
  const chosen = defaultEntry(entries, variables);
  return entries.map((entry) => {
    const { kernel, initrds, commandLine, titles } = entry;
    const title = titles.at(-1);
    return {
      loader: 'grub2',
      file,
      ...(title === undefined ? {} : { title }),
      kernel,
      initrds,
      commandLine,
      isDefault: entry === chosen,
    };
  });
}

/** `set default=`: places, titles or ids, joined by `>` where there are submenus; else the first entry. */
export function defaultEntry(
  entries: readonly GrubEntry[],
  variables: ReadonlyMap<string, string>,
): GrubEntry | undefined {
  const said = variables.get('default') ?? '';
  const wanted = /saved_entry/.test(said) ? (variables.get('saved_entry') ?? '') : said;
  const matches = ({ places, titles, ids }: GrubEntry): boolean =>
    wanted !== '' && [places.join('>'), titles.join('>'), ids.join('>'), ids.at(-1), titles.at(-1)].includes(wanted);
  // A submenu alone means its first entry.
  const within = ({ places, titles }: GrubEntry): boolean =>
    wanted !== '' && [String(places[0]), titles[0]].includes(wanted);
  return entries.find(matches) ?? entries.find(within) ?? entries[0];
}
