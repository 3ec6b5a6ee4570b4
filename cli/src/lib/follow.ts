import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayUnreachable } from './errors.js';
import { SseParser, type SseEvent } from './sse.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
/** A stream that lived for this long was a good one: the next pause is short again. */
const GOOD_MS = 10_000;
/** A gateway sends at least a comment now and then; a connection that is silent for this long is taken for dead. */
const SILENCE_MS = 60_000;
/** The gateway may be restarted or updated meanwhile; after this long somebody has to look. */
const GIVE_UP_MS = 15 * 60_000;

export interface FollowOptions {
  /** Opens the stream of events from after `lastEventId`. Throws GatewayUnreachable when nobody answers. */
  readonly open: (lastEventId: string | undefined, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  readonly signal: AbortSignal;
  readonly onConnection?: (state: 'lost' | 'restored') => void;
  /** True for the event after which nothing follows. */
  readonly isLast: (event: SseEvent) => boolean;
  readonly giveUpMs?: number;
}

/**
 * Server-sent events across broken connections, each with Last-Event-ID, until the `last` one.
 * @throws GatewayUnreachable when it stayed away for 15 minutes; whatever else `open` throws (not found, denied)
 */
export async function* follow(options: FollowOptions): AsyncGenerator<SseEvent> {
  let lastId: string | undefined;
  let pause = FIRST_PAUSE_MS;
  let lostAt: number | undefined;
  while (!options.signal.aborted) {
    const silence = new AbortController();
    const parser = new SseParser(lastId);
    let failure: unknown;
    const opened = Date.now();
    try {
      const chunks = await options.open(lastId, AbortSignal.any([options.signal, silence.signal]));
      if (lostAt !== undefined) options.onConnection?.('restored');
      lostAt = undefined;
      for await (const event of parsed(chunks, parser, silence)) {
        lastId = event.id;
        yield event;
        if (options.isLast(event)) return;
      }
    } catch (error) {
      if (options.signal.aborted) return;
      if (error instanceof Error && 'exitCode' in error && !(error instanceof GatewayUnreachable)) throw error;
      failure = error;
    }
    // A stream that merely ended is opened again without a word; a gateway that is gone is worth one.
    if (failure !== undefined && !silence.signal.aborted && lostAt === undefined) {
      lostAt = Date.now();
      options.onConnection?.('lost');
    }
    if (lostAt !== undefined && Date.now() - lostAt > (options.giveUpMs ?? GIVE_UP_MS)) throw failure;
    if (Date.now() - opened > GOOD_MS) pause = FIRST_PAUSE_MS;
    await sleep(parser.retryMs ?? pause, undefined, { signal: options.signal }).catch(() => {});
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function* parsed(
  chunks: AsyncIterable<Uint8Array>,
  parser: SseParser,
  silence: AbortController,
): AsyncGenerator<SseEvent> {
  const decoder = new TextDecoder();
  const timer = setTimeout(() => silence.abort(new Error('silence')), SILENCE_MS);
  try {
    for await (const chunk of chunks) {
      timer.refresh();
      yield* parser.push(decoder.decode(chunk, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}
