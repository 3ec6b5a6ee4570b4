import { fit, stringWidth } from '../../lib/width.js';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'inverse';
const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  inverse: [7, 27],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** A piece of a line. Its text holds no control characters. */
export interface Span {
  readonly text: string;
  readonly style?: Style | undefined;
}
export type Line = readonly Span[];

export const span = (text: string, style?: Style): Span => ({ text, style });

const ASCII = /^[ -~]*$/;

/** Cells of a text; the usual text is counted fast, since every frame counts all of its cells. */
export const cells = (text: string): number => (ASCII.test(text) ? text.length : stringWidth(text));
export const cellsOf = (line: Line): number => line.reduce((sum, { text }) => sum + cells(text), 0);

/** Cut to at most so many cells; a cut ends in `…`. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  if (!ASCII.test(text)) return fit(text, width);
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Exactly so many cells. */
export function cell(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const short = cut(text, width);
  const blanks = ' '.repeat(Math.max(0, width - cells(short)));
  return align === 'left' ? short + blanks : blanks + short;
}

/** A line of at most `columns` cells with the codes of its colours. */
export function render(line: Line, columns: number, color: boolean): string {
  let left = columns;
  let out = '';
  for (const [index, { text, style }] of line.entries()) {
    const isLast = line.slice(index + 1).every((rest) => rest.text === '');
    // A piece that fits exactly is followed by one that is lost: the cut has to be seen.
    const wide = cells(text);
    const short = wide < left || (wide === left && isLast) ? text : cut(`${text}…`, left);
    left -= cells(short);
    const [on, off] = style === undefined ? [0, 0] : CODES[style];
    out += color && style !== undefined && short !== '' ? `\u001b[${on}m${short}\u001b[${off}m` : short;
  }
  return out;
}

/** The two ends of a line. Where they have no room it is longer than `columns`: then something shorter is wanted. */
export function ends(left: Line, right: Line, columns: number): Line {
  const gap = columns - cellsOf(left) - cellsOf(right);
  return [...left, span(' '.repeat(Math.max(1, gap))), ...right];
}

/** The first that fits, else the last. */
export function fitting(columns: number, variants: readonly [Line, ...Line[]]): Line {
  return variants.find((line) => cellsOf(line) <= columns) ?? variants.at(-1) ?? variants[0];
}

/** `████░░░░` */
export function bar(share: number, width: number, style: Style = 'green'): Line {
  const full = Math.max(0, Math.min(width, Math.round(share * width)));
  return [span('█'.repeat(full), style), span('░'.repeat(width - full), 'dim')];
}

/** Pieces with a separator between them; empty ones are left out. */
export const joined = (pieces: readonly Line[], separator: string): Line =>
  pieces
    .filter((piece) => cellsOf(piece) > 0)
    .flatMap((piece, index) => (index === 0 ? piece : [span(separator, 'dim'), ...piece]));
