/** The export stream on a way that breaks: it ends right, or with the right code, and nothing is left. */
import { registry } from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseMetrics, valueOf } from '../support/metrics-text.js';
import { NFC, startFaultBench, type FaultBench } from './export-faults-setup.js';

const MIB = 2 ** 20;
/** A stall is a minute by default; what is tested is that it is seen, not how long it takes. */
const STALL = { stallTimeoutMs: 500 };
const AGAIN = { diskRetryMs: [10] };
let bench: FaultBench;

beforeAll(async () => {
  bench = await startFaultBench();
});
afterEach(() => bench.proxy.reset());
afterAll(async () => bench?.stop());

/** By the exporter's metrics, in this process. */
async function counted() {
  const families = parseMetrics(await registry.metrics());
  const of = (name: string, labels: object = {}) => valueOf(families, name, { transport: 'nfc', ...labels });
  const disks = {
    success: of('hyper2kvm_disks_total', { status: 'success' }),
    failed: of('hyper2kvm_disks_total', { status: 'failed' }),
  };
  return { bytes: of('hyper2kvm_transfer_bytes_total'), retries: of('hyper2kvm_transfer_retries_total'), disks };
}

describe('a disk that breaks once begins again, and ends right', () => {
  test('cut in the middle', async () => {
    const rule = bench.proxy.add({ path: NFC, nth: 1, fault: { kind: 'cut', afterBytes: 2 * MIB } });
    const { log } = await bench.succeeds('job-nfccut1', { settings: AGAIN });
    expect(rule.hits()).toBe(1);
    expect(log.some(({ level, message }) => level === 'warn' && /begins again/.test(message))).toBe(true);
    expect(bench.proxy.traffic(NFC).reduce((sum, { requests }) => sum + requests, 0)).toBe(2);
    // Both parts came; the disk is one.
    const { bytes, retries, disks } = await counted();
    expect(bytes).toBeGreaterThan(4 * MIB);
    expect([retries, disks]).toEqual([1, { success: 1, failed: 0 }]);
  });

  test('cut before the first byte', async () => {
    bench.proxy.add({ path: NFC, nth: 1, fault: { kind: 'cut', afterBytes: 0 } });
    await bench.succeeds('job-nfccut2', { settings: AGAIN });
  });

  test('stalled in the middle', async () => {
    const rule = bench.proxy.add({ path: NFC, nth: 1, fault: { kind: 'stall', afterBytes: MIB } });
    const { log } = await bench.succeeds('job-nfcstall1', { settings: { ...AGAIN, ...STALL } });
    expect(rule.hits()).toBe(1);
    expect(log.map(({ message }) => message).join('\n')).toMatch(/Disk 1: no data for 0\.5 s/);
  });

  test('answered with 500, and once with 503', async () => {
    bench.proxy.add({ path: NFC, nth: 1, fault: { kind: 'status', status: 500 } });
    bench.proxy.add({ path: NFC, nth: 2, fault: { kind: 'status', status: 503 } });
    await bench.succeeds('job-nfcstatus1', { settings: { diskRetryMs: [10, 10] } });
  });

  test('answered with nothing', async () => {
    const rule = bench.proxy.add({ path: NFC, nth: 1, fault: { kind: 'empty' } });
    await bench.succeeds('job-nfcempty1', { settings: AGAIN });
    expect(rule.hits()).toBe(1);
  });

  test('ended early as if that were all', async () => {
    const rule = bench.proxy.add({ path: NFC, nth: 1, fault: { kind: 'short', bytes: 3 * MIB } });
    await bench.succeeds('job-nfcshort1', { settings: AGAIN });
    expect(rule.hits()).toBe(1);
  });

  test('with a byte changed', async () => {
    const rule = bench.proxy.add({ path: NFC, nth: 1, fault: { kind: 'flip', at: MIB + 12_345 } });
    await bench.succeeds('job-nfcflip1', { settings: AGAIN });
    expect(rule.hits()).toBe(1);
  });
});

test('a pause that is shorter than the limit is waited out', async () => {
  // Longer than a look at the clock takes to come round.
  const rule = bench.proxy.add({ path: NFC, fault: { kind: 'stall', afterBytes: MIB, forMs: 1_500 } });
  await bench.succeeds('job-nfcpause1', { settings: { stallTimeoutMs: 30_000 } });
  expect(rule.hits()).toBe(1);
});

describe('a disk that stays broken fails the export', () => {
  test('cut: EXPORT_TRANSFER', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'cut', afterBytes: 2 * MIB } });
    const before = (await counted()).disks.failed ?? 0;
    const error = await bench.fails('job-nfccut3', 'EXPORT_TRANSFER', { settings: AGAIN });
    expect((await counted()).disks.failed).toBe(before + 1);
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): the connection broke/);
    expect(error.retryable).toBe(true);
  });

  test('stalled: EXPORT_TRANSFER, with the time', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'stall', afterBytes: MIB } });
    const error = await bench.fails('job-nfcstall2', 'EXPORT_TRANSFER', { settings: STALL });
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): no data for 0\.5 s/);
  });

  test('stalled before it answers: EXPORT_TRANSFER', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'stall', afterBytes: 0 } });
    await bench.fails('job-nfcstall3', 'EXPORT_TRANSFER', { settings: STALL });
  });

  test('answered with 401: EXPORT_TRANSFER, with the status', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'status', status: 401 } });
    const error = await bench.fails('job-nfc401', 'EXPORT_TRANSFER');
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): .*401/);
  });

  test('answered with 403: the ticket counts no more', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'status', status: 403 } });
    await bench.fails('job-nfc403', 'EXPORT_LEASE', { settings: { leaseRenewals: 0 } });
  });

  test('answered with nothing: EXPORT_TRANSFER', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'empty' } });
    const error = await bench.fails('job-nfcempty2', 'EXPORT_TRANSFER');
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): the server sent an empty answer/);
  });

  test('ended early as if that were all: EXPORT_CORRUPT, with the byte', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'short', bytes: 2 * MIB + 77 } });
    const error = await bench.fails('job-nfcshort2', 'EXPORT_CORRUPT');
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): .*\(at byte \d+\)$/);
  });

  test('with a byte changed: EXPORT_CORRUPT, with the byte', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'flip', at: MIB + 12_345 } });
    const error = await bench.fails('job-nfcflip2', 'EXPORT_CORRUPT');
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): grain \d+ .*\(at byte \d+\)$/);
  });
});
