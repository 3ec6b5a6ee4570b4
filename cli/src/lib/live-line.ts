import { liveRegion, terminalSize } from './live-region.js';
import { asciiMarks, canRedraw } from './marks.js';
import { fit } from './width.js';

/** One line that is drawn again in place; nothing where there is no terminal that can. */
export interface LiveLine {
  set(text: string): void;
  /** Takes it away. */
  clear(): void;
}

export function liveLine(stream: NodeJS.WriteStream, quiet: boolean): LiveLine {
  if (quiet || !canRedraw(stream)) return { set: () => {}, clear: () => {} };
  const region = liveRegion(stream);
  return {
    set: (text) => region.draw([], [fit(asciiMarks(text), terminalSize(stream).columns)]),
    clear: () => region.close(),
  };
}
