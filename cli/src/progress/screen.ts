import { liveRegion, terminalSize } from '../lib/live-region.js';
import { asciiMarks, canRedraw } from '../lib/marks.js';
import { fit, painter } from '../lib/width.js';
import { reduce } from './model.js';
import { PLAIN_START, plainLines } from './plain.js';
import { EMPTY, told, type Model, type ViewEvent } from './state.js';
import { happenedLines } from './happened.js';
import { liveLines } from './live.js';

/** Shows a job as it goes on. */
export interface Screen {
  readonly model: Model;
  update(event: ViewEvent): void;
  /** Draws what is left and gives the terminal back; what moved stays as it was last. Afterwards nothing is drawn any more. */
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
  const draw = options.silent ? silent() : canRedraw(options.stream) ? terminal(options) : lines(options);
  let model = EMPTY;
  return {
    get model() {
      return model;
    },
    update: (event) => {
      if (event.type === 'log' && LEVELS.indexOf(event.log.level) < LEVELS.indexOf(options.logLevel)) return;
      model = reduce(model, event, Date.now());
      draw.draw(model, () => {
        model = told(model);
      });
    },
    close: () => draw.close(model),
  };
}

interface Drawing {
  /** @param shown to be called once what happened was shown */
  draw(model: Model, shown: () => void): void;
  close(model: Model): void;
}

const silent = (): Drawing => ({ draw: (_model, shown) => shown(), close: () => {} });

function lines({ stream }: ScreenOptions): Drawing {
  let state = PLAIN_START;
  let latest = EMPTY;
  const draw = (model: Model): void => {
    const next = plainLines(model, state, Date.now());
    // What was printed is not given again.
    state = next.state;
    latest = told(model);
    if (next.lines.length > 0) stream.write(`${next.lines.map((line) => asciiMarks(line)).join('\n')}\n`);
  };
  const timer = setInterval(() => draw(latest), PLAIN_TICK_MS);
  return {
    draw: (model, shown) => {
      draw(model);
      shown();
    },
    close: (model) => {
      clearInterval(timer);
      draw(model);
    },
  };
}

/** Finished lines scroll away above; only the few moving ones are drawn again. */
function terminal({ stream, color }: ScreenOptions): Drawing {
  const region = liveRegion(stream);
  const paint = painter(color);
  let latest = EMPTY;
  let shown: (() => void) | undefined;
  const frame = (still = false): void => {
    const { columns, rows } = terminalSize(stream);
    // The line under the region is the cursor's.
    const size = { columns, rows: rows - 1, paint };
    const above = happenedLines(latest, size).map((line) => asciiMarks(line));
    latest = told(latest);
    shown?.();
    const live = liveLines(latest, Date.now(), { ...size, still }).map((line) => fit(asciiMarks(line), columns));
    region.draw(above, live.slice(-size.rows));
  };
  const timer = setInterval(frame, FRAME_MS);
  const resized = (): void => frame();
  stream.on('resize', resized);
  return {
    draw: (model, done) => {
      latest = model;
      shown = done;
    },
    close: (model) => {
      clearInterval(timer);
      stream.off('resize', resized);
      latest = model;
      frame(true);
      region.close('keep');
    },
  };
}
