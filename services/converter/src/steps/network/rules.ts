import { isName, plainMac } from './mentions.js';

export interface RulesPlan {
  readonly text: string;
  readonly removed: readonly string[];
  /** MAC → name, of the rules that stay and of those that only their tie to VMware's hardware made useless. */
  readonly names: ReadonlyMap<string, string>;
  /** Names that removed rules gave to addresses that no card of the VM has. */
  readonly orphans: readonly string[];
  /** Rules that name VMware's hardware and were left, as it is not known which card they mean. */
  readonly unresolved: readonly string[];
}

export interface RulesInput {
  /** Of the VM's cards. */
  readonly macs: readonly string[];
  /** The card's address by its PCI address on VMware (`0000:0b:00.0`), where that is known. */
  readonly macOf: (path: string) => string | undefined;
  /** Whether udev itself keeps the file (70-persistent-net.rules): only there a line for an unknown card is stale. */
  readonly generated: boolean;
}

/**
 * Rules that name cards. 70-persistent-net.rules of older guests was written by udev itself: one line per card that it
 * ever saw, stale when its MAC is no card of this VM. Any rule is stale that also asks for VMware's driver or PCI path;
 * the name that it gave is pinned instead. Other lines stay.
 */
export function planRules(text: string, { macs, macOf, generated }: RulesInput): RulesPlan {
  const removed: string[] = [];
  const unresolved: string[] = [];
  const orphans: string[] = [];
  const names = new Map<string, string>();
  const kept = text.split('\n').filter((line) => {
    const rule = parseRule(line);
    if (rule === undefined) return true;
    const mac = rule.mac ?? (rule.path === undefined ? undefined : macOf(rule.path));
    if (mac === undefined) {
      if (rule.bound) unresolved.push(line.trim());
      return true;
    }
    const known = macs.includes(mac);
    if (known) names.set(mac, rule.name);
    else if (generated) orphans.push(rule.name);
    const stale = known ? rule.bound : generated;
    if (stale) removed.push(line.trim());
    return !stale;
  });
  return { text: kept.join('\n'), removed, names, orphans, unresolved };
}

interface Rule {
  readonly mac?: string;
  readonly path?: string;
  readonly name: string;
  /** To VMware's driver or place. */
  readonly bound: boolean;
}

/** A line that gives a card its name; undefined for any other. */
function parseRule(line: string): Rule | undefined {
  if (!/^\s*(?:ACTION=="add",\s*)?SUBSYSTEM=="net"/.test(line)) return undefined;
  const value = (key: string): string | undefined => {
    const at = line.indexOf(key);
    const end = at === -1 ? -1 : line.indexOf('"', at + key.length);
    return end === -1 ? undefined : line.slice(at + key.length, end);
  };
  const name = /(?:^|[\s,])NAME:?="([^"]+)"/.exec(line)?.[1];
  if (name === undefined || !isName(name)) return undefined;
  const mac = value('ATTR{address}=="') ?? value('ATTRS{address}=="') ?? value('SYSFS{address}=="');
  const path = value('KERNELS=="') ?? value('ENV{ID_PATH}=="')?.replace(/^pci-/, '');
  const driver = value('DRIVERS=="') ?? value('ENV{ID_NET_DRIVER}=="');
  const bound = path !== undefined || (driver !== undefined && !/^(?:\?\*|\*|virtio.*)$/.test(driver));
  return {
    name,
    bound,
    ...(mac !== undefined && /^[\da-f:]{17}$/i.test(mac) ? { mac: plainMac(mac) } : {}),
    ...(path === undefined ? {} : { path }),
  };
}
