import { mentions, type Mentions } from '../mentions.js';

/** What says that the file is of a bond, a bridge, a team, a VLAN, a tunnel. */
const MAKES: readonly [key: string, value: RegExp][] = [
  ['TYPE', /^(?:bond|bridge|team|vlan|tunnel|ovs.*|ipip|gre|sit|infiniband)$/i],
  ['DEVICETYPE', /^(?:team|ovs)$/i],
  ['INTERFACETYPE', /^(?:bond|bridge|vlan|dummy|tun|tap|team)$/i],
  ['BRIDGE', /^yes$/i],
  ['BONDING_MASTER', /^yes$/i],
  ['VLAN', /^yes$/i],
  ['ETHERDEVICE', /./],
  ['TUNNEL', /./],
  ['TEAM_RUNNER', /./],
];
/** What names cards below it. */
const MEMBERS = /^(?:BONDING_SLAVE_?\d+|BRIDGE_PORTS|ETHERDEVICE|PHYSDEV|TEAM_PORT_DEVICE_?\w*)$/;

/**
 * ifcfg-* (Red Hat: `DEVICE=ens192`, bound to a card by `HWADDR`; SUSE: the file's name), shell assignments. A file with
 * an address and no device is for that card, whatever its name.
 */
export function ifcfgMentions(file: string, text: string): Mentions {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^[ \t]*([A-Z_0-9a-z]+)=["']?([^"'\n#]*)/.exec(line);
    if (match?.[1] !== undefined) values.set(match[1].toUpperCase(), (match[2] ?? '').trim());
  }
  const mac = values.get('HWADDR') ?? /^ifcfg-eth-id-([\da-f:]{17})$/i.exec(file)?.[1];
  const named = values.get('DEVICE') ?? (mac === undefined ? file.replace(/^ifcfg-/, '') : undefined);
  const virtual = MAKES.some(([key, value]) => value.test(values.get(key) ?? ''));
  const members = [...values].filter(([key]) => MEMBERS.test(key)).flatMap(([, value]) => value.split(/\s+/));
  const own = named === undefined || /^eth-(?:id|bus)-/.test(named) ? [] : [named];
  // Without PHYSDEV, Red Hat's VLAN has its card's name before the dot.
  if (/^yes$/i.test(values.get('VLAN') ?? '') && !values.has('PHYSDEV')) members.push(...own);
  return mentions({
    cards: [...(virtual ? [] : own), ...members],
    virtual: virtual ? own : [],
    macs: mac === undefined || virtual ? [] : [mac],
    known: mac === undefined || virtual ? [] : own.map((each) => [mac, each] as const),
  });
}

/** Copies that editors and package managers leave are read by nobody. */
export const isIfcfg = (file: string): boolean =>
  /^ifcfg-[\w.:-]+$/.test(file) && !/(?:~|\.(?:bak|old|orig|rpmnew|rpmorig|rpmsave|swp|save))$/.test(file);
