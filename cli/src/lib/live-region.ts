import { stringWidth } from './width.js';

/** Lines at the bottom of a terminal that are drawn again in place. */
export interface LiveRegion {
  /** @param above scroll away above the region, once and for all @param live what it holds now; none wider than the terminal */
  draw(above: readonly string[], live: readonly string[]): void;
  /** Gives the cursor back. What the region holds is taken away, or stays as it is. */
  close(end?: 'clear' | 'keep'): void;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const ERASE_LINE = '\u001b[2K';
const ERASE_BELOW = '\u001b[J';
const up = (rows: number): string => (rows > 0 ? `\u001b[${rows}A` : '');

/**
 * Each frame is one write and holds only the lines that changed; one in which nothing changed is not written at all. The cursor
 * stays at the start of the line under the region, where also a `^C` that the terminal echoes is wiped out by the next frame.
 */
export function liveRegion(stream: NodeJS.WriteStream): LiveRegion {
  let shown: readonly string[] = [];
  let columns = 0;
  let hidden = false;
  const restore = (): void => {
    if (hidden) stream.write(SHOW_CURSOR);
    hidden = false;
  };
  // Also where the process ends in between: a signal that nobody else takes ends it as it would have without us.
  const onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    restore();
    process.off(signal, onSignal);
    process.kill(process.pid, signal);
  };
  process.once('exit', restore).on('SIGINT', onSignal).on('SIGTERM', onSignal);
  /** Rows that the region takes now: a terminal that became narrower has wrapped its lines. */
  const height = (size: TerminalSize): number =>
    Math.min(
      size.rows - 1,
      shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / size.columns)), 0),
    );

  const whole = (size: TerminalSize, above: readonly string[], live: readonly string[]): string =>
    `\r${up(height(size))}${ERASE_BELOW}${[...above, ...live].map((line) => `${line}\n`).join('')}`;
  const changed = (live: readonly string[]): string => {
    const first = live.findIndex((line, index) => line !== shown[index]);
    const rest = live.slice(first).map((line, index) => (line === shown[first + index] ? '' : ERASE_LINE + line));
    return first === -1 ? '' : `\r${up(live.length - first)}${rest.map((line) => `${line}\n`).join('')}`;
  };
  const draw = (above: readonly string[], live: readonly string[]): void => {
    const size = terminalSize(stream);
    const same = above.length === 0 && live.length === shown.length && size.columns === columns;
    const frame = same ? changed(live) : whole(size, above, live);
    shown = live;
    columns = size.columns;
    if (frame === '') return;
    const hide = live.length > 0 && !hidden;
    hidden ||= hide;
    stream.write((hide ? HIDE_CURSOR : '') + frame);
  };
  return {
    draw,
    close: (end = 'clear') => {
      if (end === 'clear' && shown.length > 0) draw([], []);
      restore();
      process.off('exit', restore).off('SIGINT', onSignal).off('SIGTERM', onSignal);
    },
  };
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Of now: the stream hears of a change a moment later. 80 × 24 where the terminal does not say. */
export function terminalSize(stream: NodeJS.WriteStream): TerminalSize {
  const [columns, rows] = stream.isTTY ? stream.getWindowSize() : [0, 0];
  return { columns: columns > 0 ? columns : 80, rows: rows > 1 ? rows : 24 };
}
