/** What a guest's network configuration says of its cards. What a reader does not understand it skips. */
export interface Mentions {
  /** Names of cards. */
  readonly cards: readonly string[];
  /** Names of what is made of cards: bonds, bridges, VLANs. */
  readonly virtual: readonly string[];
  /** Patterns: `ens*`. */
  readonly globs: readonly string[];
  /** Cards that the configuration itself names by their MAC. */
  readonly fixed: readonly (readonly [mac: string, name: string])[];
  /** Cards that it speaks of by name and MAC, without giving them that name in every guest. */
  readonly known: readonly (readonly [mac: string, name: string])[];
  /** MAC addresses to which it is bound. */
  readonly macs: readonly string[];
}

/** IFNAMSIZ is 16 with the final zero. */
const NAME = /^[A-Za-z0-9_.-]{1,15}$/;

export const isName = (name: string): boolean => NAME.test(name) && !/^(?:lo|all|default|none|\.{1,2})$/.test(name);

/** A VLAN has the name of the card below it, and a number. */
const VLAN = /\.\d{1,4}$/;

/** Sorted out: patterns apart from names, `ens192:0` and `ens192.100` to the card below them, nothing twice. */
export function mentions(found: Partial<Mentions>): Mentions {
  const all = (found.cards ?? []).map((each) => each.replace(/:\d+$/, ''));
  const virtual = [...new Set([...(found.virtual ?? []), ...all.filter((each) => VLAN.test(each))])];
  const below = all.map((each) => each.replace(VLAN, ''));
  return {
    virtual,
    cards: [...new Set(below)].filter((each) => isName(each) && !virtual.includes(each)),
    globs: [...new Set([...(found.globs ?? []), ...all])].filter((each) => /[*?[]/.test(each) && each.length < 64),
    fixed: pairs(found.fixed),
    known: pairs(found.known),
    macs: [...new Set((found.macs ?? []).filter((each) => isMac(each)).map((each) => plainMac(each)))],
  };
}

const pairs = (found: Mentions['fixed'] = []): Mentions['fixed'] =>
  found.filter(([mac, name]) => isMac(mac) && isName(name)).map(([mac, name]) => [plainMac(mac), name]);

/** Of all files together: what one file makes of cards, another may speak of as if it were one. */
export function merged(parts: readonly Mentions[]): Mentions {
  return mentions({
    cards: parts.flatMap(({ cards }) => cards),
    virtual: parts.flatMap(({ virtual }) => virtual),
    globs: parts.flatMap(({ globs }) => globs),
    fixed: parts.flatMap(({ fixed }) => fixed),
    known: parts.flatMap(({ known }) => known),
    macs: parts.flatMap(({ macs }) => macs),
  });
}

export const isMac = (text: string): boolean => /^[\da-f]{2}(?:[:-][\da-f]{2}){5}$/i.test(text);
/** In lower case with colons. */
export const plainMac = (mac: string): string => mac.toLowerCase().replaceAll('-', ':');

/** Nothing is configured at all. */
export const isEmpty = ({ cards, virtual, globs, macs }: Mentions): boolean =>
  cards.length + virtual.length + globs.length + macs.length === 0;
