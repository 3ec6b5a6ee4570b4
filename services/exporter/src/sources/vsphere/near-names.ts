import { distance as editDistance } from 'fastest-levenshtein';

/** Share of a name that may be mistyped. */
const WRONG = 0.4;
/** Shorter parts are in too many names. */
const SHORTEST_PART = 3;

/**
 * Which names were probably meant, the nearest first: a few letters off, or a part of the other; upper and lower case are one.
 * Some milliseconds for thousands of names.
 */
export function nearNames(asked: string, names: Iterable<string>, limit = 3): string[] {
  const word = asked.toLowerCase();
  const most = Math.round(word.length * WRONG);
  const found: { name: string; score: number }[] = [];
  for (const name of new Set(names)) {
    const lower = name.toLowerCase();
    // Whatever is longer or shorter by more than that is farther off, too: not worth a look.
    const apart = Math.abs(lower.length - word.length);
    const distance = apart <= most ? editDistance(word, lower) : Infinity;
    if (distance <= most) found.push({ name, score: distance });
    else if (isPart(word, lower) || isPart(lower, word)) found.push({ name, score: most + apart });
  }
  return found
    .toSorted((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}

const isPart = (part: string, whole: string): boolean => part.length >= SHORTEST_PART && whole.includes(part);

/** What is hung on a sentence that says that something is not there. */
export function didYouMean(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  const last = quoted.pop();
  if (last === undefined) return '';
  return `; did you mean ${quoted.length === 0 ? '' : `${quoted.join(', ')} or `}${last}?`;
}
