/** The exporter as a process of its own over a real NATS: asked, killed, and started again. */
import { randomFillSync } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNoProcesses } from '../support/processes.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { startExportBench, type ExportBench, type ExporterProcess } from './export-process.js';
import { bytesServed, makeDisk, removeFolder, sameContent, tempFolder, type TestDisk } from './export-setup.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
let folder: string;
let disk: TestDisk;
let large: string;
let vcsim: Vcsim;
let bench: ExportBench;
let exporter: ExporterProcess;

beforeAll(async () => {
  folder = await tempFolder();
  disk = await makeDisk(folder, 'disk', 200 * MIB);
  large = path.join(folder, 'large.raw');
  await fillFile(large, 2 * GIB);
  vcsim = await startVcsim({
    vms: [
      { name: 'web', disks: [{ capacity_bytes: disk.capacityBytes, vmdk: disk.vmdk }] },
      { name: 'large', disks: [{ capacity_bytes: 2 * GIB, flat: large }] },
    ],
  });
  bench = await startExportBench(folder);
  exporter = await bench.start();
});

afterAll(async () => {
  await bench?.stop();
  await vcsim?.stop();
  await removeFolder(folder);
});

/** Half of it data that differs everywhere, half of it holes. */
async function fillFile(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.truncate(bytes);
    const block = randomFillSync(Buffer.alloc(32 * MIB));
    for (let at = 0; at < bytes; at += 64 * MIB) {
      block.writeBigUInt64LE(BigInt(at), at % (16 * MIB));
      await handle.write(block, 0, block.length, at);
    }
  } finally {
    await handle.close();
  }
}

describe('the exporter', () => {
  test('answers what a VM is, and why it cannot', async () => {
    expect(await bench.describe('web', bench.sourceOf(vcsim))).toMatchObject({
      name: 'web',
      disks: [{ index: 1, capacity_bytes: disk.capacityBytes }],
    });
    await expect(bench.describe('web', bench.sourceOf(vcsim, 'wrong'))).rejects.toMatchObject({
      code: 'VCENTER_LOGIN',
    });
    await expect(bench.describe('nope', bench.sourceOf(vcsim))).rejects.toMatchObject({ code: 'VM_NOT_FOUND' });
    await expect(bench.describe('web', { ...bench.sourceOf(vcsim), server: '127.0.0.1:1' })).rejects.toMatchObject({
      code: 'VCENTER_UNREACHABLE',
    });
  });

  test('killed in the middle of a download and started again, completes the job and leaves nothing', async () => {
    await vcsim.setNfcRate(60_000);
    await bench.request('job-killed1', 'web', vcsim);
    await bench.progressUntil('job-killed1', ({ disks }) => (disks?.[0]?.bytes_downloaded ?? 0) > 50_000);
    await exporter.kill('SIGKILL');
    await vcsim.setNfcRate(0);
    expect((await vcsim.control()).snapshots.map(({ name }) => name)).toEqual(['hyper2kvm-job-killed1']);

    exporter = await bench.start();
    const outcome = await bench.outcome('job-killed1');
    if (!('completed' in outcome)) throw new Error(outcome.failed.failure.message);
    const { artifact_dir: artifactDir, artifact, duration_seconds } = outcome.completed;
    expect(duration_seconds).toBeGreaterThan(0);
    expect(artifact.disks).toMatchObject([{ file: 'disk1.qcow2', verified: true }]);
    expect(await sameContent(path.join(artifactDir, 'disk1.qcow2'), disk.raw)).toBe(true);
    expect((await readdir(artifactDir)).toSorted()).toEqual(['artifact.json', 'disk1.qcow2']);
    expect((await vcsim.control()).snapshots).toEqual([]);
    expect(await bench.logs('job-killed1')).toContain(
      'Using the snapshot "hyper2kvm-job-killed1" that an earlier start of this job made',
    );
  });

  test(
    'killed at 60 to 80 % of a disk from its datastore, fetches less than a tenth of it again',
    { timeout: 300_000 },
    async () => {
      // Of each of its connections.
      await vcsim.change({ settings: { folder_bytes_per_second: 25_000_000 } });
      await bench.request('job-killed2', 'large', vcsim, { transport: 'datastore' });
      const { disks } = await bench.progressUntil(
        'job-killed2',
        (progress) => (progress.disks?.[0]?.done_bytes ?? 0) > 0.6 * 2 * GIB,
      );
      await exporter.kill('SIGKILL');
      expect(disks?.[0]?.done_bytes).toBeLessThan(0.8 * 2 * GIB);
      await vcsim.change({ settings: { folder_bytes_per_second: 0 } });
      const fetched = await bytesServed(vcsim, /large-flat\.vmdk$/);
      expect(fetched).toBeLessThan(0.9 * 2 * GIB);

      exporter = await bench.start();
      const outcome = await bench.outcome('job-killed2');
      if (!('completed' in outcome)) throw new Error(outcome.failed.failure.message);
      const again = (await bytesServed(vcsim, /large-flat\.vmdk$/)) - 2 * GIB;
      expect(again).toBeLessThan(0.1 * 2 * GIB);
      expect(await sameContent(path.join(outcome.completed.artifact_dir, 'disk1.qcow2'), large)).toBe(true);
      expect((await readdir(outcome.completed.artifact_dir)).toSorted()).toEqual(['artifact.json', 'disk1.qcow2']);
      expect((await vcsim.control()).snapshots).toEqual([]);
    },
  );

  test('takes a limit while it runs', { timeout: 120_000 }, async () => {
    const options = { transport: 'datastore', bandwidth_bytes_per_second: 1_000_000 } as const;
    const before = await bytesServed(vcsim, /large-flat\.vmdk$/);
    await bench.request('job-limited1', 'large', vcsim, options);
    await bench.progressUntil('job-limited1', ({ disks }) => (disks?.[0]?.bytes_downloaded ?? 0) > 2_000_000);
    // At that rate it would take half an hour.
    expect((await bytesServed(vcsim, /large-flat\.vmdk$/)) - before).toBeLessThan(200_000_000);
    await bench.limit('job-limited1', null);
    expect(await bench.outcome('job-limited1')).toHaveProperty('completed');
  });

  test('lists what there is, in pages', async () => {
    const all = await bench.list(vcsim, { offset: 0, limit: 10 });
    expect(all.total).toBe(2);
    expect(all.vms.map(({ name }) => name)).toEqual(['large', 'web']);
    const { Login = 0, CreateContainerView = 0 } = (await vcsim.control()).calls;
    expect((await bench.list(vcsim, { offset: 1, limit: 1 })).vms.map(({ name }) => name)).toEqual(['web']);
    expect((await vcsim.control()).calls).toMatchObject({ Login, CreateContainerView });
  });

  test('cleans up after a job whose worker is gone for good', async () => {
    await vcsim.setNfcRate(20_000);
    await bench.request('job-orphan1', 'web', vcsim);
    await bench.progressUntil('job-orphan1', ({ disks }) => (disks?.[0]?.bytes_downloaded ?? 0) > 0);
    await exporter.kill('SIGKILL');
    await bench.cancel('job-orphan1');
    await vcsim.setNfcRate(0);
    exporter = await bench.start();
    const outcome = await bench.cleanUp('job-orphan1', 'web', vcsim);
    expect(outcome).toMatchObject({
      completed: { removed_snapshots: ['hyper2kvm-job-orphan1'], removed_files: true },
    });
    const state = await vcsim.control();
    expect(state.snapshots).toEqual([]);
    expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
    expect(await readdir(bench.workDir)).not.toContain('job-orphan1');
  });

  test('has never written the password', () => {
    expect(exporter.output.filter((line) => line.includes(vcsim.password))).toEqual([]);
  });

  test('ends on SIGTERM and leaves no process', async () => {
    await exporter.kill('SIGTERM');
    await expectNoProcesses(bench.workDir);
  });
});
