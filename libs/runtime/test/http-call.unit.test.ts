import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpCallError, postSigned, type SignedCall } from '../src/index.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(handler: RequestListener): Promise<string> {
  server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hidden`;
}
const call = (url: string, change: Partial<SignedCall> = {}) =>
  postSigned({
    url,
    body: '{"a":"ü"}',
    secret: 'sesame',
    timeoutMs: 5_000,
    id: 'fact.1',
    time: new Date(1_768_644_000_999),
    ...change,
  });
const failure = async (answer: Promise<unknown>): Promise<HttpCallError> => {
  const error: unknown = await answer.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(HttpCallError);
  return error as HttpCallError;
};

describe('a signed call', () => {
  it('carries what the receiver needs to check it', async () => {
    let got: { request: IncomingMessage; body: string } | undefined;
    const url = await serve((request, response) => {
      void text(request).then((body) => {
        got = { request, body };
        response.writeHead(202, { 'retry-after': '7' }).end('thanks');
      });
    });
    expect(await call(url)).toEqual({ status: 202, text: 'thanks', retryAfterMs: 7_000 });
    const headers = got?.request.headers;
    expect(got?.body).toBe('{"a":"ü"}');
    expect(got?.request.url).toBe('/hook?key=hidden');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'fact-1',
      'webhook-timestamp': '1768644000',
    });
    const expected = createHmac('sha256', 'sesame').update('fact-1.1768644000.{"a":"ü"}').digest('base64');
    expect(headers?.['webhook-signature']).toBe(`v1,${expected}`);

    await call(url, { secret: `whsec_${Buffer.from('raw key').toString('base64')}` });
    const raw = createHmac('sha256', 'raw key').update('fact-1.1768644000.{"a":"ü"}').digest('base64');
    expect(got?.request.headers['webhook-signature']).toBe(`v1,${raw}`);
    await call(url, { secret: undefined });
    expect(got?.request.headers['webhook-signature']).toBeUndefined();
  });

  it('does not follow a redirect', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls += 1;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect((await call(url)).status).toBe(307);
    expect(calls).toBe(1);
  });

  it('reads the beginning of an endless answer only', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200);
      const pour = (): void => {
        while (response.write('x'.repeat(16_384)));
      };
      response.on('drain', pour);
      pour();
    });
    const { status, text: body } = await call(url);
    expect([status, body.length]).toEqual([200, 65_536]);
  });

  it.each([
    ['never answers', () => {}],
    [
      'begins an answer that never ends',
      (_request: unknown, response: { write(text: string): unknown }) => response.write('.'),
    ],
  ])('gives up at its time limit when the receiver %s, and says nothing of the path', async (_what, handler) => {
    const error = await failure(call(await serve(handler), { timeoutMs: 200 }));
    expect(error.problem).toBe('timeout');
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ did not answer within 0\.2 s$/);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort(new Error('enough')));
    await expect(call(url, { signal: stop.signal })).rejects.toThrow('enough');
  });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.1.1]/',
    'http://[64:ff9b::169.254.169.254]/',
  ])('refuses %s', async (url) => {
    expect((await failure(call(url))).problem).toBe('forbidden');
  });

  it('says when nobody is there', async () => {
    const url = await serve(() => {});
    server?.close();
    const error = await failure(call(url));
    expect(error.problem).toBe('unreachable');
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.message).not.toContain('hidden');
    expect((await failure(call('http://no-such-host.invalid/'))).problem).toBe('unreachable');
  });
});
