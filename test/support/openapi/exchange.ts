/** Sends requests that were made from a document, and holds the answers against it. */
import type { ApiDocument } from './document.js';
import { Known, type ApiRequest } from './requests.js';

/** Of an endless answer. */
const STREAM_MS = 100;
/** Characters of what is shown of a request and its answer. */
const SHOWN = 400;
const PROBLEM = 'application/problem+json';

export interface Exchange {
  readonly status: number;
  readonly url: string;
  readonly sent: string;
  /** Milliseconds until the answer was there, or its beginning. */
  readonly took: number;
  /** Its JSON; undefined where it is none. */
  readonly json: unknown;
  /** What the document does not allow. */
  readonly problems: readonly string[];
}

export class Exchanger {
  constructor(
    private readonly document: ApiDocument,
    private readonly options: {
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      /** The one with this number in a pool; undefined where there is none. */
      readonly pick: (known: Known) => string | undefined;
    },
  ) {}

  async send(request: ApiRequest): Promise<Exchange> {
    const { operation } = request;
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(this.#text(request.params[name])),
    );
    const query = new URLSearchParams(
      Object.entries(request.query).flatMap(([name, value]) =>
        (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, this.#text(one)]),
      ),
    );
    const url = this.options.url + path + (query.size === 0 ? '' : `?${query.toString()}`);
    const body = this.#body(request);
    const stop = new AbortController();
    const started = performance.now();
    const response = await fetch(url, {
      method: operation.method,
      headers: {
        ...this.options.headers,
        ...(body?.type === undefined ? {} : { 'content-type': body.type }),
        ...(request.idempotencyKey === undefined
          ? {}
          : { 'idempotency-key': encodeURI(request.idempotencyKey).replaceAll('%20', ' ') }),
        ...(request.lastEventId === undefined ? {} : { 'last-event-id': request.lastEventId }),
      },
      ...(body === undefined ? {} : { body: body.text }),
      signal: stop.signal,
    });
    const took = performance.now() - started;
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
    const text = await read(response, type === 'text/event-stream' ? stop : undefined);
    const key = request.idempotencyKey === undefined ? '' : ` [${request.idempotencyKey}]`;
    const sent = `${operation.method} ${short(url.slice(this.options.url.length))}${key} ${short(body?.text ?? '')}`;
    const json = type.endsWith('json') ? parsed(text) : undefined;
    const problems = this.#check(request, response.status, type, text, json);
    return { status: response.status, url, sent, took, json, problems: [...problems] };
  }

  *#check(
    { operation, body }: ApiRequest,
    status: number,
    type: string,
    text: string,
    json: unknown,
  ): Generator<string> {
    if (status === 500) yield `500: ${short(text)}`;
    const expected = operation.responses[String(status)];
    if (expected === undefined) {
      yield `the status ${status} is not in the document: ${short(text)}`;
      return;
    }
    if (expected.content === undefined) {
      if (text !== '') yield `${status} has a body: ${short(text)}`;
      return;
    }
    if (!(type in expected.content)) {
      yield `${status} is ${type}, the document has ${Object.keys(expected.content).join(', ')}`;
      return;
    }
    if (type.endsWith('json')) {
      const wrong = this.document.answerProblem(operation, status, type, json);
      if (wrong !== undefined) yield `${status}: ${wrong} in ${short(text)}`;
    }
    if (type === PROBLEM && (json as { status?: number } | undefined)?.status !== status)
      yield `${status} says another status: ${short(text)}`;
    if (status < 300 && operation.body !== undefined && body !== undefined && 'json' in body) {
      const wrong = this.document.bodyProblem(operation, this.#resolved(body.json));
      if (wrong !== undefined) yield `${status} to what the document does not allow: ${wrong}`;
    }
  }

  #body({ body }: ApiRequest): { text: string; type: string | undefined } | undefined {
    if (body === undefined) return undefined;
    if ('raw' in body) return { text: body.raw, type: body.type };
    return { text: JSON.stringify(this.#resolved(body.json)), type: 'application/json' };
  }

  #resolved(value: unknown): unknown {
    if (value instanceof Known) return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.#resolved(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#resolved(item)]));
  }

  #text(value: unknown): string {
    const text = value instanceof Known ? (this.options.pick(value) ?? 'none') : String(value);
    // Halves of characters cannot stand in an address.
    return Buffer.from(text).toString('utf8');
  }
}

const short = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** All of it, or what an endless one says at first. */
async function read(response: Response, stop: AbortController | undefined): Promise<string> {
  if (stop === undefined) return response.text();
  const timer = setTimeout(() => stop.abort(), STREAM_MS);
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk as Uint8Array);
  } catch {
    // Broken off by us.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
