/** What vCenter tells of a VM's files, its leases, its power and its space: what chooses the way of a disk and guards it. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  VimFault,
  abortLease,
  completeLease,
  consolidationNeeded,
  createSnapshot,
  datastoreSpace,
  describe as describeVm,
  folderUrl,
  headFile,
  leaseManifest,
  powerOff,
  powerState,
  readBackings,
  removeSnapshot,
  reportProgress,
  requestLease,
  shutdownGuest,
  snapshotDeltaBytes,
  toJobError,
  waitUntilReady,
  VimSession,
  type Lease,
  type Ref,
} from '@hyper2kvm/exporter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MinimalSoap } from '../support/soap.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { endpointOf } from './export-setup.js';

const MIB = 2 ** 20;
const VMDK = randomBytes(3 * MIB + 17);
let folder: string;
let vcsim: Vcsim;
let session: VimSession;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-datastore-'));
  const flat = path.join(folder, 'disk.raw');
  const vmdk = path.join(folder, 'disk.vmdk');
  await writeFile(flat, randomBytes(4 * MIB));
  await writeFile(vmdk, VMDK);
  const disk = { capacity_bytes: 4 * MIB };
  vcsim = await startVcsim({
    vms: [
      {
        name: 'kinds',
        datacenter: 'DC1',
        disks: [
          { ...disk, flat, vmdk },
          { ...disk, name: 'clone.vmdk', parent: 'base.vmdk' },
          { ...disk, name: 'sparse.vmdk', sparse: true },
          { ...disk, name: 'mit Umlaut ä.vmdk' },
        ],
      },
      { name: 'obedient', power_state: 'poweredOn', tools: 'running', disks: [{ ...disk, flat, vmdk }] },
      { name: 'deaf', power_state: 'poweredOn', tools: 'running', guest_shutdown: 'ignored', disks: [disk] },
      { name: 'no-tools', power_state: 'poweredOn', disks: [disk] },
    ],
  });
  session = await VimSession.login(endpointOf(vcsim));
});

afterAll(async () => {
  await session?.close();
  await vcsim?.stop();
  await rm(folder, { recursive: true, force: true });
});

const find = async (vmName: string): Promise<Ref> => (await describeVm(session, { vmName })).vm;

async function withSnapshot<T>(vm: Ref, use: (snapshot: Ref) => Promise<T>): Promise<T> {
  const snapshot = await createSnapshot(session, vm, { name: 'test', description: '', quiesce: false });
  try {
    return await use(snapshot);
  } finally {
    await removeSnapshot(session, snapshot);
  }
}

const withLease = async <T>(vmName: string, use: (lease: Lease) => Promise<T>): Promise<T> =>
  withSnapshot(await find(vmName), async (snapshot) =>
    use(await waitUntilReady(session, await requestLease(session, snapshot))),
  );

const fetchAll = async (lease: Lease): Promise<Buffer> =>
  new MinimalSoap(vcsim.url, vcsim.certificate).download(lease.disks[0]?.url ?? '');

describe('the files behind a snapshot', () => {
  test('are named, with what stands in the way of reading them', async () => {
    const vm = await find('kinds');
    const backings = await withSnapshot(vm, async (snapshot) => readBackings(session, vm, snapshot));
    expect(backings).toMatchObject([
      {
        index: 1,
        datastore: { name: 'LocalDS_0', ref: { type: 'Datastore' }, type: 'OTHER' },
        datacenterPath: 'DC1',
        vmdkPath: 'kinds/kinds.vmdk',
        flatPath: 'kinds/kinds-flat.vmdk',
        hasParent: false,
        thin: true,
        capacityBytes: 4 * MIB,
        ineligible: undefined,
      },
      { index: 2, hasParent: true, ineligible: expect.stringContaining('stands on another disk') as unknown },
      { index: 3, ineligible: expect.stringContaining('SeSparse') as unknown },
      { index: 4, flatPath: 'kinds/mit Umlaut ä-flat.vmdk', ineligible: undefined },
    ]);
  });

  test('of a snapshot that is gone are a fault', async () => {
    const vm = await find('kinds');
    const gone = { type: 'VirtualMachineSnapshot', id: 'snapshot-999999' };
    await expect(readBackings(session, vm, gone)).rejects.toMatchObject({ fault: 'ManagedObjectNotFound' });
  });

  test('can be looked at with the session alone, and are fetched by ranges', async () => {
    const url = folderUrl(session.endpoint, 'DC1', 'LocalDS_0', 'kinds/kinds-flat.vmdk');
    const file = await headFile(session, url);
    expect(file).toEqual({
      sizeBytes: 4 * MIB,
      acceptsRanges: true,
      lastModified: expect.stringMatching(/GMT$/) as unknown,
    });
    const cookie = session.cookieFor(url);
    const soap = new MinimalSoap(vcsim.url, vcsim.certificate);
    const part = await soap.open(url.href, { Range: 'bytes=5-9', ...(cookie === undefined ? {} : { Cookie: cookie }) });
    expect([part.statusCode, part.headers['content-range']]).toEqual([206, `bytes 5-9/${4 * MIB}`]);
    part.destroy();
  });

  test('are told from those that are not there, and every name is taken as it is', async () => {
    const at = (file: string, datacenter = 'DC1') => folderUrl(session.endpoint, datacenter, 'LocalDS_0', file);
    expect(await headFile(session, at('kinds/none-flat.vmdk'))).toBeUndefined();
    expect(await headFile(session, at('kinds/kinds-flat.vmdk', 'DC9'))).toBeUndefined();
    expect(at('ä b/c?d#e%.vmdk').href).toContain('/folder/%C3%A4%20b/c%3Fd%23e%25.vmdk?dcPath=DC1&dsName=LocalDS_0');
    expect((await headFile(session, at('kinds/mit Umlaut ä.vmdk')))?.acceptsRanges).toBe(true);
    await vcsim.change({ file: { path: 'kinds/kinds-flat.vmdk', datacenter: 'DC1' } });
    expect(await headFile(session, at('kinds/kinds-flat.vmdk'))).toBeUndefined();
  });

  test('a session that vCenter has ended is renewed before they are given up', async () => {
    const url = folderUrl(session.endpoint, 'DC0', 'LocalDS_0', 'obedient/obedient-flat.vmdk');
    await vcsim.change({ drop_sessions: true });
    expect((await headFile(session, url))?.sizeBytes).toBe(4 * MIB);
  });
});

describe('a lease', () => {
  test.each([
    ['sha1', { sha1: createHash('sha1').update(VMDK).digest('hex') }],
    ['sha256', { checksum: createHash('sha256').update(VMDK).digest('hex'), checksumType: 'sha256' }],
  ] as const)('tells the %s of what it sent, and nothing before it has', async (manifest, digests) => {
    await vcsim.change({ settings: { manifest } });
    try {
      await withLease('obedient', async (lease) => {
        expect(await leaseManifest(session, lease)).toBeUndefined();
        await fetchAll(lease);
        expect(await leaseManifest(session, lease)).toEqual([
          { key: lease.disks[0]?.key, size: VMDK.length, ...digests },
        ]);
        await completeLease(session, lease.ref);
      });
    } finally {
      await vcsim.change({ settings: { manifest: '' } });
    }
  });

  test('of a server that has no manifest has none, nor has one that is over', async () => {
    await withLease('obedient', async (lease) => {
      await fetchAll(lease);
      expect(await leaseManifest(session, lease)).toBeUndefined();
      await vcsim.change({ fail: { method: 'HttpNfcLeaseGetManifest', fault: 'NotSupported' } });
      expect(await leaseManifest(session, lease)).toBeUndefined();
      await completeLease(session, lease.ref);
      expect(await leaseManifest(session, lease.ref)).toBeUndefined();
    });
  });

  test('outlives the session, and is another login’s to end', async () => {
    await withLease('obedient', async (lease) => {
      await vcsim.change({ drop_sessions: true });
      await reportProgress(session, lease.ref, 10);
      const other = await VimSession.login(endpointOf(vcsim));
      await abortLease(other, lease.ref);
      await other.close();
      await expect(reportProgress(session, lease.ref, 11)).rejects.toMatchObject({ fault: 'ManagedObjectNotFound' });
      // A lease that is over already is fine.
      await abortLease(session, lease.ref);
    });
  });

  test('that is renewed stands; one that is not goes to error, and its URLs are gone', async () => {
    await vcsim.change({ settings: { lease_timeout_seconds: 3 } });
    try {
      await withLease('obedient', async (lease) => {
        expect(lease.timeoutMs).toBe(3_000);
        // Together longer than the lease.
        for (let renewal = 0; renewal < 5; renewal++) {
          await sleep(700);
          await reportProgress(session, lease.ref, renewal);
        }
        await fetchAll(lease);
        for (let look = 0; (await vcsim.control()).leases.at(-1)?.state === 'ready'; look++) {
          expect(look).toBeLessThan(200);
          await sleep(50);
        }
        await expect(fetchAll(lease)).rejects.toThrow('404');
        await expect(waitUntilReady(session, lease.ref)).rejects.toMatchObject({ fault: 'Timedout' });
        await expect(reportProgress(session, lease.ref, 99)).rejects.toBeInstanceOf(VimFault);
      });
    } finally {
      await vcsim.change({ settings: { lease_timeout_seconds: 300 } });
    }
  });
});

describe('power', () => {
  test('a guest with tools shuts down when it is asked', async () => {
    const vm = await find('obedient');
    expect(await powerState(session, vm)).toBe('poweredOn');
    await shutdownGuest(session, vm);
    for (let look = 0; (await powerState(session, vm)) !== 'poweredOff'; look++) {
      expect(look).toBeLessThan(200);
      await sleep(50);
    }
  });

  test('one that does not listen, or has no tools, is switched off', async () => {
    const deaf = await find('deaf');
    await shutdownGuest(session, deaf);
    const bare = await find('no-tools');
    await expect(shutdownGuest(session, bare)).rejects.toMatchObject({ fault: 'ToolsUnavailable' });
    for (const vm of [deaf, bare]) {
      expect(await powerState(session, vm)).toBe('poweredOn');
      await powerOff(session, vm);
      expect(await powerState(session, vm)).toBe('poweredOff');
    }
    await expect(powerOff(session, bare)).rejects.toMatchObject({ fault: 'InvalidPowerState' });
  });

  test('what the account may not do is told as such', async () => {
    await vcsim.change({ fail: { method: 'PowerOffVM_Task', fault: 'NoPermission' } });
    const denied: unknown = await powerOff(session, await find('deaf')).catch((error: unknown) => error);
    expect(toJobError(denied, session.server, 'switching off')).toMatchObject({ code: 'VCENTER_PERMISSION' });
  });
});

describe('space', () => {
  test('of the VM’s datastores is what there is now', async () => {
    const vm = await find('kinds');
    const [before, ...others] = await datastoreSpace(session, vm);
    expect(others).toEqual([]);
    expect(before?.name).toBe('LocalDS_0');
    expect(before?.freeBytes).toBeGreaterThan(0);
    await vcsim.change({ datastore: { free_bytes: 123 * MIB } });
    expect(await datastoreSpace(session, vm)).toEqual([{ ...before, freeBytes: 123 * MIB }]);
  });

  test('that a snapshot’s delta takes is seen to grow, and gone with it', async () => {
    const vm = await find('kinds');
    expect(await snapshotDeltaBytes(session, vm)).toBe(0);
    await withSnapshot(vm, async () => {
      await vcsim.change({ vm: { name: 'kinds', delta_bytes: 5 * MIB } });
      expect(await snapshotDeltaBytes(session, vm)).toBe(5 * MIB);
      await vcsim.change({ vm: { name: 'kinds', delta_bytes: 6 * MIB } });
      expect(await snapshotDeltaBytes(session, vm)).toBe(6 * MIB);
    });
    expect(await snapshotDeltaBytes(session, vm)).toBe(0);
  });

  test('that is lost to deltas of a snapshot that is gone is told', async () => {
    const vm = await find('kinds');
    expect(await consolidationNeeded(session, vm)).toBe(false);
    await vcsim.change({ vm: { name: 'kinds', consolidation_needed: true } });
    expect(await consolidationNeeded(session, vm)).toBe(true);
  });
});
