import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpsReader } from '../../net/index.js';
import { TransferError } from '../errors.js';
import { located } from './http-failure.js';
import type { Pour, RangesInput, Sink } from './input.js';
import { checkAnswer } from './range-answer.js';
import { RangeContent } from './range-content.js';
import { RangeWindow, type Range } from './range-window.js';

/** Of one request. A multiple of 64 KiB. */
const RANGE_BYTES = 2 ** 20;
/** Ranges that may wait for an earlier one, besides those under way. */
const WAITING_RANGES = 2;
/** Pauses before a range is asked for again, on a new connection. */
const RETRY_MS = [100, 1_000, 5_000];

/**
 * Several connections fetch ranges side by side; their content goes into the sink in the order of the disk.
 * @throws TransferError, TlsTrustError
 */
export const pourRanges: Pour<RangesInput> = async (input, disk, sink, signal) => {
  if (input.sizeBytes !== disk.capacityBytes)
    throw new TransferError(
      'EXPORT_CORRUPT',
      `the file behind the disk has ${input.sizeBytes} bytes, the VM's disk has ${disk.capacityBytes}`,
    );
  const limit = input.connections + WAITING_RANGES;
  const window = new RangeWindow<RangeContent>(disk.startAt, disk.capacityBytes, RANGE_BYTES, limit);
  /** Used again and again: as many as there are ranges in the window. */
  const free: RangeContent[] = [];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  // One listener for each request under way, and those of the pauses.
  setMaxListeners(input.connections * 4, either);
  either.addEventListener('abort', () => window.fail(either.reason), { once: true });
  if (either.aborted) window.fail(either.reason);
  const connections = Array.from({ length: input.connections }, async () =>
    new Connection(input, disk.stallTimeoutMs, sink, free, either)
      .run(window)
      .catch((error: unknown) => window.fail(error)),
  );
  try {
    for (;;) {
      const next = await window.take();
      if (next === undefined) break;
      await give(next.range, next.content, sink);
      free.push(next.content);
    }
  } finally {
    stop.abort();
    await Promise.all(connections);
  }
};

async function give(range: Range, content: RangeContent, sink: Sink): Promise<void> {
  for (const [at, cluster] of content.data()) {
    sink.data(range.start + at, cluster);
    const pressure = sink.pressure();
    if (pressure !== undefined) await pressure;
  }
  sink.progress(range.end);
  const pressure = sink.pressure();
  if (pressure !== undefined) await pressure;
}

/** Fetches one range after the other over a connection of its own, and over a new one after a failure. */
class Connection {
  private readonly reader: HttpsReader;

  constructor(
    private readonly input: RangesInput,
    stallTimeoutMs: number,
    private readonly sink: Sink,
    private readonly free: RangeContent[],
    private readonly signal: AbortSignal,
  ) {
    this.reader = new HttpsReader(input.trust, stallTimeoutMs, signal);
  }

  async run(window: RangeWindow<RangeContent>): Promise<void> {
    try {
      for (;;) {
        const range = await window.next();
        if (range === undefined) return;
        const content = this.free.pop() ?? new RangeContent(RANGE_BYTES);
        await this.fetchAgain(range, content);
        window.put(range, content);
      }
    } finally {
      this.reader.close();
    }
  }

  private async fetchAgain(range: Range, content: RangeContent): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.fetch(range, content);
      } catch (error) {
        this.signal.throwIfAborted();
        const failure = located(error, `byte ${range.start + content.filled} of the disk`);
        const pause = RETRY_MS[attempt];
        if (pause === undefined || !(failure instanceof TransferError && failure.again)) throw failure;
        await sleep(pause, undefined, { signal: this.signal });
      }
    }
  }

  private async fetch(range: Range, content: RangeContent): Promise<void> {
    const { input, sink } = this;
    content.begin(range.end - range.start);
    const headers = {
      Range: `bytes=${range.start}-${range.end - 1}`,
      ...(input.cookie === undefined ? {} : { Cookie: input.cookie }),
    };
    await this.reader.get(input.url, headers, {
      head: (head) => checkAnswer(head, range, input),
      body: (piece) => {
        sink.received(piece);
        if (content.push(piece)) return sink.throttle();
        throw new TransferError('EXPORT_TRANSFER', `the server sent more than the range at byte ${range.start}`);
      },
    });
    if (content.filled !== content.length)
      throw new TransferError(
        'EXPORT_TRANSFER',
        `the answer ended at byte ${range.start + content.filled} of the disk, before the end of its range`,
        { again: true },
      );
  }
}
