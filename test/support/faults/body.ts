import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './rules.js';

/** What the client left before the body was through; nobody has to be told. */
const gone = (out: ServerResponse): boolean => out.destroyed || out.socket?.destroyed !== false;

/**
 * Passes a body on, with the fault at its byte. Counts what was handed to the connection.
 * @param stopped aborts when the proxy ends: nothing stalls any longer
 */
export async function passBody(
  from: AsyncIterable<Buffer>,
  out: ServerResponse,
  fault: Fault | undefined,
  count: (bytes: number) => void,
  stopped: AbortSignal,
): Promise<void> {
  let at = 0;
  const send = async (bytes: Buffer): Promise<void> => {
    if (bytes.length === 0 || gone(out)) return;
    at += bytes.length;
    count(bytes.length);
    if (!out.write(bytes)) await drained(out);
  };
  for await (const piece of from) {
    const limit = limitOf(fault);
    // Each body reaches its limit once: a fault at 0 strikes before the first byte.
    if (limit === undefined || at > limit || at + piece.length <= limit) await send(flipped(piece, at, fault));
    else {
      const rest = piece.subarray(limit - at);
      await send(piece.subarray(0, limit - at));
      if (fault?.kind === 'cut') {
        await cut(out);
        return;
      }
      if (fault?.kind === 'short') break;
      if (fault?.kind === 'stall') await stall(out, fault.forMs, stopped);
      await send(rest);
      // Behind the limit for good, also when the rest was empty.
      fault = undefined;
    }
    if (gone(out)) return;
  }
  out.end();
}

function limitOf(fault: Fault | undefined): number | undefined {
  if (fault?.kind === 'cut' || fault?.kind === 'stall') return fault.afterBytes;
  return fault?.kind === 'short' ? fault.bytes : undefined;
}

function flipped(piece: Buffer, at: number, fault: Fault | undefined): Buffer {
  if (fault?.kind !== 'flip' || fault.at < at || fault.at >= at + piece.length) return piece;
  const changed = Buffer.from(piece);
  changed[fault.at - at] = (changed[fault.at - at] ?? 0) ^ 0xff;
  return changed;
}

/** Or the client left. */
async function drained(out: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      out.off('drain', done);
      out.off('close', done);
      resolve();
    };
    out.on('drain', done);
    out.on('close', done);
  });
}

/** What was written before goes out first. */
async function cut(out: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    out.once('close', resolve);
    out.write('', () => resolve());
  });
  out.socket?.destroy();
}

async function stall(out: ServerResponse, forMs: number | undefined, stopped: AbortSignal): Promise<void> {
  const over = new AbortController();
  out.once('close', () => over.abort());
  const signal = AbortSignal.any([stopped, over.signal]);
  // 2^31 - 1 ms is as long as a timer can be.
  await sleep(forMs ?? 2 ** 31 - 1, undefined, { signal }).catch(() => {});
}
