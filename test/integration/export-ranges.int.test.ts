/** One disk by HTTP ranges: complete, and refused for what a server may do wrong. */
import { stat } from 'node:fs/promises';
import type { RangesInput, TransferTask } from '@hyper2kvm/exporter';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CAPACITY, MIB, RangeServer, headersFor, type Asked, type Behaviour } from './export-range-server.js';

let server: RangeServer;

beforeAll(async () => {
  server = await RangeServer.start();
});

afterAll(async () => server?.stop());
beforeEach(() => server.reset());

const late = (range: Asked): boolean => range.start >= 8 * MIB;

describe('a disk by ranges', () => {
  test('is identical, fetched once, over as many connections as were asked for', async () => {
    const task = server.task({}, { cookie: 'vmware_soap_session="abc"', connections: 5 });
    const result = await server.complete(task);
    expect(result).toMatchObject({ bytesDownloaded: CAPACITY, bytesResumed: 0, digests: {} });
    expect(server.sent).toBe(CAPACITY);
    expect(server.connections).toBe(5);
    expect([...server.cookies]).toEqual(['vmware_soap_session="abc"']);
    // Zeros take no space: 10 MiB of data, and a few clusters beside it.
    const { blocks } = await stat(task.path);
    expect(blocks * 512).toBeLessThan(11 * MIB);
  });

  test('needs no journal', async () => {
    const { journal: _, ...task } = server.task();
    await server.complete(task);
  });

  test('comes also where the server tells neither Last-Modified nor ETag', async () => {
    server.behaviour = (range, response) => {
      server.sent += range.end - range.start;
      const { 'Content-Range': contentRange, 'Content-Length': length } = headersFor(range);
      response.writeHead(206, { 'Content-Range': contentRange, 'Content-Length': length });
      response.end(server.disk.subarray(range.start, range.end));
      return true;
    };
    await server.complete(server.task());
  });

  test('comes in spite of connections that are cut, and of errors that pass', async () => {
    // Each range fails in its own way when it is asked for first, and only then: how often one may fail is not at issue here.
    const met = new Set<number>();
    server.behaviour = (range, response, request) => {
      if (met.has(range.start)) return false;
      met.add(range.start);
      const way = met.size % 6;
      if (way === 2) {
        response.writeHead(206, headersFor(range));
        response.write(server.disk.subarray(range.start, range.start + 100_000), () => request.socket.destroy());
        return true;
      }
      if (way === 3) return (response.writeHead(503).end('out of HTTP sessions'), true);
      if (way === 5) return (request.socket.destroy(), true);
      return false;
    };
    const result = await server.complete(server.task());
    expect(server.asked.length).toBeGreaterThan(Math.ceil(CAPACITY / MIB));
    expect(result.bytesDownloaded).toBeGreaterThan(CAPACITY);
  });

  test('goes on over a new connection when one stalls', async () => {
    server.behaviour = (range, response, _, number) => {
      if (number !== 3) return false;
      response.writeHead(206, headersFor(range)).write(server.disk.subarray(range.start, range.start + 70_000));
      return true;
    };
    await server.complete(server.task({ stallTimeoutMs: 500 }));
  });
});

describe('refused', () => {
  const status =
    (code: number): Behaviour =>
    (range, response) =>
      late(range) && (response.writeHead(code).end(), true);
  const headers =
    (change: (range: Asked) => Record<string, string | number>): Behaviour =>
    (range, response) =>
      late(range) && (server.answer(range, response, change(range)), true);
  const cases: [string, string, RegExp, Behaviour, Partial<TransferTask>?, Partial<RangesInput>?][] = [
    [
      'the whole file instead of a range',
      'EXPORT_TRANSFER',
      /whole file instead of the range at byte \d+: .*does not serve ranges/,
      (_, response) => (response.writeHead(200, { 'Content-Length': CAPACITY }).end(server.disk), true),
    ],
    ['401', 'EXPORT_TRANSFER', /HTTP 401 to the range at byte \d+: the session has ended/, status(401)],
    ['403', 'VCENTER_PERMISSION', /HTTP 403 .*may not read the datastore/, status(403)],
    ['404', 'SOURCE_CHANGED', /HTTP 404 .*is gone/, status(404)],
    ['416', 'SOURCE_CHANGED', /HTTP 416 .*shorter/, status(416)],
    ['500, again and again', 'EXPORT_TRANSFER', /HTTP 500 to the range at byte \d+/, status(500)],
    [
      'another range than the one asked for',
      'EXPORT_TRANSFER',
      /sent bytes 0-\d+\/\d+ instead of the bytes \d+-\d+/,
      headers(({ start: from, end }) => ({ 'Content-Range': `bytes 0-${end - from - 1}/${CAPACITY}` })),
    ],
    [
      'a range shifted by one',
      'EXPORT_TRANSFER',
      /instead of the bytes/,
      headers(({ start: from, end }) => ({ 'Content-Range': `bytes ${from + 1}-${end}/${CAPACITY}` })),
    ],
    [
      'a file of another size',
      'SOURCE_CHANGED',
      /has \d+ bytes instead of/,
      headers(({ start: from, end }) => ({ 'Content-Range': `bytes ${from}-${end - 1}/${CAPACITY + 512}` })),
    ],
    [
      'no Content-Range',
      'EXPORT_TRANSFER',
      /without a Content-Range/,
      (range, response) => late(range) && (response.writeHead(206, { 'Content-Length': 3 }).end('abc'), true),
    ],
    [
      'another Last-Modified',
      'SOURCE_CHANGED',
      /Last-Modified is Tue.* instead of Mon/,
      headers(() => ({ 'Last-Modified': 'Tue, 03 Nov 2026 10:00:00 GMT' })),
    ],
    ['another ETag', 'SOURCE_CHANGED', /ETag is "other" instead of/, headers(() => ({ ETag: '"other"' }))],
    [
      'an answer that is too short by the book',
      'EXPORT_TRANSFER',
      /announced \d+ bytes for the \d+ from byte \d+/,
      (range, response) => {
        if (!late(range)) return false;
        const bytes = server.disk.subarray(range.start, range.end - 100);
        response.writeHead(206, { ...headersFor(range), 'Content-Length': bytes.length }).end(bytes);
        return true;
      },
    ],
    [
      'connections cut for good',
      'EXPORT_TRANSFER',
      /connection broke/,
      (range, response, request) => {
        if (!late(range)) return false;
        response.writeHead(206, headersFor(range));
        response.write(server.disk.subarray(range.start, range.start + 5000), () => request.socket.destroy());
        return true;
      },
    ],
    [
      'a stall for good',
      'EXPORT_TRANSFER',
      /no data for 0.4 s, at byte \d+ of the disk/,
      late,
      { stallTimeoutMs: 400 },
    ],
    [
      'a certificate that is not the pinned one',
      'VCENTER_TLS',
      /certificate/,
      () => false,
      {},
      { trust: { fingerprints: ['11'.repeat(32)], insecure: false } },
    ],
    [
      'a file that is not the disk',
      'EXPORT_CORRUPT',
      /has \d+ bytes, the VM's disk has/,
      () => false,
      {
        capacityBytes: CAPACITY + 512,
      },
    ],
  ];

  test.each(cases)('%s', async (_, code, words, served, change, input) => {
    server.behaviour = served;
    const error = await server.refused(server.task(change, input));
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) as string });
  });

  test('a source that changed: nothing of before is gone on from', async () => {
    const task = server.task();
    server.behaviour = headers(() => ({ ETag: '"other"' }));
    expect((await server.refused(task)).code).toBe('SOURCE_CHANGED');
    server.behaviour = () => false;
    expect((await server.complete(task)).bytesResumed).toBe(0);
  });
});
