import { distance as editDistance } from 'fastest-levenshtein';

/** Share of a word that may be wrong: two letters that changed places in a word of four are a slip, too. */
const WRONG = 0.4;

/**
 * Which of the words were probably meant, the nearest first. Letters of either case are the same; a beginning of at least
 * three letters stands for the whole.
 */
export function nearest(word: string, candidates: Iterable<string>, limit = 3): string[] {
  const asked = word.toLowerCase();
  const most = Math.round(asked.length * WRONG);
  const found: { candidate: string; distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const lower = candidate.toLowerCase();
    const distance = asked.length > 2 && lower.startsWith(asked) ? 1 : editDistance(asked, lower);
    if (distance <= most && distance < asked.length) found.push({ candidate, distance });
  }
  const best = Math.min(...found.map(({ distance }) => distance));
  return found
    .filter(({ distance }) => distance <= best + 1)
    .toSorted((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/** `"a"`, `"a" or "b"`, `"a", "b" or "c"` */
export function either(words: readonly string[], quote = '"'): string {
  const quoted = words.map((word) => `${quote}${word}${quote}`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}

/** What is hung on a sentence that says that something is not there. */
export const didYouMean = (words: readonly string[]): string =>
  words.length === 0 ? '' : `; did you mean ${either(words)}?`;
