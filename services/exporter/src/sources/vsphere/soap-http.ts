import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { IHttpClient } from 'soap';
import { ConnectError, TlsTrustError, TrustingAgent, type Trust } from '../../net/index.js';
import { orAborted } from './abort.js';
import { AnswerError } from './faults.js';

/** 20,000 VMs with all their properties stay far below. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 60_000;

/** Per call, handed through the SOAP library. */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /**
   * Takes the answer as text in place of the SOAP library, which takes seconds for megabytes and keeps the process busy
   * with it. The call gives undefined then.
   */
  readonly scan?: (answer: string) => void;
}

const EMPTY_ANSWER = '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body/></Envelope>';

/**
 * The SOAP library's way to the network. Its own client keeps requests, and with them the password, in its errors, mixes
 * up the cookies of concurrent calls, and follows proxy variables of the environment. This one keeps nothing but the
 * session's cookie.
 */
export class SoapHttp {
  /** Name and value as they came, quotes included: vCenter compares them as text. */
  cookie: string | undefined;
  readonly agent: TrustingAgent;

  constructor(trust: Trust) {
    this.agent = new TrustingAgent(trust);
  }

  readonly client: IHttpClient = {
    request: ((url: string, data: string, callback: Callback, headers: Headers, options?: CallOptions) => {
      this.post(url, data, headers, options ?? {}).then(
        ({ response, body }) => callback(null, response, body),
        (error: unknown) => callback(error),
      );
    }) as unknown as IHttpClient['request'],
  };

  close(): void {
    this.agent.destroy();
  }

  /** A request without a body; of the answer only status and headers are read. */
  async head(
    url: URL,
    { method, headers }: { method: string; headers: Headers },
    options: CallOptions,
  ): Promise<{ status: number; headers: IncomingHttpHeaders }> {
    return this.limited(options, async (signal) => {
      const response = await this.send(url, { method, headers, signal });
      // The rest of a body is not waited for, and its connection not used again.
      response.on('error', () => {}).destroy();
      return { status: response.statusCode ?? 0, headers: response.headers };
    });
  }

  /** A request with JSON, or nothing, in both directions. */
  async json(
    url: URL,
    { method, headers, body }: { method: string; headers: Headers; body?: object },
    options: CallOptions,
  ): Promise<{ status: number; body: unknown }> {
    return this.limited(options, async (signal) => {
      const data = body === undefined ? undefined : JSON.stringify(body);
      const type = data === undefined ? {} : { 'Content-Type': 'application/json' };
      const response = await this.send(url, { method, headers: { ...headers, ...type }, signal }, data ?? '');
      return { status: response.statusCode ?? 0, body: parseJson(await collect(response)) };
    });
  }

  private async post(
    url: string,
    data: string,
    headers: Headers,
    options: CallOptions,
  ): Promise<{ response: { status: number | undefined; headers: IncomingHttpHeaders }; body: string }> {
    return this.limited(options, async (signal) => {
      const cookie = this.cookie === undefined ? {} : { Cookie: this.cookie };
      const response = await this.send(
        new URL(url),
        { method: 'POST', headers: { ...headers, ...cookie }, signal },
        data,
      );
      const body = await collect(response);
      const status = response.statusCode ?? 0;
      // A fault comes as 500 with an envelope; anything else that is not 200 is a proxy's or a web server's page.
      if (status !== 200 && !body.includes('Envelope'))
        throw new AnswerError(`it answered HTTP ${status}; is this a vCenter?`);
      const session = response.headers['set-cookie']?.find((cookie) => cookie.startsWith('vmware_soap_session'));
      if (session !== undefined) this.cookie = session.split(';')[0];
      if (status !== 200 || options.scan === undefined) return { response: { status, headers: {} }, body };
      options.scan(body);
      return { response: { status, headers: {} }, body: EMPTY_ANSWER };
    });
  }

  private send(url: URL, options: Sending, data = ''): Promise<IncomingMessage> {
    const headers = { ...options.headers, ...(data === '' ? {} : { 'Content-Length': Buffer.byteLength(data) }) };
    return new Promise((resolve, reject) => {
      const call = request(url, { ...options, headers, agent: this.agent });
      call.on('response', resolve);
      call.on('error', reject);
      call.end(data);
    });
  }

  /** Within the time that the caller gives. @throws TlsTrustError, ConnectError, AnswerError; the signal's reason */
  private async limited<T>(options: CallOptions, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
      // Node does not end a request that still waits for its connection.
      return await orAborted(ask(signal), signal);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (limit.aborted) throw new AnswerError(`no answer within ${timeoutMs / 1000} s`);
      if (error instanceof TlsTrustError || error instanceof ConnectError || error instanceof AnswerError) throw error;
      throw new AnswerError(error instanceof Error ? error.message : String(error));
    }
  }
}

/** A page of a proxy is no JSON; what is not expected is missing then. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

interface Sending {
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

type Callback = (error: unknown, response?: unknown, body?: string) => void;
type Headers = Record<string, string>;

async function collect(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_ANSWER_BYTES) throw new AnswerError('the answer is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
