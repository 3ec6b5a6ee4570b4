/**
 * Shell patterns (`*`, `?`; a bracket matches any one character) by two pointers: a regular expression made of a hostile
 * pattern could take for ever.
 */
export function globMatches(pattern: string, text: string): boolean {
  const units = pattern.match(/\[[^\]]+\]|[^]/g) ?? [];
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    const unit = units[p];
    if (unit === '*') {
      star = p;
      mark = t;
      p += 1;
    } else if (unit !== undefined && (unit === '?' || unit.length > 1 || unit === text[t])) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      t = mark;
    } else return false;
  }
  return units.slice(p).every((unit) => unit === '*');
}

export const isGlob = (text: string): boolean => /[*?[]/.test(text);
