/** Exports that cannot succeed: each ends with its code, and leaves neither snapshot, lease nor file. */
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { JobError, type ErrorCode } from '@hyper2kvm/contracts';
import { exportVm, type ExportPorts, type ExportRequest, type ExportSettings } from '@hyper2kvm/exporter';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MinimalSoap, referenceIn } from '../support/soap.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import {
  endpointOf,
  makeDisk,
  recordingPorts,
  removeFolder,
  sameContent,
  settingsFor,
  tempFolder,
  type Recorded,
  type TestDisk,
} from './export-setup.js';

const MIB = 2 ** 20;
let folder: string;
let good: TestDisk;
let vcsim: Vcsim;

beforeAll(async () => {
  folder = await tempFolder();
  good = await makeDisk(folder, 'good', 80 * MIB);
  const broken = path.join(folder, 'broken.vmdk');
  await writeFile(broken, Buffer.alloc(200_000, 7));
  const random = path.join(folder, 'random.raw');
  await execa('dd', ['if=/dev/urandom', `of=${random}`, 'bs=1M', 'count=48']);
  const large = path.join(folder, 'large.vmdk');
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', random, large]);
  vcsim = await startVcsim({
    vms: [
      { name: 'good', disks: [{ capacity_bytes: good.capacityBytes, vmdk: good.vmdk }] },
      {
        name: 'broken',
        disks: [
          { capacity_bytes: good.capacityBytes, vmdk: good.vmdk },
          { capacity_bytes: 80 * MIB, vmdk: broken },
        ],
      },
      { name: 'resized', disks: [{ capacity_bytes: 90 * MIB, vmdk: good.vmdk }] },
      { name: 'large', disks: [{ capacity_bytes: 48 * MIB, vmdk: large }] },
    ],
  });
});

afterAll(async () => {
  await vcsim?.stop();
  await removeFolder(folder);
});

const requestOf = (jobId: string, vmName: string, password = vcsim.password): ExportRequest => ({
  jobId,
  attempt: 1,
  epoch: 1,
  vmName,
  endpoint: endpointOf(vcsim, { password }),
});

async function failure(
  request: ExportRequest,
  code: ErrorCode,
  change: Partial<ExportSettings> = {},
  recorded: Recorded = recordingPorts(),
): Promise<JobError> {
  const error: unknown = await exportVm(request, settingsFor(folder, change), recorded.ports).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof JobError)) throw new Error(`expected a JobError, got ${String(error)}`, { cause: error });
  expect(error.code).toBe(code);
  return error;
}

async function nothingLeft(jobId: string): Promise<void> {
  const state = await vcsim.control();
  expect(state.snapshots).toEqual([]);
  expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
  await expect(access(path.join(folder, jobId))).rejects.toThrow('ENOENT');
}

describe('an export fails and leaves nothing', () => {
  test('of a VM with a disk that is no VMDK: the disk is named, the good one does not stay either', async () => {
    const error = await failure(requestOf('job-broken1', 'broken'), 'EXPORT_CORRUPT');
    expect(error.message).toMatch(/^disk 2 \(broken_1\.vmdk\): the stream is not a VMDK \(at byte 0\)/);
    await nothingLeft('job-broken1');
  });

  test('after a broken disk began again as often as it may', async () => {
    const recorded = recordingPorts();
    await failure(requestOf('job-broken2', 'broken'), 'EXPORT_CORRUPT', { diskRetryMs: [10, 10] }, recorded);
    expect(recorded.log.filter(({ message }) => message.includes('begins again'))).toHaveLength(2);
    await nothingLeft('job-broken2');
  });

  test('when the stream tells another capacity than vCenter', async () => {
    const error = await failure(requestOf('job-resized1', 'resized'), 'EXPORT_CORRUPT');
    expect(error.message).toContain(`${80 * MIB} bytes, the VM's disk has ${90 * MIB}`);
    await nothingLeft('job-resized1');
  });

  test('without a VM', async () => {
    await failure(requestOf('job-nothing1', 'no-such-vm'), 'VM_NOT_FOUND');
    await nothingLeft('job-nothing1');
  });

  test('with a wrong password', async () => {
    await failure(requestOf('job-login1', 'good', 'wrong'), 'VCENTER_LOGIN');
    await nothingLeft('job-login1');
  });

  // Root mounts a small file system of its own; elsewhere there is no way to a full disk without harm.
  test.skipIf(process.getuid?.() !== 0)('on a full disk: the folder is named', async () => {
    const small = path.join(folder, 'small');
    await mkdir(small);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', small]);
    try {
      const error = await failure(requestOf('job-full1', 'large'), 'DISK_FULL', { workDir: small });
      expect(error.message).toContain(`no space left in ${small} (`);
      expect(await readdir(small)).toEqual([]);
      expect((await vcsim.control()).snapshots).toEqual([]);
    } finally {
      await execa('umount', [small]);
    }
  });
});

/** Ports of a worker that finds out, when it asks after its first bytes, that another one owns the job. */
function losingPorts(): { ports: ExportPorts; gone: Error } {
  const recorded = recordingPorts();
  const gone = Object.assign(new Error('another worker owns the job'), { kind: 'lease lost' });
  const assertOwner = async (): Promise<void> => {
    if ((recorded.progress.at(-1)?.disks?.[0]?.state ?? 'waiting') === 'waiting') return;
    recorded.stop.abort(gone);
    throw gone;
  };
  const { signal } = recorded.stop;
  return { gone, ports: { ...recorded.ports, work: { ...recorded.ports.work, signal, assertOwner } } };
}

test('a failure within a job that another worker has taken over touches nothing of it', async () => {
  const { ports, gone } = losingPorts();
  await expect(exportVm(requestOf('job-taken1', 'resized'), settingsFor(folder), ports)).rejects.toThrow(gone.message);
  expect((await vcsim.control()).snapshots.map(({ name }) => name)).toEqual(['hyper2kvm-job-taken1']);
  // Its owner fails too, and cleans up.
  await failure({ ...requestOf('job-taken1', 'resized'), epoch: 2 }, 'EXPORT_CORRUPT');
  await nothingLeft('job-taken1');
});

describe('what an earlier start left behind', () => {
  test('is used where it is the snapshot of this job, and other snapshots are not touched', async () => {
    const soap = new MinimalSoap(vcsim.url, vcsim.certificate);
    await soap.login(vcsim.username, vcsim.password);
    const vm = referenceIn(
      await soap.call(
        'FindByInventoryPath',
        { type: 'SearchIndex', value: 'SearchIndex' },
        '<inventoryPath>/DC0/vm/good</inventoryPath>',
      ),
      'VirtualMachine',
    );
    for (const name of ['before the update', 'hyper2kvm-job-left1'])
      await soap.call('CreateSnapshot_Task', vm, `<name>${name}</name><memory>false</memory><quiesce>false</quiesce>`);
    const before = (await vcsim.control()).calls.CreateSnapshot_Task;
    // Of an epoch whose worker was killed.
    const leftover = path.join(folder, 'job-left1', 'a1.e1');
    await mkdir(leftover, { recursive: true });
    await writeFile(path.join(leftover, 'disk1.qcow2.partial'), 'half');

    const recorded = recordingPorts();
    const exported = await exportVm(
      { ...requestOf('job-left1', 'good'), epoch: 2 },
      settingsFor(folder),
      recorded.ports,
    );
    expect(await sameContent(path.join(exported.artifactDir, 'disk1.qcow2'), good.raw)).toBe(true);
    expect((await readdir(exported.artifactDir)).toSorted()).toEqual(['artifact.json', 'disk1.qcow2']);
    const state = await vcsim.control();
    expect(state.calls.CreateSnapshot_Task).toBe(before);
    expect(state.snapshots.map(({ name }) => name)).toEqual(['before the update']);

    // Too old a snapshot is replaced.
    await soap.call(
      'CreateSnapshot_Task',
      vm,
      '<name>hyper2kvm-job-left2</name><memory>false</memory><quiesce>false</quiesce>',
    );
    await exportVm(
      requestOf('job-left2', 'good'),
      settingsFor(folder, { snapshotMaxAgeMs: -1 }),
      recordingPorts().ports,
    );
    const after = await vcsim.control();
    expect(after.calls.CreateSnapshot_Task).toBe((before ?? 0) + 2);
    expect(after.snapshots.map(({ name }) => name)).toEqual(['before the update']);
  });

  test('a job that is not ours any more does not end the lease as complete, and keeps its hands off', async () => {
    const { ports, gone } = losingPorts();
    const before = await vcsim.control();
    await expect(exportVm(requestOf('job-lost1', 'good'), settingsFor(folder), ports)).rejects.toThrow(gone.message);
    const state = await vcsim.control();
    expect(state.leases.slice(before.leases.length).map((lease) => lease.state)).not.toContain('completed');
    expect(state.snapshots.map(({ name }) => name)).toContain('hyper2kvm-job-lost1');
    await expect(access(path.join(folder, 'job-lost1', 'artifact.json'))).rejects.toThrow('ENOENT');
    // Its new owner ends it.
    const exported = await exportVm(
      { ...requestOf('job-lost1', 'good'), epoch: 2 },
      settingsFor(folder),
      recordingPorts().ports,
    );
    expect(await sameContent(path.join(exported.artifactDir, 'disk1.qcow2'), good.raw)).toBe(true);
    expect((await vcsim.control()).snapshots.map(({ name }) => name)).toEqual(['before the update']);
  });
});
