import { createLogUpdate } from 'log-update';
import { reduce } from './model.js';
import { PLAIN_START, plainLines } from './plain.js';
import { EMPTY, type Model, type ViewEvent } from './state.js';
import { happenedLines, liveLines } from './tty.js';

/** Shows a job as it goes on. */
export interface Screen {
  readonly model: Model;
  update(event: ViewEvent): void;
  /** Draws what is left and gives the terminal back. Afterwards nothing is drawn any more. */
  close(): void;
}

const FRAME_MS = 125;
/** Between two lines of a disk nothing else may happen, so plain output looks at the clock as well. */
const PLAIN_TICK_MS = 1000;

/** What log lines are shown; `silent` shows nothing at all. */
export interface ScreenOptions {
  readonly stream: NodeJS.WriteStream;
  readonly color: boolean;
  readonly silent: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export function openScreen(options: ScreenOptions): Screen {
  const draw = options.silent ? silent() : options.stream.isTTY ? terminal(options) : lines(options);
  let model = EMPTY;
  return {
    get model() {
      return model;
    },
    update: (event) => {
      if (event.type === 'log' && LEVELS.indexOf(event.log.level) < LEVELS.indexOf(options.logLevel)) return;
      model = reduce(model, event, Date.now());
      draw.draw(model);
    },
    close: () => draw.close(model),
  };
}

interface Drawing {
  draw(model: Model): void;
  close(model: Model): void;
}

const silent = (): Drawing => ({ draw: () => {}, close: () => {} });

function lines({ stream }: ScreenOptions): Drawing {
  let state = PLAIN_START;
  let latest = EMPTY;
  const draw = (model: Model): void => {
    latest = model;
    const next = plainLines(model, state, Date.now());
    state = next.state;
    if (next.lines.length > 0) stream.write(`${next.lines.join('\n')}\n`);
  };
  const timer = setInterval(() => draw(latest), PLAIN_TICK_MS);
  return {
    draw,
    close: (model) => {
      clearInterval(timer);
      draw(model);
    },
  };
}

/** Finished lines scroll away above; only the few moving ones are drawn again, in one write with what is new above them. */
function terminal({ stream, color }: ScreenOptions): Drawing {
  const tty = stream;
  const update = createLogUpdate(tty);
  let printed = 0;
  let latest = EMPTY;
  const frame = (last: boolean): void => {
    const size = { columns: tty.columns > 0 ? tty.columns : 80, color };
    const above = happenedLines(latest, printed, size);
    printed = latest.happened.length;
    // Corked, the terminal gets erase, new lines and bars at once: no flicker.
    tty.cork();
    if (above.length > 0) {
      update.clear();
      tty.write(`${above.join('\n')}\n`);
    }
    // The newest lines where a terminal is too low for all.
    const live = last ? [] : liveLines(latest, Date.now(), size).slice(-Math.max(1, (tty.rows || 24) - 2));
    if (live.length > 0) update(live.join('\n'));
    else update.clear();
    tty.uncork();
  };
  const timer = setInterval(() => frame(false), FRAME_MS);
  const resized = (): void => frame(false);
  tty.on('resize', resized);
  return {
    draw: (model) => {
      latest = model;
    },
    close: (model) => {
      clearInterval(timer);
      tty.off('resize', resized);
      latest = model;
      frame(true);
      update.done();
    },
  };
}
