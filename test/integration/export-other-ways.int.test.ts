/** Disks that do not come the way that was planned, and how they come all the same. Every pause and retry is taken away. */
import path from 'node:path';
import { exportVm, type ExportRequest } from '@hyper2kvm/exporter';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../support/faults/index.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import {
  endpointOf,
  makeDisk,
  messagesOf,
  recordingPorts,
  removeFolder,
  sameContent,
  servedDisk,
  settingsFor,
  tempFolder,
  type Recorded,
  type TestDisk,
} from './export-setup.js';

const MIB = 2 ** 20;
let folder: string;
let vcsim: Vcsim;
let proxy: FaultProxy;
let disks: TestDisk[];

beforeAll(async () => {
  folder = await tempFolder();
  disks = [await makeDisk(folder, 'first', 130 * MIB), await makeDisk(folder, 'second', 70 * MIB)];
  vcsim = await startVcsim({
    // Full disks come by their files.
    vms: [{ name: 'web', disks: disks.map((disk) => ({ ...servedDisk(disk), used_bytes: disk.capacityBytes })) }],
  });
  proxy = await startFaultProxy(vcsim);
});

afterEach(() => proxy.reset());

afterAll(async () => {
  await proxy?.stop();
  await vcsim?.stop();
  await removeFolder(folder);
});

async function succeeds(
  jobId: string,
  options: NonNullable<ExportRequest['options']>,
): Promise<{ recorded: Recorded; transports: unknown[] }> {
  const recorded = recordingPorts();
  const endpoint = endpointOf(vcsim, {
    server: proxy.host,
    trust: { fingerprints: [proxy.thumbprint], insecure: false },
  });
  const request: ExportRequest = { jobId, attempt: 1, epoch: 1, vmName: 'web', endpoint, options };
  const { artifactDir, artifact } = await exportVm(request, settingsFor(folder), recorded.ports);
  for (const [position, disk] of disks.entries())
    expect(await sameContent(path.join(artifactDir, `disk${position + 1}.qcow2`), disk.raw)).toBe(true);
  const state = await vcsim.control();
  expect(state.snapshots).toEqual([]);
  expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
  return { recorded, transports: artifact.disks.map(({ transport }) => transport) };
}

describe('a shared lease', () => {
  test('that answers the second disk with an empty 200: it gets a lease of its own', async () => {
    const before = (await vcsim.control()).leases.length;
    const rule = proxy.add({ method: 'GET', path: /^\/nfc\/.*web_1\.vmdk$/, nth: 1, fault: { kind: 'empty' } });
    const { recorded } = await succeeds('job-shared1', { transport: 'nfc' });
    expect(rule.hits()).toBe(1);
    expect(messagesOf(recorded)).toContain('Disk 2: the server sent an empty answer; it gets a lease of its own');
    expect((await vcsim.control()).leases.slice(before).map(({ state }) => state)).toEqual(['completed', 'completed']);
  });

  test('that is lost is replaced', async () => {
    // As when it has expired; the other disk may be through by then or not.
    const rule = proxy.add({
      method: 'GET',
      path: /^\/nfc\/.*web\.vmdk$/,
      nth: 1,
      fault: { kind: 'status', status: 404 },
    });
    const { recorded } = await succeeds('job-lostlease1', { transport: 'nfc' });
    expect(rule.hits()).toBe(1);
    expect(messagesOf(recorded)).toContainEqual(expect.stringContaining('it begins again with a new lease'));
  });
});

describe('a datastore', () => {
  test.each([403, 404])('that refuses a file with %d: the disk comes by the export stream', async (status) => {
    proxy.add({ method: 'GET', path: /^\/folder\/.*web_1-flat\.vmdk$/, fault: { kind: 'status', status } });
    const { recorded, transports } = await succeeds(`job-refused${status}`, { transport: 'auto' });
    expect(transports).toEqual(['datastore', 'nfc']);
    expect(messagesOf(recorded)).toContainEqual(
      expect.stringMatching(
        new RegExp(`^Disk 2: the server answered HTTP ${status} .*; it comes by the export stream \\(nfc\\) instead$`),
      ),
    );
  });

  test('that ends the session: it is renewed, and the disk goes on', async () => {
    proxy.add({ method: 'GET', path: /^\/folder\/.*web-flat/, nth: [2], fault: { kind: 'status', status: 401 } });
    const { recorded, transports } = await succeeds('job-session1', { transport: 'auto' });
    expect(transports).toEqual(['datastore', 'datastore']);
    expect(messagesOf(recorded)).toContainEqual(expect.stringContaining('it goes on with the session renewed'));
  });
});
