import { get } from 'node:https';
import type { Agent, IncomingMessage } from 'node:http';
import { TransferError } from '../errors.js';

export interface HttpGet {
  readonly url: string;
  readonly agent: Agent;
  readonly headers: Record<string, string>;
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal;
  /** For the message of a stall: `' at byte 12'`. */
  where?(): string;
}

/**
 * Gives the answer to `take` as soon as its head is there, with the body piece by piece. A body that is cut ends with an
 * error (ECONNRESET). Time is counted only while the server is waited for: a slow disk of ours is no stall of the server.
 * The connection goes back to the agent when the body was read to its end, and is closed in every other case.
 */
export async function httpGet(
  options: HttpGet,
  take: (response: IncomingMessage, body: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const { stallTimeoutMs } = options;
  let waitingSince: number | undefined = performance.now();
  let response: IncomingMessage | undefined;
  const request = get(options.url, { agent: options.agent, signal: options.signal, headers: options.headers });
  const watch = setInterval(
    () => {
      if (waitingSince === undefined || performance.now() - waitingSince < stallTimeoutMs) return;
      const stalled = new TransferError(
        'EXPORT_TRANSFER',
        `no data for ${stallTimeoutMs / 1000} s${options.where?.() ?? ''}`,
        { again: true },
      );
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
    const body = response;
    await take(
      body,
      (async function* pieces() {
        for await (const piece of body as AsyncIterable<Buffer>) {
          waitingSince = undefined;
          yield piece;
          waitingSince = performance.now();
        }
      })(),
    );
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(watch);
    if (response?.readableEnded !== true) {
      response?.destroy();
      request.destroy();
    }
  }
}
