import { iniEntries } from '../ini.js';
import { mentions, type Mentions } from '../mentions.js';

const words = (value: string): string[] => value.split(/\s+/).filter((each) => each !== '' && !each.startsWith('!'));

/** networkd .network and .netdev, udev's .link: [Match] says which cards, [Link] of a .link file how they are called. */
export function networkdMentions(file: string, text: string): Mentions {
  const entries = iniEntries(text.split('\n'));
  const values = (section: string, keys: readonly string[]): string[] =>
    entries.filter((each) => each.section === section && keys.includes(each.key)).map(({ value }) => value);
  if (file.endsWith('.netdev')) return mentions({ virtual: values('NetDev', ['Name']) });
  const macs = values('Match', ['MACAddress', 'PermanentMACAddress']).flatMap((each) => words(each));
  if (file.endsWith('.link')) {
    const [name] = values('Link', ['Name']);
    return mentions({ macs, fixed: name === undefined ? [] : macs.map((mac) => [mac, name] as const) });
  }
  const virtual = values('Match', ['Type', 'Kind']).some((each) => /bond|bridge|vlan|tun|wireguard|dummy/.test(each));
  const names = values('Match', ['Name']).flatMap((each) => words(each));
  return mentions(virtual ? { virtual: names, macs } : { cards: names, macs });
}
