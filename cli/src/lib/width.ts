import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
// oxlint-disable-next-line no-control-regex -- the escape character opens a colour
const COLOUR = /^\u001b\[[0-9;]*m/;

/** Cuts a line to at most `columns` cells; colours do not count, wide characters count double, a cut ends in `…`. */
export function fit(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let out = '';
  let used = 0;
  for (let rest = line; rest !== '';) {
    const colour = COLOUR.exec(rest)?.[0];
    if (colour !== undefined) {
      out += colour;
      rest = rest.slice(colour.length);
      continue;
    }
    const [first] = segmenter.segment(rest);
    const grapheme = first?.segment ?? rest;
    const cells = stringWidth(grapheme);
    if (used + cells > columns - 1) break;
    out += grapheme;
    used += cells;
    rest = rest.slice(grapheme.length);
  }
  return `${out}…${line.includes('\u001b[') ? '\u001b[0m' : ''}`;
}

/** Pads with blanks to `columns` cells. */
export const pad = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - stringWidth(text)));

export { stringWidth };

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

export type Paint = (style: Style, text: string) => string;
export const painter = (color: boolean): Paint =>
  color ? (style, text) => `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m` : (_, text) => text;
