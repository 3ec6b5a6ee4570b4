import { writeSync } from 'node:fs';
import { emitKeypressEvents } from 'node:readline';
import {
  beginSynchronizedOutput,
  clearViewport,
  cursorHide,
  cursorShow,
  cursorTo,
  endSynchronizedOutput,
  enterAlternativeScreen,
  eraseEndLine,
  exitAlternativeScreen,
} from 'ansi-escapes';
import { stringWidth } from '../lib/width.js';
import type { Size } from './draw/index.js';
import type { Key } from './keys.js';

/** Without it, a character that is wider than we think would push the rest of the screen down. */
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';
const ENTER = enterAlternativeScreen + cursorHide + WRAP_OFF + clearViewport;
const LEAVE = WRAP_ON + cursorShow + exitAlternativeScreen;
const STDOUT = 1;
/** Escape alone is told from the beginning of an arrow key by what does not follow it. */
const ESCAPE_MS = 50;

export interface TerminalOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
  /** The terminal is gone. */
  readonly onGone: () => void;
}

/** A whole screen: raw keys in, frames out; what was there before comes back with `close`. */
export class FleetTerminal {
  #shown: readonly string[] = [];
  #open = false;

  constructor(private readonly options: TerminalOptions) {}

  get size(): Size {
    const { columns, rows } = this.options.output;
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  open(): void {
    const { input, output } = this.options;
    emitKeypressEvents(input, { escapeCodeTimeout: ESCAPE_MS } as never);
    input.on('keypress', this.#pressed);
    input.on('end', this.options.onGone);
    input.on('error', this.options.onGone);
    output.on('error', this.options.onGone);
    output.on('resize', this.#resized);
    process.on('exit', this.#exiting);
    this.#enter();
  }

  close(): void {
    const { input, output } = this.options;
    this.#leave();
    input.off('keypress', this.#pressed);
    input.off('end', this.options.onGone);
    output.off('resize', this.#resized);
    process.off('exit', this.#exiting);
  }

  /** Writes what differs from the last frame, in one piece; nothing where nothing does. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    const { columns } = this.size;
    let out = '';
    for (let row = 0; row < Math.max(lines.length, this.#shown.length); row += 1) {
      const line = lines[row] ?? '';
      if (line === this.#shown[row]) continue;
      // Behind a full line the cursor stands on its last cell, which would be erased.
      out += cursorTo(0, row) + line + (stringWidth(line) < columns ? eraseEndLine : '');
    }
    this.#shown = lines;
    if (out !== '') this.options.output.write(beginSynchronizedOutput + out + endSynchronizedOutput);
  }

  /** The next frame is drawn whole, on an empty screen. */
  forget(): void {
    this.#shown = [];
    if (this.#open) this.options.output.write(clearViewport);
  }

  /** As Ctrl-Z does: the shell has the terminal until the process is continued. */
  suspend(): void {
    this.#leave();
    process.once('SIGCONT', () => {
      this.#enter();
      this.options.onResize();
    });
    process.kill(process.pid, 'SIGTSTP');
  }

  #enter(): void {
    this.#open = true;
    this.#shown = [];
    this.options.input.setRawMode(true);
    this.options.input.resume();
    this.options.output.write(ENTER);
  }

  #leave(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.options.output.write(LEAVE);
      this.options.input.setRawMode(false);
    } catch {
      // The terminal is gone, and there is nothing to give back.
    }
    this.options.input.pause();
  }

  readonly #pressed = (text: string | undefined, key: { name?: string; ctrl?: boolean; shift?: boolean }): void => {
    const { name = '', ctrl = false, shift = false } = key;
    this.options.onKey({ text: text ?? '', name, ctrl, shift });
  };

  readonly #resized = (): void => {
    this.forget();
    this.options.onResize();
  };

  /** Whatever ends the process, the terminal is given back: streams are not flushed any more then. */
  readonly #exiting = (): void => {
    if (!this.#open) return;
    try {
      this.options.input.setRawMode(false);
      writeSync(STDOUT, LEAVE);
    } catch {
      // As above.
    }
  };
}
