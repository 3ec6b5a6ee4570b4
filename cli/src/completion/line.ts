/** What was typed so far: whole words, and the one that the cursor stands at the end of. */
export interface Typed {
  readonly words: readonly string[];
  readonly current: string;
  /** A quote that is open at the cursor, and behind how many characters of the word it began. */
  readonly quote?: { readonly mark: '"' | "'"; readonly from: number } | undefined;
}

/**
 * Splits a line of bash up to its cursor, and takes quotes away. Nothing is expanded: a line that is not finished is no program.
 * The first word, the command's name, is left out.
 */
export function splitLine(line: string): Typed {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  let from = 0;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (quote === "'") {
      if (char === "'") quote = '';
      else word += char;
    } else if (char === '\\') {
      at += 1;
      // Within double quotes it is itself, but before what it can hide.
      const hidden = line[at] ?? '';
      word = `${word ?? ''}${quote !== '' && !/["\\$`]/.test(hidden) ? '\\' : ''}${hidden}`;
    } else if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
      from = word.length;
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${char}`;
  }
  const open = quote === '"' || quote === "'" ? ({ mark: quote, from } as const) : undefined;
  return { words: words.slice(1), current: word ?? '', quote: open };
}
