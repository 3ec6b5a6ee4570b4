import { createLogUpdate } from 'log-update';
import { fit } from './width.js';

/** One line that is drawn again in place; nothing where there is no terminal. */
export interface LiveLine {
  set(text: string): void;
  /** Takes it away. */
  clear(): void;
}

export function liveLine(stream: NodeJS.WriteStream, quiet: boolean): LiveLine {
  if (quiet || !stream.isTTY) return { set: () => {}, clear: () => {} };
  const update = createLogUpdate(stream);
  return {
    set: (text) => update(fit(text, stream.columns > 0 ? stream.columns : 80)),
    clear: () => {
      update.clear();
      update.done();
    },
  };
}
