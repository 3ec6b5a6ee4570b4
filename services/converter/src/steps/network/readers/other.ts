import { mentions, type Mentions } from '../mentions.js';

/** /etc/wicked/ifconfig/*.xml: `<interface><name>ens192</name>`. */
export function wickedMentions(text: string): Mentions {
  const names = [...text.matchAll(/<name>\s{0,20}([\w.-]{1,15})\s{0,20}<\/name>/g)].map((match) => match[1] ?? '');
  const macs = [...text.matchAll(/<permanent-address>\s{0,20}([\da-f:]{17})/gi)].map((match) => match[1] ?? '');
  return mentions(
    /<(?:bridge|bond|vlan|team|dummy)\b/.test(text) ? { virtual: names.slice(0, 1), macs } : { cards: names, macs },
  );
}

/** dhcpcd.conf(5): `interface ens192` begins its settings. */
export function dhcpcdMentions(text: string): Mentions {
  return mentions({ cards: [...text.matchAll(/^[ \t]*interface[ \t]+(\S{1,32})/gm)].map((match) => match[1] ?? '') });
}

/** netctl.profile(5) of Arch: `Interface=ens192`, `Connection=ethernet`. */
export function netctlMentions(text: string): Mentions {
  const names = [...text.matchAll(/^Interface=["']?([\w.-]{1,15})/gm)].map((match) => match[1] ?? '');
  const below = [...text.matchAll(/^BindsToInterfaces=\(?([^)\n]*)/gm)].flatMap((match) =>
    (match[1] ?? '').split(/["'\s]+/),
  );
  const ethernet = /^Connection=["']?ethernet/m.test(text);
  return mentions({ cards: [...(ethernet ? names : []), ...below], virtual: ethernet ? [] : names });
}
