import { request as overHttp, type IncomingMessage } from 'node:http';
import { request as overHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { VERSION } from '../version.js';
import { addressesOf } from './address.js';
import { HttpCallError } from './error.js';
import { signedHeaders } from './signature.js';

/** Of an answer. What comes after it is not read. */
const MAX_ANSWER_BYTES = 64 * 1024;
const CONNECT_MS = 10_000;
/** Longer is not waited for, whatever the other side says. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

export interface SignedCall {
  /** http or https. */
  readonly url: string;
  /** JSON. */
  readonly body: string;
  /** Without it the call is not signed. */
  readonly secret?: string | undefined;
  /** Of the whole call, from the look-up of the name to the end of the answer. */
  readonly timeoutMs: number;
  /** The same for every repetition of one message, so that the receiver can tell it. */
  readonly id: string;
  /** Of this try. */
  readonly time: Date;
  readonly signal?: AbortSignal | undefined;
}

export interface CallAnswer {
  readonly status: number;
  /** Its beginning, up to 64 KiB. */
  readonly text: string;
  /** What the answer asked to wait before the next try. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Posts JSON to a receiver that somebody else named: signed, without following redirects, to no link-local address, and bounded
 * in time and size.
 * @throws HttpCallError without an answer; the signal's reason when it was aborted
 */
export async function postSigned(call: SignedCall): Promise<CallAnswer> {
  call.signal?.throwIfAborted();
  const limit = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal === undefined ? limit : AbortSignal.any([limit, call.signal]);
  const url = new URL(call.url);
  try {
    return await exchange(url, await addressesOf(url, signal), call, signal);
  } catch (error) {
    call.signal?.throwIfAborted();
    if (limit.aborted)
      throw new HttpCallError('timeout', `${url.host} did not answer within ${call.timeoutMs / 1000} s`);
    if (error instanceof HttpCallError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    // Several addresses were tried: the error of all of them has no words of its own.
    throw new HttpCallError('unreachable', `${url.host} could not be reached (${code ?? message})`);
  }
}

async function exchange(
  url: URL,
  addresses: Awaited<ReturnType<typeof addressesOf>>,
  call: SignedCall,
  signal: AbortSignal,
): Promise<CallAnswer> {
  const lookup = ((_host, { all }, found) => {
    const [first] = addresses;
    if (all === true) found(null, addresses);
    else found(null, first?.address ?? '', first?.family);
  }) as LookupFunction;
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? overHttps : overHttp)(url, {
      method: 'POST',
      // A connection of its own, made to the addresses that were looked at.
      agent: false,
      lookup,
      signal,
      headers: {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(call.body)),
        'user-agent': `hyper2kvm/${VERSION}`,
        ...signedHeaders(call),
      },
    });
    const connecting = setTimeout(
      () =>
        request.destroy(new HttpCallError('timeout', `${url.host} took no connection within ${CONNECT_MS / 1000} s`)),
      CONNECT_MS,
    );
    request.once('socket', (socket) =>
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(connecting)),
    );
    request.once('close', () => clearTimeout(connecting));
    request.on('error', reject);
    request.once('response', (response) => {
      readSome(response).then((text) => {
        resolve({
          status: response.statusCode ?? 0,
          text,
          retryAfterMs: retryAfter(response.headers['retry-after'], call.time),
        });
        request.destroy();
      }, reject);
    });
    request.end(call.body);
  });
}

async function readSome(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8');
}

/** Seconds, or a date: RFC 9110, 10.2.3. */
function retryAfter(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}
