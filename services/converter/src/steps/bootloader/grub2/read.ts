import path from 'node:path';
import { LIMIT_BYTES, type BootFacts, type Configuration, type GuestFiles, type RawEntry } from '../entry.js';
import { vendorFolders } from '../locate.js';
import { parseGrubenv } from './grubenv.js';
import { parseGrubCfg, type GrubCfg, type GrubEntry } from './parse.js';
import { planGrubCfg, planGrubenv } from './plan.js';

/** Debian's, then Red Hat's and SUSE's. */
const FOLDERS = ['/boot/grub', '/boot/grub2'];

export interface Grub2 extends Configuration {
  /** Entries come from /boot/loader/entries. */
  readonly usesBls: boolean;
  /** What the first grubenv and its grub.cfg set. */
  readonly variables: ReadonlyMap<string, string>;
}

/**
 * The grub.cfg that hold entries, or take them from /boot/loader/entries: in /boot, or whole on the ESP (RHEL 7 and 8).
 * A stub on the ESP that leads to another has nothing to change, as it finds it by UUID.
 */
export async function readGrub2(files: GuestFiles, guest: BootFacts): Promise<Grub2> {
  const found: Configuration['files'][number][] = [];
  const entries: RawEntry[] = [];
  let variables: ReadonlyMap<string, string> | undefined;
  let usesBls = false;
  for (const folder of [...FOLDERS, ...(await vendorFolders(files, guest))]) {
    const names = await files.list(folder);
    const file = path.posix.join(folder, 'grub.cfg');
    const text = names.includes('grub.cfg') ? await files.readText(file, LIMIT_BYTES) : undefined;
    if (text === undefined) continue;
    const block = path.posix.join(folder, 'grubenv');
    const grubenv = names.includes('grubenv') ? await files.readText(block) : undefined;
    const environment = parseGrubenv(grubenv ?? '');
    const cfg = parseGrubCfg(text, environment);
    if (cfg.entries.length === 0 && !cfg.usesBls) continue;
    found.push({ loader: 'grub2', file, text, plan: planGrubCfg });
    if (grubenv !== undefined) found.push({ loader: 'grub2', file: block, text: grubenv, plan: planGrubenv });
    entries.push(...rawEntries(file, cfg, new Map([...cfg.variables, ...environment])));
    variables ??= new Map([...cfg.variables, ...environment]);
    usesBls ||= cfg.usesBls;
  }
  return { files: found, entries, usesBls, variables: variables ?? new Map() };
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
  const wanted = said.includes('saved_entry') ? (variables.get('saved_entry') ?? '') : said;
  if (wanted === '') return entries[0];
  const matches = ({ places, titles, ids }: GrubEntry): boolean =>
    [places.join('>'), titles.join('>'), ids.join('>'), ids.at(-1), titles.at(-1)].includes(wanted);
  // A submenu alone means its first entry.
  const inside = ({ places, titles, ids }: GrubEntry): boolean =>
    [String(places[0]), titles[0], ids[0]].includes(wanted);
  return entries.find(matches) ?? entries.find(inside) ?? entries[0];
}
