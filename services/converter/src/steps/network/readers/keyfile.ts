import { iniEntries } from '../ini.js';
import { mentions, type Mentions } from '../mentions.js';

/** NetworkManager keyfile: a profile is bound to a card by `interface-name`, `mac-address` or [match]. */
export function keyfileMentions(text: string): Mentions {
  const entries = iniEntries(text.split('\n'));
  const values = (sections: RegExp, key: string): string[] =>
    entries.filter((each) => each.key === key && sections.test(each.section)).map(({ value }) => value);
  const [type = ''] = values(/^connection$/, 'type');
  const ethernet = /^(?:802-3-)?ethernet$/;
  const isCard = ethernet.test(type) || (type === '' && entries.some(({ section }) => ethernet.test(section)));
  const names = values(/^connection$/, 'interface-name');
  const macs = isCard ? values(ethernet, 'mac-address') : [];
  return mentions({
    // A VLAN's parent may be named by UUID too, which is no name of a card.
    cards: [...(isCard ? names : []), ...values(/^vlan$/, 'parent').filter((each) => each.length < 16)],
    virtual: isCard ? [] : names,
    globs: values(/^match$/, 'interface-name').flatMap((each) => each.split(/[;,\s]+/)),
    macs,
    known: macs.flatMap((mac) => names.map((name) => [mac, name] as const)),
  });
}
