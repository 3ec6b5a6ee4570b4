import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '@hyper2kvm/contracts';
import type { Agent, RequestInit, Response } from 'undici';
import type { z } from 'zod';
import { given } from './given.js';
import { parseAddress, type Address } from './address.js';
import { GatewayProblem, GatewayUnreachable, UsageError, type CliError } from './errors.js';
import { causeOf, notGateway, unreachable } from './unreachable.js';

export interface ClientOptions {
  /** `http://…`, `https://…` or `unix:/path`. */
  readonly url: string;
  readonly token?: string | undefined;
  /** PEM of the CA of an https gateway; undefined: the system's. */
  readonly ca?: string | undefined;
  /** For requests with a short answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Sent with every request of that method (traceparent). */
  readonly headers?: (method: string) => Record<string, string>;
}

export interface Asked {
  readonly body?: unknown;
  /** Statuses beside 2xx whose body is the answer. */
  readonly alsoFine?: readonly number[];
  /** The answer may take this long, whatever the user's timeout. */
  readonly leastMs?: number;
  /** False for a POST that only asks a question: it may be sent again without a key. */
  readonly changes?: boolean;
  readonly accept?: string;
}

/** After a cut the first sending may still be worked on; one of a gateway that was killed is given up after a minute. */
const UNDER_WAY_MS = 90_000;
/** Pauses before a request whose connection was cut is sent again: long enough for a gateway that is restarted. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000];
/** Longer than any answer takes: each request has a limit of its own, and event streams are watched for silence. */
const HEADERS_MS = 600_000;

/** HTTP with the gateway. Errors are CliErrors that can be shown as they are. */
export class Transport {
  readonly address: Address;
  #agent: Promise<Agent> | undefined;

  /** @throws UsageError about the address or the token */
  constructor(private readonly options: ClientOptions) {
    this.address = parseAddress(options.url);
    // As a header it would be refused with an error that repeats it.
    if (options.token !== undefined && !/^[!-~]+$/.test(options.token))
      throw new UsageError(
        'the token holds a blank, a line end or another character that no token has',
        'give it as it was shown when it was made',
      );
  }

  get timeoutMs(): number {
    return this.options.timeoutMs;
  }

  /** The answer as its schema says. */
  async json<Schema extends z.ZodType>(
    schema: Schema,
    method: string,
    path: string,
    asked: Asked = {},
  ): Promise<z.infer<Schema>> {
    const { text } = await this.#request(method, path, asked);
    const parsed = schema.safeParse(parsedJson(text));
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues[0];
    throw new GatewayUnreachable(
      this.address.shown,
      `its answer to ${method} ${path.split('?')[0]} was not understood (${where?.path.join('.') ?? ''}: ${where?.message ?? ''}); are hyperctl and the gateway of one version?`,
    );
  }

  /** The answer as text, of the type that was asked for. */
  async text(method: string, path: string, accept: string): Promise<string> {
    const { response, text } = await this.#request(method, path, { accept });
    if (!(response.headers.get('content-type') ?? '').startsWith(accept))
      throw notGateway(this.address.shown, `what it answers to ${path.split('?')[0]} is not ${accept}`);
    return text;
  }

  /** A request whose answer has no body. */
  async done(method: string, path: string, asked: Asked = {}): Promise<void> {
    await this.#request(method, path, asked);
  }

  /** An open stream of server-sent events. */
  async stream(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#fetch('GET', path, this.timeoutMs, {
      signal,
      headers: { accept: 'text/event-stream', ...headers },
    });
    if (!response.ok) throw this.#problem(response, await this.#whole(response, this.timeoutMs));
    if (response.body === null || !(response.headers.get('content-type') ?? '').startsWith('text/event-stream'))
      throw notGateway(this.address.shown, 'what answers there does not stream events');
    return response.body as AsyncIterable<Uint8Array>;
  }

  async #request(method: string, path: string, asked: Asked): Promise<{ response: Response; text: string }> {
    const { body, alsoFine = [], leastMs = 0, accept = 'application/json' } = asked;
    const timeoutMs = Math.max(leastMs, this.timeoutMs);
    // One key for one request, however often it has to be sent: the gateway does it once.
    const key: Record<string, string> =
      method === 'POST' && asked.changes !== false ? { 'idempotency-key': randomUUID() } : {};
    const headers = { accept, ...key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    let cuts = 0;
    const until = Date.now() + UNDER_WAY_MS;
    for (;;) {
      try {
        const signal = AbortSignal.timeout(timeoutMs);
        const response = await this.#fetch(method, path, timeoutMs, { signal, headers, ...sent });
        const text = await this.#whole(response, timeoutMs);
        if (response.ok || alsoFine.includes(response.status)) return { response, text };
        throw this.#problem(response, text);
      } catch (error) {
        const wait = method === 'POST' ? pauseMs(error, cuts, until) : undefined;
        if (wait === undefined) throw error;
        cuts += 1;
        await sleep(wait);
      }
    }
  }

  async #fetch(method: string, path: string, timeoutMs: number, init: RequestInit): Promise<Response> {
    const headers = {
      ...(init.headers as Record<string, string>),
      ...this.options.headers?.(method),
      ...(this.options.token === undefined ? {} : { authorization: `Bearer ${this.options.token}` }),
    };
    // Loaded with the first request: --help and errors of usage need none of it.
    const { fetch } = await import('undici');
    const dispatcher = await (this.#agent ??= agent(this.address.socket, this.options.ca));
    try {
      return await fetch(`${this.address.base}${path}`, { ...init, method, headers, dispatcher, redirect: 'error' });
    } catch (error) {
      throw unreachable(this.address.shown, error, timeoutMs);
    }
  }

  /** An answer may be cut in its middle. */
  async #whole(response: Response, timeoutMs: number): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw unreachable(this.address.shown, error, timeoutMs);
    }
  }

  #problem(response: Response, text: string): CliError {
    const parsed = Problem.safeParse(parsedJson(text));
    if (parsed.success) return new GatewayProblem(parsed.data, secondsOf(response.headers.get('retry-after')));
    if (response.status === 502 || response.status === 503 || response.status === 504)
      return new GatewayUnreachable(this.address.shown, `a proxy in front of it answers ${response.status}`);
    return notGateway(this.address.shown, `what answers there (HTTP ${response.status}) is no hyper2kvm gateway`);
  }
}

async function agent(socketPath: string | undefined, ca: string | undefined): Promise<Agent> {
  const undici = await import('undici');
  return new undici.Agent({
    headersTimeout: HEADERS_MS,
    bodyTimeout: 0,
    connect: { ...given('socketPath', socketPath), ...given('ca', ca) },
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After` in seconds; the form with a date is not used by the gateway. */
const secondsOf = (header: string | null): number | undefined =>
  header !== null && /^\d+$/.test(header) ? Number(header) : undefined;

const CUT = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
const isCut = (error: unknown): boolean => error instanceof GatewayUnreachable && CUT.has(causeOf(error).code);
const isGone = (error: unknown): boolean =>
  error instanceof GatewayUnreachable && (isCut(error) || ['ECONNREFUSED', 'ENOENT'].includes(causeOf(error).code));

/** When a POST is sent again; undefined: it is not. */
function pauseMs(error: unknown, cuts: number, until: number): number | undefined {
  // The first try tells whether there is a gateway at all; once it was cut off, the gateway may be on its way back.
  if (cuts === 0) return isCut(error) ? PAUSES_MS[0] : undefined;
  if (isGone(error)) return PAUSES_MS[cuts];
  // Its answer to what it has begun already: come back for the outcome.
  const begun = error instanceof GatewayProblem && error.code === 'STATE_CONFLICT' && error.waitSeconds !== undefined;
  return begun && Date.now() < until ? error.waitSeconds * 1000 : undefined;
}
