import { stringWidth } from '../lib/width.js';
import { wrap } from '../lib/wrap.js';

/** A line that is too long goes on under its beginning, behind the mark that it begins with. */
export function hang(line: string, columns: number): string[] {
  if (stringWidth(line) <= columns) return [line];
  const [head = ''] = /^ *(?:[^ -~]+ +)?/.exec(line) ?? [];
  return wrap(line, columns, head.length);
}
