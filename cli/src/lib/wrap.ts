import { fit, stringWidth } from './width.js';

/** Narrower than this a column of text is not worth it. */
const LEAST = 16;

/**
 * Text in lines of at most `columns` cells, broken between words where it can be, each after the first behind `indent` blanks.
 * Where the indent leaves no room, it is given up.
 */
export function wrap(text: string, columns: number, indent: number): string[] {
  const hang = columns - indent < LEAST ? 2 : indent;
  const lines: string[] = [];
  let line = text.slice(0, indent);
  let used = indent;
  let bare = true;
  for (let word of text.slice(indent).split(' ')) {
    if (!bare && used + 1 + stringWidth(word) > columns) {
      lines.push(line);
      [line, used, bare] = [' '.repeat(hang), hang, true];
    }
    while (stringWidth(word) > columns - used - (bare ? 0 : 1) && stringWidth(word) > columns - hang) {
      const room = Math.max(1, columns - used - (bare ? 0 : 1));
      const head = room <= 1 ? word.slice(0, 1) : fit(word, room).replace(/…$/, '');
      lines.push(`${line}${bare ? '' : ' '}${head}`);
      word = word.slice(head.length);
      [line, used, bare] = [' '.repeat(hang), hang, true];
    }
    line += bare ? word : ` ${word}`;
    used += stringWidth(word) + (bare ? 0 : 1);
    bare = false;
  }
  return [...lines, line];
}

/** `Label:   value`; on a terminal the value is broken into lines of its own column. @param width of the label with its colon */
export function labelled(label: string, value: string, width: number, columns?: number): string {
  const line = `${`${label}:`.padEnd(width)} ${value}`;
  return columns === undefined ? line : wrap(line, columns, width + 1).join('\n');
}
