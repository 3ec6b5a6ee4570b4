/** vCenter's side of an export that breaks: sessions, leases, certificates, manifests. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Artifact } from '@hyper2kvm/contracts';
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FOLDER, NFC, startFaultBench, type FaultBench } from './export-faults-setup.js';

const MIB = 2 ** 20;
let bench: FaultBench;

beforeAll(async () => {
  bench = await startFaultBench();
});
afterEach(() => bench.proxy.reset());
afterAll(async () => bench?.stop());

const streamOf = async (): Promise<Buffer> => readFile(bench.disk.vmdk);
const artifactOf = async (jobId: string): Promise<Artifact> =>
  Artifact.parse(JSON.parse(await readFile(path.join(bench.folder, jobId, 'artifact.json'), 'utf8')));

describe('a session that vCenter ended', () => {
  test.each(['RetrievePropertiesEx', 'CreateSnapshot_Task', 'ExportSnapshot'])(
    'before %s is renewed, and the export ends right',
    async (soap) => {
      const rule = bench.proxy.add({ soap, nth: 1, fault: { kind: 'soap-fault', fault: 'NotAuthenticated' } });
      await bench.succeeds(`job-session${soap.toLowerCase().slice(0, 8)}`);
      expect(rule.hits()).toBe(1);
    },
  );

  test('and cannot be renewed: VCENTER_BUSY, which is tried again later', async () => {
    bench.proxy.add({ soap: 'ExportSnapshot', fault: { kind: 'soap-fault', fault: 'NotAuthenticated' } });
    expect((await bench.fails('job-session9', 'VCENTER_BUSY')).retryable).toBe(true);
  });
});

describe('vCenter refuses', () => {
  test('the snapshot for lack of a privilege: VCENTER_PERMISSION', async () => {
    const rule = bench.proxy.add({
      soap: 'CreateSnapshot_Task',
      fault: { kind: 'soap-fault', fault: 'NoPermission', words: 'Permission to perform this operation was denied.' },
    });
    const error = await bench.fails('job-denied1', 'VCENTER_PERMISSION');
    expect(error.message).toContain('VM web');
    expect(rule.hits()).toBe(1);
  });

  test('the lease while another task holds the VM, for longer than is waited: VCENTER_BUSY', async () => {
    bench.proxy.add({ soap: 'ExportSnapshot', fault: { kind: 'soap-fault', fault: 'TaskInProgress' } });
    const error = await bench.fails('job-busy1', 'VCENTER_BUSY', { settings: { leaseWaitMs: 0 } });
    expect(error.message).toContain('for more than 0 s');
  });

  test('everything, being away: VCENTER_UNREACHABLE', async () => {
    bench.proxy.add({ method: 'POST', fault: { kind: 'cut', afterBytes: 0 } });
    await bench.fails('job-away1', 'VCENTER_UNREACHABLE');
  });

  test('with a page of a proxy in between: VCENTER_UNREACHABLE, with the status', async () => {
    bench.proxy.add({ method: 'POST', fault: { kind: 'status', status: 502 } });
    const error = await bench.fails('job-away2', 'VCENTER_UNREACHABLE');
    expect(error.message).toContain('502');
  });
});

/** Renewed every quarter of its time: soon, so that the test learns of it soon. */
const shortLease = (): void => {
  bench.proxy.add({
    soap: 'RetrievePropertiesEx',
    fault: { kind: 'replace', what: /<leaseTimeout>\d+</, by: '<leaseTimeout>1<' },
  });
};

describe('a lease that expired', () => {
  test('its URL is unknown by then: EXPORT_LEASE', async () => {
    bench.proxy.add({ path: NFC, fault: { kind: 'status', status: 404 } });
    const error = await bench.fails('job-expired1', 'EXPORT_LEASE', { settings: { leaseRenewals: 0 } });
    expect(error.message).toMatch(/lease is gone/);
    expect(error.retryable).toBe(true);
  });

  test.each(['ManagedObjectNotFound', 'Timedout', 'InvalidState'])(
    'its renewal is answered with %s while data flows: EXPORT_LEASE',
    async (fault) => {
      shortLease();
      bench.proxy.add({ soap: 'HttpNfcLeaseProgress', fault: { kind: 'soap-fault', fault } });
      bench.proxy.add({ path: NFC, fault: { kind: 'stall', afterBytes: MIB } });
      const error = await bench.fails(`job-expired${fault.toLowerCase().slice(0, 6)}`, 'EXPORT_LEASE', {
        settings: { leaseRenewals: 0 },
      });
      expect(error.message).toContain(fault);
    },
  );

  test('is replaced by a new one, and the export ends right', async () => {
    const before = (await bench.vcsim.control()).calls.ExportSnapshot ?? 0;
    bench.proxy.add({ path: NFC, nth: 1, fault: { kind: 'status', status: 404 } });
    await bench.succeeds('job-expired5', { settings: { diskRetryMs: [10] } });
    expect((await bench.vcsim.control()).calls.ExportSnapshot).toBe(before + 2);
  });

  test('is kept by renewals for as long as the disk takes, however slow', async () => {
    shortLease();
    const rule = bench.proxy.add({ path: NFC, fault: { kind: 'stall', afterBytes: MIB, forMs: 1_500 } });
    await bench.succeeds('job-kept1');
    expect(rule.hits()).toBe(1);
    expect((await bench.vcsim.control()).calls.HttpNfcLeaseProgress).toBeGreaterThan(1);
  });
});

describe('the certificate changes', () => {
  test.each(['nfc', 'datastore'] as const)('between login and disk, by %s: VCENTER_TLS', async (transport) => {
    const pinned = bench.proxy.thumbprint;
    // The connection that is there goes on: the disk comes over new ones.
    const soap = transport === 'nfc' ? 'ExportSnapshot' : 'CreateSnapshot_Task';
    bench.proxy.add({ soap, nth: 1, fault: { kind: 'new-certificate' } });
    const error = await bench.fails(`job-tls${transport}`, 'VCENTER_TLS', { transport });
    expect(bench.proxy.thumbprint).not.toBe(pinned);
    expect(error.message).toContain(bench.proxy.thumbprint);
    expect(error.retryable).toBe(false);
    expect(bench.proxy.bytes(transport === 'nfc' ? NFC : FOLDER)).toBe(0);
  });

  test('before the login: VCENTER_TLS, and no password was sent', async () => {
    const before = (await bench.vcsim.control()).calls.Login;
    const endpoint = { trust: { fingerprints: ['00'.repeat(32)], insecure: false } };
    await bench.fails('job-tls1', 'VCENTER_TLS', { endpoint });
    expect((await bench.vcsim.control()).calls.Login).toBe(before);
  });
});

describe('the manifest of a lease', () => {
  test('that agrees is noted in the artifact', async () => {
    const rule = bench.proxy.add({ soap: 'HttpNfcLeaseGetManifest', fault: { kind: 'manifest' } });
    await bench.succeeds('job-manifest1');
    expect(rule.hits()).toBeGreaterThan(0);
    const sha1 = createHash('sha1')
      .update(await streamOf())
      .digest('hex');
    expect((await artifactOf('job-manifest1')).disks[0]?.source_checksums).toEqual([`sha1:${sha1}`]);
  });

  test('that differs: EXPORT_CORRUPT', async () => {
    bench.proxy.add({ soap: 'HttpNfcLeaseGetManifest', fault: { kind: 'manifest', wrong: true } });
    const error = await bench.fails('job-manifest2', 'EXPORT_CORRUPT');
    expect(error.message).toMatch(/^disk 1 \(web\.vmdk\): .*sha1/i);
  });

  test('that is not to be had does not matter', async () => {
    bench.proxy.add({ soap: 'HttpNfcLeaseGetManifest', fault: { kind: 'soap-fault', fault: 'NotSupported' } });
    await bench.succeeds('job-manifest3');
    expect((await artifactOf('job-manifest3')).disks[0]?.source_checksums).toBeUndefined();
  });
});

test('lease URLs that name "*" instead of a host are those of the server asked', async () => {
  const what = new RegExp(`https://${bench.proxy.host.replaceAll('.', '\\.')}/nfc/`, 'g');
  const rule = bench.proxy.add({
    soap: 'RetrievePropertiesEx',
    fault: { kind: 'replace', what, by: 'https://*/nfc/' },
  });
  await bench.succeeds('job-star1');
  expect(rule.hits()).toBeGreaterThan(0);
  expect(bench.proxy.bytes(NFC)).toBe((await streamOf()).length);
});

test('a capacity that is not that of the stream: EXPORT_CORRUPT', async () => {
  const { capacityBytes } = bench.disk;
  bench.proxy.add({
    soap: 'RetrievePropertiesEx',
    fault: {
      kind: 'replace',
      what: new RegExp(`<capacityInBytes>${capacityBytes}<`, 'g'),
      by: `<capacityInBytes>${capacityBytes + MIB}<`,
    },
  });
  const error = await bench.fails('job-capacity1', 'EXPORT_CORRUPT');
  expect(error.message).toContain(`${capacityBytes} bytes, the VM's disk has ${capacityBytes + MIB}`);
});
