import type { Appliance } from '../../guest/index.js';
import { globMatches, isGlob } from './glob.js';
import type { Hardware, Rewritten } from './hardware.js';
import { mentions, type Mentions } from './mentions.js';
import { isIfcfg, ifcfgMentions } from './readers/ifcfg.js';
import { ifupdownMentions, ifupdownSources } from './readers/ifupdown.js';
import { keyfileMentions } from './readers/keyfile.js';
import { netplanMentions } from './readers/netplan.js';
import { networkdMentions } from './readers/networkd.js';
import { dhcpcdMentions, netctlMentions, wickedMentions } from './readers/other.js';
import { rewriteIfcfg, rewriteKeyfile, rewriteNetworkd } from './rewrite-ini.js';
import { rewriteNetplan } from './rewrite-netplan.js';
import { rewriteAliases, rewriteManager } from './rewrite-other.js';

/** One file of a guest's network configuration. */
export interface NetworkFile {
  readonly path: string;
  readonly text: string;
  readonly kind: Kind;
}

interface Kind {
  read(name: string, text: string): Mentions;
  rewrite?(text: string, hardware: Hardware): Rewritten;
}

const nothing = (): Mentions => mentions({});
const IFUPDOWN: Kind = { read: (_name, text) => ifupdownMentions(text) };
const IFCFG: Kind = { read: ifcfgMentions, rewrite: rewriteIfcfg };
const MANAGER: Kind = { read: nothing, rewrite: rewriteManager };
const ALIASES: Kind = { read: nothing, rewrite: rewriteAliases };

/** Each place of configuration: folder and which of its files. */
const PLACES: readonly [folder: string, files: (name: string) => boolean, kind: Kind][] = [
  [
    '/etc/netplan',
    (name) => /\.ya?ml$/.test(name),
    { read: (_name, text) => netplanMentions(text), rewrite: rewriteNetplan },
  ],
  [
    '/etc/NetworkManager/system-connections',
    (name) => !/(?:^\.|~|\.(?:bak|orig|rpmsave|rpmnew))/.test(name),
    { read: (_name, text) => keyfileMentions(text), rewrite: rewriteKeyfile },
  ],
  ['/etc/NetworkManager', (name) => name === 'NetworkManager.conf', MANAGER],
  ['/etc/NetworkManager/conf.d', (name) => name.endsWith('.conf'), MANAGER],
  [
    '/etc/systemd/network',
    (name) => /\.(?:network|netdev|link)$/.test(name) && !name.startsWith('10-hyper2kvm-'),
    { read: networkdMentions, rewrite: rewriteNetworkd },
  ],
  ['/etc/sysconfig/network-scripts', isIfcfg, IFCFG],
  ['/etc/sysconfig/network', isIfcfg, IFCFG],
  ['/etc/wicked/ifconfig', (name) => name.endsWith('.xml'), { read: (_name, text) => wickedMentions(text) }],
  ['/etc/netctl', (name) => !name.startsWith('.'), { read: (_name, text) => netctlMentions(text) }],
  ['/etc', (name) => name === 'dhcpcd.conf', { read: (_name, text) => dhcpcdMentions(text) }],
];
/** Where kernels older than systemd are told the drivers of cards. */
const OLD_PLACES: typeof PLACES = [
  ['/etc', (name) => name === 'modprobe.conf', ALIASES],
  ['/etc/modprobe.d', (name) => name.endsWith('.conf'), ALIASES],
];
/** A guest with more profiles than this in one folder is not a guest. */
const FILES_LIMIT = 256;

type Guest = Pick<Appliance, 'list' | 'readText'>;

/** Every file of the guest that says something of its network cards. */
export async function readNetworkFiles(guest: Guest, systemd: number | undefined): Promise<NetworkFile[]> {
  const listed = new Map<string, readonly string[]>();
  const found: NetworkFile[] = await readIfupdown(guest, list);
  for (const [folder, isWanted, kind] of systemd === undefined ? [...PLACES, ...OLD_PLACES] : PLACES) {
    for (const name of (await list(folder)).filter((each) => isWanted(each)).slice(0, FILES_LIMIT)) {
      const text = await guest.readText(`${folder}/${name}`);
      if (text !== undefined) found.push({ path: `${folder}/${name}`, text, kind });
    }
  }
  return found;

  /** A folder whose parent does not list it is not asked for. */
  async function list(folder: string): Promise<readonly string[]> {
    const known = listed.get(folder);
    if (known !== undefined) return known;
    const parent = folder.slice(0, folder.lastIndexOf('/'));
    const there = parent === '' || (await list(parent)).includes(folder.slice(parent.length + 1));
    const names = there ? await guest.list(folder) : [];
    listed.set(folder, names);
    return names;
  }
}

/** /etc/network/interfaces and what it sources, however deep. */
async function readIfupdown(
  guest: Guest,
  list: (folder: string) => Promise<readonly string[]>,
): Promise<NetworkFile[]> {
  const found: NetworkFile[] = [];
  const wanted = ['/etc/network/interfaces'];
  const seen = new Set<string>();
  while (wanted.length > 0 && seen.size < FILES_LIMIT) {
    const path = wanted.shift() ?? '';
    const [folder, name] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
    if (seen.has(path) || !(await list(folder)).includes(name)) continue;
    seen.add(path);
    const text = await guest.readText(path);
    if (text === undefined) continue;
    found.push({ path, text, kind: IFUPDOWN });
    const { files, folders } = ifupdownSources(text);
    for (const each of files) wanted.push(...(await expand(each, list)));
    for (const each of folders)
      wanted.push(...(await list(each)).filter((file) => /^[\w-]+$/.test(file)).map((file) => `${each}/${file}`));
  }
  return found;
}

/** A pattern in the last part of a path; others are not followed. */
async function expand(pattern: string, list: (folder: string) => Promise<readonly string[]>): Promise<string[]> {
  const folder = pattern.slice(0, pattern.lastIndexOf('/'));
  const last = pattern.slice(folder.length + 1);
  if (isGlob(folder) || !folder.startsWith('/')) return [];
  if (!isGlob(last)) return [pattern];
  return (await list(folder))
    .filter((name) => !name.startsWith('.') && globMatches(last, name))
    .map((name) => `${folder}/${name}`);
}
