import { isGlob } from '../glob.js';
import { isMac, mentions, type Mentions } from '../mentions.js';
import { scanYaml } from '../yaml-scan.js';

/** Sections whose entries are no cards. */
const VIRTUAL = new Set(['bonds', 'bridges', 'vlans', 'tunnels', 'vrfs', 'dummy-devices', 'virtual-ethernets']);

/**
 * netplan: an entry below `ethernets` is a card's name, unless its `match` says which cards it is for; then the name is
 * what `set-name` says.
 */
export function netplanMentions(text: string): Mentions {
  const { keys, scalars } = scanYaml(text);
  const ids = new Set<string>();
  const matched = new Map<string, { macs: string[]; names: string[]; setName?: string; any: boolean }>();
  const virtual: string[] = [];
  for (const [top, section = '', id, ...rest] of keys) {
    if (top !== 'network' || id === undefined) continue;
    if (VIRTUAL.has(section)) virtual.push(id);
    if (section !== 'ethernets') continue;
    ids.add(id);
    if (rest[0] === 'match') entryOf(id).any = true;
  }
  for (const { path, value } of scalars) {
    const [top, section, id, key, detail] = path;
    if (top !== 'network' || section !== 'ethernets' || id === undefined) continue;
    if (key === 'set-name') entryOf(id).setName = value;
    if (key === 'match' && detail === 'macaddress') entryOf(id).macs.push(value);
    if (key === 'match' && detail === 'name') entryOf(id).names.push(value);
  }
  const entries = [...matched.values()];
  const plain = [...ids].filter((id) => matched.get(id)?.any !== true);
  return mentions({
    cards: [
      ...plain,
      ...entries.flatMap(({ names, setName }) => [...names.filter((each) => !isGlob(each)), setName ?? []].flat()),
    ],
    globs: entries.flatMap(({ names }) => names.filter((each) => isGlob(each))),
    virtual,
    macs: entries.flatMap(({ macs }) => macs),
    fixed: entries.flatMap(({ macs, setName }) =>
      setName === undefined ? [] : macs.filter((each) => isMac(each)).map((mac) => [mac, setName] as const),
    ),
  });

  function entryOf(id: string): { macs: string[]; names: string[]; setName?: string; any: boolean } {
    const entry = matched.get(id) ?? { macs: [], names: [], any: false };
    matched.set(id, entry);
    return entry;
  }
}
