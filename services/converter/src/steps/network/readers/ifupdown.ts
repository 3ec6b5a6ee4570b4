import { mentions, type Mentions } from '../mentions.js';

/** Options of a stanza that name the cards below it. */
const MEMBERS =
  /^(?:bridge[_-]ports|bond[_-]slaves|slaves|bond-primary|vlan[_-]raw[_-]device|vlan-id-device|pre-up-device)$/;
/** Options that say that the stanza's own name is no card's. */
const MAKES =
  /^(?:bridge[_-]ports|bond[_-]slaves|slaves|bond[_-]mode|vlan[_-]raw[_-]device|tunnel|link-type|openvpn|wireguard.*)$/;

/** ifupdown, interfaces(5): `auto ens192`, `allow-hotplug ens192`, `iface ens192 inet dhcp` and the options below it. */
export function ifupdownMentions(text: string): Mentions {
  const cards: string[] = [];
  const virtual: string[] = [];
  let current: string | undefined;
  for (const line of joined(text)) {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (word === 'auto' || word.startsWith('allow-')) cards.push(...rest);
    else if (word === 'iface') {
      current = rest[0];
      if (current !== undefined) cards.push(current);
    } else if (word === 'mapping' || word.startsWith('source')) current = undefined;
    if (MEMBERS.test(word)) cards.push(...rest);
    if (MAKES.test(word) && current !== undefined) virtual.push(current);
  }
  const patterns = cards.flatMap((each) => /^\/([^/]+)/.exec(each)?.[1] ?? []);
  return mentions({ cards: [...cards.filter((each) => !each.startsWith('/')), ...patterns], virtual });
}

/** What `source` and `source-directory` name, absolute; patterns as they are written. */
export function ifupdownSources(text: string): { files: string[]; folders: string[] } {
  const files: string[] = [];
  const folders: string[] = [];
  for (const line of joined(text)) {
    const [word, target = ''] = line.trim().split(/\s+/);
    if (target === '') continue;
    const absolute = target.startsWith('/') ? target : `/etc/network/${target}`;
    if (word === 'source') files.push(absolute);
    if (word === 'source-directory') folders.push(absolute.replace(/\/$/, ''));
  }
  return { files, folders };
}

/** Without comments; a backslash at its end joins a line with the next. */
function joined(text: string): string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'));
}
