import { AsyncLocalStorage } from 'node:async_hooks';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { plainText } from '../telemetry/plain-text.js';
import { LineSplitter } from './line-splitter.js';

/** Of each process: the beginning as it comes, and once it ended the end. */
const HEAD_LINES = 60;
const TAIL_LINES = 60;
const MAX_CHARS = 500;

/** Takes what the child processes of one piece of work print. */
export interface OutputSink {
  output(source: string, line: string): void;
}

const sinks = new AsyncLocalStorage<OutputSink>();

/** What child processes print that are started within the action, however deep, goes to the sink. */
export const withOutput = <T>(sink: OutputSink, action: () => T): T => sinks.run(sink, action);

/** The lines of one process, cleaned; of many the first and the last. */
export class ProcessOutput {
  #lines = 0;
  readonly #tail: string[] = [];
  #ended = false;

  constructor(
    private readonly source: string,
    private readonly sink: OutputSink,
  ) {}

  line(raw: string): void {
    const text = plainText(raw, MAX_CHARS).trimEnd();
    if (text === '' || this.#ended) return;
    this.#lines += 1;
    if (this.#lines <= HEAD_LINES) return this.sink.output(this.source, text);
    this.#tail.push(text);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const left = this.#lines - HEAD_LINES - this.#tail.length;
    if (left > 0)
      this.sink.output(this.source, `… ${left.toLocaleString('en')} ${left === 1 ? 'line' : 'lines'} left out`);
    for (const text of this.#tail) this.sink.output(this.source, text);
  }
}

/** The lines of a program for the log of the work at hand, where there is one. Its caller says what a line is, and when it ended. */
export function linesOf(command: string): Pick<ProcessOutput, 'line' | 'end'> {
  const sink = sinks.getStore();
  return sink === undefined ? { line: () => {}, end: () => {} } : new ProcessOutput(path.basename(command), sink);
}

/** The same for the streams of a process that was just started. @returns to be called at its end */
export function tellOutput(command: string, streams: readonly Readable[]): () => void {
  if (streams.length === 0 || sinks.getStore() === undefined) return () => {};
  const output = linesOf(command);
  const splitters = streams.map((stream) => {
    const splitter = new LineSplitter((line) => output.line(line));
    stream.on('data', (chunk: Buffer | string) => splitter.write(chunk));
    return splitter;
  });
  return () => {
    for (const splitter of splitters) splitter.end();
    output.end();
  };
}

/** The same for output that is there as a whole: of a command that was run inside a guest. */
export function tellText(command: string, text: string): void {
  const output = linesOf(command);
  const splitter = new LineSplitter((line) => output.line(line));
  splitter.write(text);
  splitter.end();
  output.end();
}
