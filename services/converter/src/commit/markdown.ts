/** Text of guests and sources in Markdown: it may be made to look like anything, and stays text. */

/** One line, no markup: also nothing that turns the direction of writing. */
export const text = (value: string): string =>
  value.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/gu, ' ').replace(/[\\`*_[\]<>#~&|]/g, '\\$&');

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ['None.'];
  return [row(heads), row(heads.map(() => '---')), ...rows.map((cells) => row(cells.map(text)))];
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A block of code: its fence is longer than any run of backticks within. */
export function fenced(content: string, language: string): string[] {
  const clean = content
    .replace(/[^\P{Cc}\n\t]|[\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD')
    .replace(/\n+$/, '');
  const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, clean, fence];
}

/** A word for a POSIX shell. */
export const shellWord = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
