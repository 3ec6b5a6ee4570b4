import { get, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { TrustingAgent } from '../net/index.js';
import type { NfcInput } from './inputs/input.js';

/** The server answered with something else than the disk. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError';
  constructor(readonly status: number) {
    super(`the server answered HTTP ${status}`);
  }
}

/** Nothing came for too long. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
}

/**
 * The body of the answer, piece by piece. A body cut short ends with an error (ECONNRESET).
 * Time is counted only while a piece is waited for: a slow disk of ours is no stall of the server.
 */
export async function* download(input: NfcInput, stallTimeoutMs: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const agent = new TrustingAgent(input.trust, { keepAlive: false });
  let waitingSince: number | undefined = performance.now();
  let response: IncomingMessage | undefined;
  const stalled = new StalledError(`no data for ${stallTimeoutMs / 1000} s`);
  const request = get(input.url, {
    agent,
    signal,
    headers: input.cookie === undefined ? {} : { Cookie: input.cookie },
  } satisfies RequestOptions);
  const watch = setInterval(
    () => {
      if (waitingSince === undefined || performance.now() - waitingSince < stallTimeoutMs) return;
      if (response === undefined) request.destroy(stalled);
      else response.destroy(stalled);
    },
    Math.min(1_000, stallTimeoutMs / 4),
  );
  try {
    response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      // Also after the response came: without a listener a late error would end the thread.
      request.on('error', reject);
    });
    if (response.statusCode !== 200) throw new HttpStatusError(response.statusCode ?? 0);
    for await (const piece of response as AsyncIterable<Buffer>) {
      waitingSince = undefined;
      yield piece;
      waitingSince = performance.now();
    }
  } finally {
    clearInterval(watch);
    response?.destroy();
    request.destroy();
    agent.destroy();
  }
}
