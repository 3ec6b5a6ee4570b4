/** The exporter as a process of its own over a real NATS: asked, killed, and started again. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNoProcesses } from '../support/processes.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { startExportBench, type ExportBench, type ExporterProcess } from './export-process.js';
import { makeDisk, removeFolder, sameContent, tempFolder, type TestDisk } from './export-setup.js';

const MIB = 2 ** 20;
let folder: string;
let disk: TestDisk;
let vcsim: Vcsim;
let bench: ExportBench;
let exporter: ExporterProcess;

beforeAll(async () => {
  folder = await tempFolder();
  disk = await makeDisk(folder, 'disk', 200 * MIB);
  vcsim = await startVcsim({
    vms: [{ name: 'web', disks: [{ capacity_bytes: disk.capacityBytes, vmdk: disk.vmdk }] }],
  });
  bench = await startExportBench(folder);
  exporter = await bench.start();
});

afterAll(async () => {
  await bench?.stop();
  await vcsim?.stop();
  await removeFolder(folder);
});

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

  test('has never written the password', () => {
    expect(exporter.output.filter((line) => line.includes(vcsim.password))).toEqual([]);
  });

  test('ends on SIGTERM and leaves no process', async () => {
    await exporter.kill('SIGTERM');
    await expectNoProcesses(bench.workDir);
  });
});
