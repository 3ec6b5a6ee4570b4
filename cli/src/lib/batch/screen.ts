import { liveRegion, terminalSize } from '../live-region.js';
import { asciiMarks, canRedraw } from '../marks.js';
import { fit, painter } from '../width.js';
import { happenedLines, plainLines, progressLine, tableLines } from './draw.js';
import type { BatchView } from './view.js';

/** Without a terminal a line about the whole is worth it this often, where something changed. */
const PROGRESS_MS = 60_000;

export interface BatchScreen {
  draw(view: BatchView): void;
  /** Gives the terminal back. */
  close(): void;
}

export interface BatchScreenOptions {
  readonly stream: NodeJS.WriteStream;
  readonly color: boolean;
  readonly silent: boolean;
}

export function openBatchScreen(options: BatchScreenOptions): BatchScreen {
  if (options.silent) return { draw: () => {}, close: () => {} };
  return canRedraw(options.stream) ? terminal(options) : plain(options);
}

function plain({ stream }: BatchScreenOptions): BatchScreen {
  let printed = 0;
  let told = Date.now();
  let percent = 0;
  return {
    draw: (view) => {
      const lines = plainLines(view, printed);
      printed = view.happened.length;
      const now = Date.now();
      const at = Math.floor(view.detail?.percent_complete ?? 0);
      if (now - told >= PROGRESS_MS && at !== percent) {
        lines.push(...progressLine(view, now));
        told = now;
        percent = at;
      }
      if (lines.length > 0) stream.write(`${asciiMarks(lines.join('\n'))}\n`);
    },
    close: () => {},
  };
}

/** What ended scrolls away above; the table is drawn again in place, in one write with what is new above it. */
function terminal({ stream, color }: BatchScreenOptions): BatchScreen {
  const region = liveRegion(stream);
  const paint = painter(color);
  let printed = 0;
  let latest: BatchView | undefined;
  const frame = (last: boolean): void => {
    if (latest === undefined) return;
    const size = { ...terminalSize(stream), paint };
    const above = happenedLines(latest, printed, size).map((line) => asciiMarks(line));
    printed = latest.happened.length;
    region.draw(above, last ? [] : tableLines(latest, size).map((line) => fit(asciiMarks(line), size.columns)));
  };
  const resized = (): void => frame(false);
  stream.on('resize', resized);
  return {
    draw: (view) => {
      latest = view;
      frame(false);
    },
    close: () => {
      stream.off('resize', resized);
      frame(true);
      region.close();
    },
  };
}
