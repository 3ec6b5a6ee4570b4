/** What a person reads of a list; a hostile guest's may have 100,000 entries. */
const MOST = 20;

/** The first of them, and how many more there are. */
export function few(items: readonly string[]): string[] {
  const left = items.length - MOST;
  return left > 0 ? [...items.slice(0, MOST), `and ${left} more`] : [...items];
}
