/**
 * The interface names that a guest's network configuration speaks of. Each reader takes the text of one file; what it
 * does not understand it skips, because nothing of the configuration is changed: the names only confirm the plan.
 */

/** Real or virtual, a name that configuration may carry (IFNAMSIZ is 16 with the final zero). */
const NAME = /^[A-Za-z0-9_.-]{1,15}$/;

/** ifupdown, /etc/network/interfaces: `auto ens192`, `allow-hotplug ens192`, `iface ens192 inet dhcp`. */
export function ifupdownNames(text: string): string[] {
  const names: string[] = [];
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (word === 'auto' || word.startsWith('allow-')) names.push(...rest);
    else if (word === 'iface' && rest[0] !== undefined) names.push(rest[0]);
  }
  return valid(names);
}

/** netplan: the keys below `ethernets:` (an indentation deeper than it), unless they only name a match. */
export function netplanNames(text: string): string[] {
  const names: string[] = [];
  let section: number | undefined;
  let level: number | undefined;
  for (const line of text.split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const indent = line.search(/\S/);
    if (section !== undefined && indent <= section) section = level = undefined;
    if (section !== undefined) {
      level ??= indent;
      const key = /^\s*["']?([^\s"':]+)["']?:/.exec(line)?.[1];
      if (indent === level && key !== undefined) names.push(key);
      const renamed = /^\s*set-name:\s*["']?([^\s"']+)/.exec(line)?.[1];
      if (renamed !== undefined) names.push(renamed);
    }
    if (/^\s*ethernets:\s*$/.test(line)) section = indent;
  }
  return valid(names);
}

/** NetworkManager keyfile: `interface-name=ens192` of a profile whose `type` is ethernet. */
export function keyfileNames(text: string): string[] {
  if (!/^type=(ethernet|802-3-ethernet)\s*$/m.test(text)) return [];
  return valid([...text.matchAll(/^interface-name=(.+)$/gm)].map((match) => (match[1] ?? '').trim()));
}

/** networkd .network: `Name=` of [Match], blank-separated; globs name nothing certain. */
export function networkdNames(text: string): string[] {
  const match = /^\[Match\]\s*$([\s\S]*?)(?=^\[|$(?![\s\S]))/m.exec(text)?.[1] ?? '';
  return valid([...match.matchAll(/^Name=(.+)$/gm)].flatMap((line) => (line[1] ?? '').trim().split(/\s+/)));
}

/** ifcfg-* (RHEL, SUSE): `DEVICE=ens192`, else the name of the file. */
export function ifcfgNames(file: string, text: string): string[] {
  const device = /^DEVICE=["']?([^"'\s]+)/m.exec(text)?.[1];
  return valid([device ?? file.replace(/^ifcfg-/, '')]);
}

/** MAC addresses to which any of these configurations is bound, in lower case with colons. */
export function boundMacs(text: string): string[] {
  const key = /^\s*(?:HWADDR|mac-address|MACAddress|PermanentMACAddress|macaddress)\s*[=:]\s*["']?([\da-f:-]{17})\b/gim;
  return [...new Set([...text.matchAll(key)].map((match) => (match[1] ?? '').toLowerCase().replaceAll('-', ':')))];
}

function valid(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => NAME.test(name) && name !== 'lo');
}
