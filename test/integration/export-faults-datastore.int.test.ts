/** The datastore's files, read by ranges, on a way that breaks: it ends right, or with the right code, and nothing is left. */
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FOLDER, startFaultBench, type Attempt, type FaultBench } from './export-faults-setup.js';

/** A stall is a minute by default; what is tested is that it is seen, not how long it takes. */
const STALL = { stallTimeoutMs: 500 };
const GET = { method: 'GET', path: FOLDER };
/** In the middle of the disk: others are under way, and some are through. */
const SOME = [4, 7, 8] as const;
let bench: FaultBench;

beforeAll(async () => {
  bench = await startFaultBench();
});
afterEach(() => bench.proxy.reset());
afterAll(async () => bench?.stop());

const by = (settings: Attempt['settings'] = {}): Attempt => ({ transport: 'datastore', settings });

/** Only what broke is fetched again: not much more than the disk. */
function expectLittleMore(): void {
  expect(bench.proxy.bytes(FOLDER)).toBeGreaterThanOrEqual(bench.disk.capacityBytes);
  expect(bench.proxy.bytes(FOLDER)).toBeLessThan(bench.disk.capacityBytes * 1.1);
}

test('without a fault each byte comes once', async () => {
  await bench.succeeds('job-dswhole1', by());
  expect(bench.proxy.bytes(FOLDER) - bench.disk.capacityBytes).toBeLessThanOrEqual(1);
  expect(bench.proxy.traffic(/^\/nfc\//)).toEqual([]);
});

describe('a range that breaks is asked for again, and the disk ends right', () => {
  test('cut in the middle', async () => {
    const rule = bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'cut', afterBytes: 100_000 } });
    await bench.succeeds('job-dscut1', by());
    expect(rule.hits()).toBe(SOME.length);
    expectLittleMore();
  });

  test('stalled in the middle', async () => {
    const rule = bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'stall', afterBytes: 100_000 } });
    await bench.succeeds('job-dsstall1', by(STALL));
    expect(rule.hits()).toBe(SOME.length);
    expectLittleMore();
  });

  test('stalled before it is answered', async () => {
    bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'stall', afterBytes: 0 } });
    await bench.succeeds('job-dsstall2', by(STALL));
  });

  test('answered with 500 and 503', async () => {
    bench.proxy.add({ ...GET, nth: 5, fault: { kind: 'status', status: 500 } });
    bench.proxy.add({ ...GET, nth: 6, fault: { kind: 'status', status: 503 } });
    await bench.succeeds('job-dsstatus1', by());
    expectLittleMore();
  });

  test('ended early as if that were all', async () => {
    const rule = bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'short', bytes: 4_000 } });
    await bench.succeeds('job-dsshort1', by());
    expect(rule.hits()).toBe(SOME.length);
    expectLittleMore();
  });

  test('answered with 401 once: the session is asked for again', async () => {
    const rule = bench.proxy.add({ ...GET, nth: 6, fault: { kind: 'status', status: 401 } });
    const { log } = await bench.succeeds('job-ds401a', by());
    expect(rule.hits()).toBe(1);
    expect(log.map(({ message }) => message).join('\n')).toMatch(/HTTP 401 .*session renewed/);
  });
});

describe('a range that stays broken fails the export', () => {
  test('cut: EXPORT_TRANSFER', async () => {
    bench.proxy.add({ ...GET, fault: { kind: 'cut', afterBytes: 100_000 } });
    const error = await bench.fails('job-dscut2', 'EXPORT_TRANSFER', by());
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): the connection broke/);
  });

  test('stalled: EXPORT_TRANSFER, with the time', async () => {
    bench.proxy.add({ ...GET, fault: { kind: 'stall', afterBytes: 100_000 } });
    const error = await bench.fails('job-dsstall3', 'EXPORT_TRANSFER', by(STALL));
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): no data for 0\.5 s/);
  });

  test('answered with 401: EXPORT_TRANSFER, with the status', async () => {
    bench.proxy.add({ ...GET, fault: { kind: 'status', status: 401 } });
    const error = await bench.fails('job-ds401b', 'EXPORT_TRANSFER', by());
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): .*401/);
  });

  test('answered with 403: VCENTER_PERMISSION', async () => {
    bench.proxy.add({ ...GET, nth: 5, fault: { kind: 'status', status: 403 } });
    const error = await bench.fails('job-ds403', 'VCENTER_PERMISSION', by());
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): /);
  });

  test('answered with nothing: EXPORT_TRANSFER', async () => {
    bench.proxy.add({ ...GET, fault: { kind: 'empty' } });
    await bench.fails('job-dsempty1', 'EXPORT_TRANSFER', by());
  });

  test('ended early as if that were all: EXPORT_TRANSFER', async () => {
    bench.proxy.add({ ...GET, fault: { kind: 'short', bytes: 4_000 } });
    await bench.fails('job-dsshort2', 'EXPORT_TRANSFER', by());
  });
});

describe('an answer that is not the range', () => {
  test('the whole file with 200: EXPORT_TRANSFER, nothing of it is used', async () => {
    bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'no-range' } });
    const error = await bench.fails('job-dswhole2', 'EXPORT_TRANSFER', by());
    expect(error.message).toContain('the whole file');
  });

  test('other bytes than were asked for: EXPORT_TRANSFER', async () => {
    const set = { 'Content-Range': `bytes 0-1048575/${bench.disk.capacityBytes}` };
    bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'headers', set } });
    const error = await bench.fails('job-dsrange1', 'EXPORT_TRANSFER', by());
    expect(error.message).toContain('bytes 0-1048575/');
  });

  test('no word on which bytes they are: EXPORT_TRANSFER', async () => {
    bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'headers', set: { 'Content-Range': undefined } } });
    await bench.fails('job-dsrange2', 'EXPORT_TRANSFER', by());
  });
});

describe('a file that changes while it is read', () => {
  test('in its time: SOURCE_CHANGED', async () => {
    const set = { 'Last-Modified': 'Sat, 01 Jan 2000 00:00:00 GMT' };
    bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'headers', set } });
    const error = await bench.fails('job-dschanged1', 'SOURCE_CHANGED', by());
    expect(error.message).toContain('Last-Modified');
    expect(error.retryable).toBe(true);
  });

  test('in its size: SOURCE_CHANGED', async () => {
    const grown = String(bench.disk.capacityBytes + 512);
    const set = (headers: IncomingHttpHeaders) => ({
      'Content-Range': headers['content-range']?.replace(/\d+$/, grown),
    });
    bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'headers', set } });
    await bench.fails('job-dschanged2', 'SOURCE_CHANGED', by());
  });

  test('by being deleted: SOURCE_CHANGED', async () => {
    bench.proxy.add({ ...GET, nth: SOME, fault: { kind: 'status', status: 404 } });
    await bench.fails('job-dschanged3', 'SOURCE_CHANGED', by());
  });
});

/** The account may not read files of the datastore. */
const refuse = (): void => void bench.proxy.add({ path: FOLDER, fault: { kind: 'status', status: 403 } });

describe('a datastore that cannot be read by ranges', () => {
  test('asked for: TRANSPORT_UNAVAILABLE, and no byte moves', async () => {
    refuse();
    const error = await bench.fails('job-dsdenied1', 'TRANSPORT_UNAVAILABLE', by());
    expect(error.message).toContain('web.vmdk');
  });

  test('not asked for: the export stream is used instead, and the log says why', async () => {
    refuse();
    const recorded = await bench.succeeds('job-dsdenied2', { transport: 'auto' });
    expect(bench.proxy.bytes(/^\/nfc\//)).toBeGreaterThan(0);
    expect(recorded.log.map(({ message }) => message).join('\n')).toMatch(/nfc/i);
  });
});
