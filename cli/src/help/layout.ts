/** Words of a text in lines of at most `width` cells; line ends between paragraphs and list items stay. */
export function wrap(text: string, width: number): string[] {
  // Sources break their texts where they like: only what is set off, or begins a list or a sentence of its own, starts a line.
  const joined = text.replaceAll(/[ \t]*\n(?!\n|[ \t]*[-•]\s|Exit codes:)(?<!\n\n)/g, ' ');
  return joined.split('\n').flatMap((line) => wrapLine(line, width));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/\s+/)) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

const INDENT = 2;
/** A left column that is wider than this does not push the right one away: its text starts on the next line. */
const LEFT_MOST = 26;

/** Two columns; the right one is wrapped. */
export function columns(rows: readonly (readonly [left: string, right: string])[], width: number): string[] {
  const widths = rows.map(([left]) => left.length).filter((length) => length <= LEFT_MOST);
  const left = Math.max(0, ...widths);
  const start = INDENT + left + 2;
  return rows.flatMap(([name, text]) => {
    const [first = '', ...rest] = wrap(text, Math.max(20, width - start));
    const further = rest.map((line) => ' '.repeat(start) + line);
    const own = `${' '.repeat(INDENT)}${name}`;
    if (name.length > left) return [own, ' '.repeat(start) + first, ...further];
    return [`${own.padEnd(start)}${first}`.trimEnd(), ...further];
  });
}

export const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`.trimEnd());

/** A command in lines that can be copied as they stand: it is broken before a flag where that does, with a backslash. */
export function commandLines(command: string, width: number): string[] {
  const words = command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  const pieces: string[] = [];
  for (const word of words) {
    const before = pieces.at(-1);
    // A flag and its value stay together.
    if (before !== undefined && /^-\S+$/.test(before) && !/^[-|]/.test(word))
      pieces[pieces.length - 1] = `${before} ${word}`;
    else pieces.push(word);
  }
  const lines: string[] = [];
  let current = '';
  for (const piece of pieces) {
    if (current !== '' && current.length + 1 + piece.length > width - 2) {
      lines.push(`${current} \\`);
      current = `    ${piece}`;
    } else current = current === '' ? piece : `${current} ${piece}`;
  }
  return [...lines, current];
}
