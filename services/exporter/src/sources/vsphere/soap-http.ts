import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { IHttpClient } from 'soap';
import { ConnectError, TlsTrustError, TrustingAgent, type Trust } from '../../net/index.js';
import { AnswerError } from './faults.js';

/** 20,000 VMs with all their properties stay far below. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 60_000;

/** Per call, handed through the SOAP library. */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

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

  private async post(
    url: string,
    data: string,
    headers: Headers,
    options: CallOptions,
  ): Promise<{ response: { status: number | undefined; headers: IncomingMessage['headers'] }; body: string }> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const call = request(url, {
          method: 'POST',
          agent: this.agent,
          signal,
          headers: {
            ...headers,
            'Content-Length': Buffer.byteLength(data),
            ...(this.cookie === undefined ? {} : { Cookie: this.cookie }),
          },
        });
        call.on('response', resolve);
        call.on('error', reject);
        call.end(data);
      });
      const body = await collect(response);
      const status = response.statusCode ?? 0;
      // A fault comes as 500 with an envelope; anything else that is not 200 is a proxy's or a web server's page.
      if (status !== 200 && !body.includes('Envelope'))
        throw new AnswerError(`it answered HTTP ${status}; is this a vCenter?`);
      const session = response.headers['set-cookie']?.find((cookie) => cookie.startsWith('vmware_soap_session'));
      if (session !== undefined) this.cookie = session.split(';')[0];
      return { response: { status, headers: {} }, body };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (limit.aborted) throw new AnswerError(`no answer within ${timeoutMs / 1000} s`);
      if (error instanceof TlsTrustError || error instanceof ConnectError || error instanceof AnswerError) throw error;
      throw new AnswerError(error instanceof Error ? error.message : String(error));
    }
  }
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
