import { fit, stringWidth } from './width.js';

/** Narrower than this a column of text is not worth it. */
const LEAST = 16;

/**
 * Text in lines of at most `columns` cells, broken between words where it can be. The lines after the first hang under what
 * stands behind the first `indent` characters; where these leave too little room, all of it hangs beneath them.
 */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const head = text.slice(0, indent);
  const beneath = head !== '' && columns - stringWidth(head) < LEAST;
  const hang = ' '.repeat(beneath ? 2 : stringWidth(head));
  const room = Math.max(2, columns - hang.length);
  const lines: string[] = [];
  let line = '';
  for (const word of text
    .slice(indent)
    .split(' ')
    .flatMap((one) => pieces(one, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(longer) <= room) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  const [first, ...rest] = [...lines, line];
  const hung = (one: string): string => hang + one;
  return beneath ? [head.trimEnd(), hung(first), ...rest.map(hung)] : [head + first, ...rest.map(hung)];
}

/** A word that is longer than a line in parts that are not. */
function pieces(word: string, room: number): string[] {
  if (stringWidth(word) <= room) return [word];
  // One more cell: for the mark that a cut ends in.
  const part = fit(word, room + 1).slice(0, -1);
  return part === '' ? [word] : [part, ...pieces(word.slice(part.length), room)];
}

/** `Label:   value`; on a terminal the value is broken into lines of its own column. @param width of the label with its colon */
export function labelled(label: string, value: string, width: number, columns?: number): string {
  const head = `${`${label}:`.padEnd(width)} `;
  return columns === undefined ? head + value : wrap(head + value, columns, head.length).join('\n');
}
