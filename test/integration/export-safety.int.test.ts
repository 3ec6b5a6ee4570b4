/** What an export keeps an eye on, and how it leaves things: full disks and datastores, the source's power, cancelling, cleaning up. */
import { access, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import {
  Bandwidth,
  cleanUpJob,
  exportVm,
  type Exported,
  type ExportRequest,
  type ExportSettings,
} from '@hyper2kvm/exporter';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MinimalSoap, referenceIn } from '../support/soap.js';
import { startVcsim, type Vcsim, type VcsimVm } from '../support/vcsim.js';
import {
  bytesServed,
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
let disk: TestDisk;
let jobs = 0;

beforeAll(async () => {
  folder = await tempFolder();
  disk = await makeDisk(folder, 'disk', 200 * MIB);
  const vm = (name: string, change: Partial<VcsimVm> = {}): VcsimVm => ({ name, disks: [servedDisk(disk)], ...change });
  vcsim = await startVcsim({
    vms: [
      ...['plain', 'store', 'growing', 'aging', 'dropped', 'swept'].map((name) => vm(name)),
      vm('full', { disks: [{ ...servedDisk(disk), used_bytes: 150 * MIB }] }),
      vm('running', { power_state: 'poweredOn', tools: 'running' }),
      vm('polite', { power_state: 'poweredOn', tools: 'running' }),
      vm('deaf', { power_state: 'poweredOn', tools: 'running', guest_shutdown: 'ignored' }),
      vm('bare', { power_state: 'poweredOn' }),
      vm('stubborn', { power_state: 'poweredOn' }),
      vm('doomed', { power_state: 'poweredOn', disks: [{ capacity_bytes: 90 * MIB, vmdk: disk.vmdk }] }),
      vm('trusted', { tpm: true }),
      vm('linked', { disks: [{ capacity_bytes: disk.capacityBytes, vmdk: disk.vmdk, parent: 'base.vmdk' }] }),
    ],
  });
});

afterAll(async () => {
  await vcsim?.stop();
  await removeFolder(folder);
});

beforeEach(async () => {
  await vcsim.change({ settings: { nfc_bytes_per_second: 0, folder_bytes_per_second: 0 } });
});

const requestOf = (vmName: string, change: Partial<ExportRequest> = {}): ExportRequest =>
  ({
    jobId: `job-safety${++jobs}`,
    attempt: 1,
    epoch: 1,
    vmName,
    endpoint: endpointOf(vcsim),
    ...change,
  }) as ExportRequest;

interface Outcome {
  request: ExportRequest;
  recorded: Recorded;
  exported?: Exported;
  error?: unknown;
}

/** An export that has to succeed. @throws its error */
async function done(...args: Parameters<typeof run>): Promise<Outcome & { exported: Exported }> {
  const outcome = await run(...args);
  const { exported } = outcome;
  if (exported === undefined) throw outcome.error;
  return { ...outcome, exported };
}

async function run(
  request: ExportRequest,
  change: Partial<ExportSettings> = {},
  recorded: Recorded = recordingPorts(),
): Promise<Outcome> {
  return exportVm(request, settingsFor(folder, change), recorded.ports).then(
    (exported) => ({ request, recorded, exported }),
    (error: unknown) => ({ request, recorded, error }),
  );
}

async function nothingLeft({ jobId }: ExportRequest, workDir = folder): Promise<void> {
  const state = await vcsim.control();
  expect(state.snapshots).toEqual([]);
  expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
  await expect(access(path.join(workDir, jobId))).rejects.toThrow('ENOENT');
}

const powerOf = async (name: string): Promise<string | undefined> => {
  const { power } = await vcsim.control();
  const vm = await vmRef(name);
  return power[vm.value];
};

async function vmRef(name: string): Promise<{ type: string; value: string }> {
  const soap = await login();
  const path_ = `<inventoryPath>/DC0/vm/${name}</inventoryPath>`;
  const answer = await soap.call('FindByInventoryPath', { type: 'SearchIndex', value: 'SearchIndex' }, path_);
  return referenceIn(answer, 'VirtualMachine');
}

async function login(): Promise<MinimalSoap> {
  const soap = new MinimalSoap(vcsim.url, vcsim.certificate);
  await soap.login(vcsim.username, vcsim.password);
  return soap;
}

const isMoving = ({ progress }: Recorded): boolean => (progress.at(-1)?.disks?.[0]?.bytes_downloaded ?? 0) > 0;

describe('the space for the images', () => {
  // Root mounts a small file system of its own; elsewhere there is no way to a full disk without harm.
  const asRoot = test.skipIf(process.getuid?.() !== 0);

  async function onSmall(size: string, work: (small: string) => Promise<void>): Promise<void> {
    const small = path.join(folder, `small-${size}`);
    await mkdir(small);
    await execa('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', small]);
    try {
      await work(small);
      expect(await readdir(small)).toEqual([]);
    } finally {
      await execa('umount', [small]);
    }
  }

  asRoot('is asked for before anything is made on the source', async () => {
    await onSmall('100m', async (small) => {
      const before = (await vcsim.control()).calls.CreateSnapshot_Task ?? 0;
      const { error, request } = await run(requestOf('full'), { workDir: small });
      expect(error).toMatchObject({ code: 'DISK_FULL', retryable: false });
      expect((error as JobError).message).toMatch(/has 100 MiB free; 166 MiB are needed, and 0 B have to stay free/);
      expect((await vcsim.control()).calls.CreateSnapshot_Task ?? 0).toBe(before);
      await nothingLeft(request, small);
    });
  });

  asRoot('is watched: what has to stay free stays free', async () => {
    await onSmall('120m', async (small) => {
      await vcsim.change({ settings: { folder_bytes_per_second: 2_000_000 } });
      const filler = path.join(small, 'of-another');
      const recorded = recordingPorts((at) => {
        if (isMoving(at)) void execa('fallocate', ['-l', '60m', filler]).catch(() => {});
      });
      const { error, request } = await run(
        requestOf('plain', { options: { transport: 'datastore' } }),
        { workDir: small, minFreeBytes: 80 * MIB, spaceCheckMs: 20, diskRetryMs: [10, 10] },
        recorded,
      );
      await execa('rm', ['-f', filler]);
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect((error as JobError).message).toMatch(/are needed, and 80 MiB have to stay free/);
      expect(messagesOf(recorded).filter((message) => message.includes('begins again'))).toEqual([]);
      await nothingLeft(request, small);
    });
  });
});

describe('the source while it is read', () => {
  const slow = async (): Promise<void> => void (await vcsim.change({ settings: { nfc_bytes_per_second: 30_000 } }));
  const fast = async (): Promise<void> => void (await vcsim.change({ settings: { nfc_bytes_per_second: 0 } }));

  test('is given up when its datastore runs full', async () => {
    await slow();
    let changed = false;
    const recorded = recordingPorts((at) => {
      if (!isMoving(at) || changed) return;
      changed = true;
      void vcsim.change({ datastore: { free_bytes: 1_000_000 } });
    });
    try {
      const { error, request } = await run(requestOf('store'), { sourceCheckMs: 50 }, recorded);
      expect(error).toMatchObject({ code: 'DATASTORE_FULL' });
      expect((error as JobError).message).toMatch(
        /^datastore LocalDS_0 has 977 KiB of .* free .*5 % have to stay free/,
      );
      await nothingLeft(request);
    } finally {
      await vcsim.change({ datastore: { free_bytes: 8 * 2 ** 40 } });
    }
  });

  test('tells how its delta grows', async () => {
    await slow();
    const recorded = recordingPorts((at) => {
      if (messagesOf(at).some((message) => message.includes('delta has grown'))) void fast();
    });
    await vcsim.change({ vm: { name: 'growing', delta_bytes: 300 * MIB } });
    const { exported } = await done(requestOf('growing'), { sourceCheckMs: 50 }, recorded);
    await vcsim.change({ vm: { name: 'growing', delta_bytes: 0 } });
    expect(messagesOf(recorded)).toContain("The snapshot's delta has grown to 300 MiB after 1 min");
    expect(exported.artifact.disks).toHaveLength(1);
  });

  test('is given up when its snapshot grows too old', async () => {
    await slow();
    const { error, request } = await run(requestOf('aging'), { sourceCheckMs: 50, snapshotMaxAgeMs: 1_500 });
    expect(error).toMatchObject({ code: 'EXPORT_TRANSFER', retryable: false });
    expect((error as JobError).message).toContain('snapshot_max_age_hours');
    await nothingLeft(request);
  });

  test('is left with a concern when it needs consolidation, or has a TPM', async () => {
    const recorded = recordingPorts(() => void vcsim.change({ vm: { name: 'trusted', consolidation_needed: true } }));
    const { exported } = await done(requestOf('trusted'), {}, recorded);
    const concerns = exported.artifact.concerns ?? [];
    expect(concerns).toEqual([
      expect.stringContaining('has a virtual TPM: the converted VM gets a blank one'),
      expect.stringContaining('need consolidation: run "Consolidate"'),
    ]);
    // Told at once, before anything was made.
    const told = messagesOf(recorded);
    expect(told.findIndex((message) => message.includes('virtual TPM'))).toBeLessThan(
      told.findIndex((message) => message.includes('taken')),
    );
  });
});

describe('the source’s power', () => {
  const goBack =
    /To go back, switch the source VM \w+ on again in vCenter; it and the copy must not run at the same time/;

  test('is kept by default, with a warning', async () => {
    const { exported, recorded } = await done(requestOf('running'));
    expect(await powerOf('running')).toBe('poweredOn');
    const warning = 'VM running was running during the export: what it writes after the snapshot is not in the copy';
    expect(exported.artifact.concerns).toEqual([warning]);
    expect(recorded.log).toContainEqual({ level: 'warn', message: warning });
  });

  test.each([
    { vm: 'polite', says: 'VM polite has shut down' },
    { vm: 'deaf', says: 'The guest of VM deaf has not shut down within 1 s; the VM is switched off' },
    { vm: 'bare', says: /^The guest of VM bare cannot be asked to shut down .*the VM is switched off$/ },
  ])('shutdown: $vm', async ({ vm, says }) => {
    const { exported, recorded } = await done(
      requestOf(vm, { options: { source_power: 'shutdown' } }),
      vm === 'deaf' ? { shutdownTimeoutMs: 1_000 } : {},
    );
    expect(await powerOf(vm)).toBe('poweredOff');
    expect(messagesOf(recorded)).toContainEqual(typeof says === 'string' ? says : expect.stringMatching(says));
    expect(exported.artifact.concerns).toEqual([expect.stringMatching(goBack)]);
  });

  test('off: a failure says that the VM is off, and how to go back', async () => {
    const { error, request } = await run(requestOf('doomed', { options: { source_power: 'off' } }));
    expect(error).toMatchObject({ code: 'EXPORT_CORRUPT' });
    expect((error as JobError).message).toMatch(/The source VM doomed was switched off for this job\. /);
    expect((error as JobError).message).toMatch(goBack);
    expect(await powerOf('doomed')).toBe('poweredOff');
    await nothingLeft(request);
  });

  test('off: what cannot be switched off is not exported', async () => {
    await vcsim.change({ fail: { method: 'PowerOffVM_Task', fault: 'NoPermission' } });
    const { error } = await run(requestOf('stubborn', { options: { source_power: 'off' } }));
    expect(error).toMatchObject({ code: 'VM_POWER' });
    expect((await vcsim.control()).snapshots).toEqual([]);
  });

  test('begun again, it does not ask twice, and a snapshot of a VM that ran since is not used', async () => {
    const request = requestOf('stubborn', { options: { source_power: 'off' } });
    await vcsim.setNfcRate(30_000);
    const recorded = recordingPorts((at) => {
      if (isMoving(at)) at.stop.abort(Object.assign(new Error('stopped'), { kind: 'shutdown' }));
    });
    await run(request, {}, recorded);
    expect(await powerOf('stubborn')).toBe('poweredOff');
    await vcsim.setNfcRate(0);
    const soap = await login();
    await soap.call('PowerOnVM_Task', await vmRef('stubborn'));

    const { exported, recorded: again } = await done({ ...request, epoch: 2 });
    expect(messagesOf(again)).toContain('VM stubborn was switched off');
    expect(messagesOf(again)).toContainEqual(expect.stringContaining('the VM was running after it was taken'));
    expect(exported.artifact.concerns).toEqual([expect.stringMatching(goBack)]);
    expect((await vcsim.control()).snapshots).toEqual([]);
  });
});

describe('cancelled', () => {
  test('no byte flows after 5 s; lease, snapshot and files go, and the phase is cleanup', async () => {
    await vcsim.setNfcRate(20_000);
    const recorded = recordingPorts((at) => {
      if (isMoving(at)) at.stop.abort(Object.assign(new Error('cancelled'), { kind: 'cancelled' }));
    });
    const cancelled = new Promise<number>((resolve) =>
      recorded.stop.signal.addEventListener('abort', () => resolve(performance.now()), { once: true }),
    );
    const { error, request } = await run(requestOf('dropped'), {}, recorded);
    expect(performance.now() - (await cancelled)).toBeLessThan(5_000);
    expect((error as Error).message).toBe('cancelled');
    const bytes = await bytesServed(vcsim);
    await nothingLeft(request);
    expect(recorded.progress.at(-1)).toMatchObject({ phase: 'cleanup' });
    expect(messagesOf(recorded).slice(-3)).toEqual([
      'Cleaning up: the lease, the snapshot and the files of this job',
      expect.stringMatching(/^Snapshot "hyper2kvm-.*" removed$/),
      'Cleaning up has ended',
    ]);
    expect(await bytesServed(vcsim)).toBe(bytes);
  });

  test('while its snapshot is being made, it waits for it and removes it', async () => {
    const recorded = recordingPorts();
    const { work } = recorded.ports;
    const log: typeof work.log = (level, message) => {
      work.log(level, message);
      // Right before the snapshot is asked for.
      if (message.startsWith('Found VM'))
        setTimeout(() => recorded.stop.abort(Object.assign(new Error('cancelled'), { kind: 'cancelled' })), 5);
    };
    recorded.ports = { ...recorded.ports, work: { ...work, signal: recorded.stop.signal, log } };
    const { request } = await run(requestOf('dropped'), {}, recorded);
    await nothingLeft(request);
  });
});

describe('cleaning up after an export that nobody ended', () => {
  const cleanUp = async (request: ExportRequest, removeFiles: boolean): ReturnType<typeof cleanUpJob> =>
    cleanUpJob({ ...request, removeFiles }, settingsFor(folder), recordingPorts().ports);

  async function abandon(vmName: string): Promise<ExportRequest> {
    await vcsim.setNfcRate(30_000);
    const recorded = recordingPorts((at) => {
      if (isMoving(at)) at.stop.abort(Object.assign(new Error('stopped'), { kind: 'shutdown' }));
    });
    const { request } = await run(requestOf(vmName), {}, recorded);
    const state = await vcsim.control();
    expect(state.snapshots.map(({ name }) => name)).toEqual([`hyper2kvm-${request.jobId}`]);
    expect(state.leases.at(-1)?.state).toBe('ready');
    return request;
  }

  test('takes lease, snapshot and files along, and may be repeated', async () => {
    const request = await abandon('swept');
    expect(await cleanUp(request, true)).toEqual({
      removedSnapshots: [`hyper2kvm-${request.jobId}`],
      removedFiles: true,
    });
    await nothingLeft(request);
    expect(await cleanUp(request, true)).toEqual({ removedSnapshots: [], removedFiles: true });
  });

  test('finds the snapshot where there is no journal, and leaves others alone', async () => {
    const soap = await login();
    const vm = await vmRef('swept');
    for (const name of ['mine', 'hyper2kvm-job-safety9'])
      await soap.call('CreateSnapshot_Task', vm, `<name>${name}</name><memory>false</memory><quiesce>false</quiesce>`);
    const request = { ...requestOf('swept'), jobId: 'job-safety9' };
    expect(await cleanUp(request, true)).toMatchObject({ removedSnapshots: ['hyper2kvm-job-safety9'] });
    const left = (await vcsim.control()).snapshots;
    expect(left.map(({ name }) => name)).toEqual(['mine']);
    await soap.call(
      'RemoveSnapshot_Task',
      { type: 'VirtualMachineSnapshot', value: left[0]?.ref ?? '' },
      '<removeChildren>false</removeChildren>',
    );
  });

  test('says what is left when it could not, and can be tried again', async () => {
    const request = await abandon('swept');
    await vcsim.change({ fail: { method: 'RemoveSnapshot_Task', fault: 'TaskInProgress', times: 3 } });
    await expect(cleanUp(request, true)).rejects.toMatchObject({
      code: 'CLEANUP_INCOMPLETE',
      retryable: true,
      message: expect.stringContaining(
        `The snapshot "hyper2kvm-${request.jobId}" could not be removed from VM swept`,
      ) as unknown,
    });
    await access(path.join(folder, request.jobId));
    await cleanUp(request, true);
    await nothingLeft(request);
  });

  test('an export whose snapshot could not be removed is complete, and tells what it left', async () => {
    await vcsim.change({ fail: { method: 'RemoveSnapshot_Task', fault: 'TaskInProgress', times: 3 } });
    const { exported, request } = await done(requestOf('swept'));
    const name = `hyper2kvm-${request.jobId}`;
    expect(exported.leftover).toEqual({ vm: (await vmRef('swept')).value, snapshot: name });
    expect(await cleanUp(request, false)).toEqual({ removedSnapshots: [name], removedFiles: false });
    expect((await readdir(path.join(folder, request.jobId))).toSorted()).toEqual(['artifact.json', 'disk1.qcow2']);
    expect((await vcsim.control()).snapshots).toEqual([]);
  });
});

describe('the way of a disk', () => {
  test.each([
    { vm: 'plain', way: /^Disk 1 .* comes by the export stream \(nfc\), because only \d+ % of the disk is used/ },
    { vm: 'full', way: /^Disk 1 .* comes by its file on the datastore, because 75 % of the disk is used/ },
    { vm: 'linked', way: /^Disk 1 .* comes by the export stream \(nfc\), because it stands on another disk/ },
  ])('is chosen for $vm, and told', async ({ vm, way }) => {
    const { exported, recorded } = await done(requestOf(vm));
    expect(messagesOf(recorded)).toContainEqual(expect.stringMatching(way));
    expect(await sameContent(path.join(exported.artifactDir, 'disk1.qcow2'), disk.raw)).toBe(true);
  });

  test('cannot be forced where it does not lead', async () => {
    const { error, request } = await run(requestOf('linked', { options: { transport: 'datastore' } }));
    expect(error).toMatchObject({ code: 'TRANSPORT_UNAVAILABLE' });
    expect((error as JobError).message).toMatch(/disk 1 \(.*\.vmdk\): it stands on another disk/);
    await nothingLeft(request);
  });

  test('is throttled by the job’s limit, and released while it runs', async () => {
    const bandwidth = new Bandwidth();
    const recorded = recordingPorts();
    recorded.ports = { ...recorded.ports, bandwidth };
    const request = requestOf('plain', {
      options: { transport: 'datastore', bandwidth_bytes_per_second: 10_000_000 },
    });
    const before = await bytesServed(vcsim, /plain-flat/);
    const running = run(request, {}, recorded);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const soon = (await bytesServed(vcsim, /plain-flat/)) - before;
    expect(soon).toBeLessThan(100 * MIB);
    bandwidth.setJob(request.jobId, null);
    const { exported } = await running;
    expect(exported?.artifact.disks[0]?.transport).toBe('datastore');
  });

  test('without read-back is not called verified', async () => {
    const { exported } = await done(requestOf('plain'), { readBack: false });
    expect(exported.artifact.disks[0]?.verified).toBe(false);
    expect(exported.artifact.concerns).toEqual([expect.stringContaining('read_back is off')]);
  });
});
