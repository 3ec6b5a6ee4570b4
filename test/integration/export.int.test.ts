import { access, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Artifact } from '@hyper2kvm/contracts';
import { exportVm, type ExportRequest } from '@hyper2kvm/exporter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  type TestDisk,
} from './export-setup.js';

const MIB = 2 ** 20;
let folder: string;
let vcsim: Vcsim;
let system: TestDisk;
let data: TestDisk;
let archive: TestDisk;

beforeAll(async () => {
  folder = await tempFolder();
  system = await makeDisk(folder, 'system', 300 * MIB);
  // Not a multiple of a grain: the last one is short.
  data = await makeDisk(folder, 'data', 130 * MIB + 512 * 7);
  // Over 8 GB, nearly all of it a hole.
  archive = await makeDisk(folder, 'archive', 7_800 * MIB);
  vcsim = await startVcsim({
    vms: [
      { name: 'three', disks: [system, data, archive].map(servedDisk) },
      {
        name: 'production-db',
        power_state: 'poweredOn',
        disks: [
          { capacity_bytes: system.capacityBytes, vmdk: system.vmdk },
          { capacity_bytes: data.capacityBytes, vmdk: data.vmdk },
        ],
      },
    ],
  });
});

afterAll(async () => {
  await vcsim?.stop();
  await removeFolder(folder);
});

const requestOf = (jobId: string): ExportRequest => ({
  jobId,
  attempt: 1,
  epoch: 1,
  vmName: 'production-db',
  endpoint: endpointOf(vcsim),
});

describe('export of a VM', () => {
  test('gives images identical in content, and leaves neither snapshot nor lease nor temporary file', async () => {
    const recorded = recordingPorts();
    const exported = await exportVm(requestOf('job-whole1'), settingsFor(folder), recorded.ports);

    const { artifactDir, artifact } = exported;
    expect(artifactDir).toBe(path.join(folder, 'job-whole1'));
    expect(await sameContent(path.join(artifactDir, 'disk1.qcow2'), system.raw)).toBe(true);
    expect(await sameContent(path.join(artifactDir, 'disk2.qcow2'), data.raw)).toBe(true);
    expect(Artifact.parse(JSON.parse(await readFile(path.join(artifactDir, 'artifact.json'), 'utf8')))).toEqual(
      artifact,
    );
    expect(artifact.machine).toMatchObject({ name: 'production-db', power_state: 'poweredOn' });
    // 300 MiB are five segments; only the first and the last two hold data.
    expect(artifact.disks[0]?.segments.map((hash) => hash !== null)).toEqual([true, true, false, false, true]);

    expect((await readdir(artifactDir)).toSorted()).toEqual(['artifact.json', 'disk1.qcow2', 'disk2.qcow2']);
    const state = await vcsim.control();
    expect(state.snapshots).toEqual([]);
    expect(state.leases.map((lease) => lease.state)).toEqual(['completed']);
    expect(recorded.progress.at(-1)).toMatchObject({ phase: 'export', percent_complete: 100 });
    expect(recorded.log.map(({ message }) => message)).toContain(
      'Found VM production-db: 2 disks, 430 MiB, BIOS, 2 CPUs',
    );
  });

  test('begun again after it was finished, fetches nothing and gives the same artifact', async () => {
    const first = await exportVm(requestOf('job-again1'), settingsFor(folder), recordingPorts().ports);
    const before = await vcsim.control();
    const again = await exportVm({ ...requestOf('job-again1'), epoch: 2 }, settingsFor(folder), recordingPorts().ports);
    const after = await vcsim.control();

    expect(again.artifact).toEqual(first.artifact);
    expect(after.downloads).toEqual(before.downloads);
    expect(after.leases).toEqual(before.leases);
  });

  test('a cancelled one stops and takes lease, snapshot and files along', async () => {
    await vcsim.setNfcRate(200_000);
    const recorded = recordingPorts(({ progress, stop }) => {
      const bytes = progress.at(-1)?.disks?.[0]?.bytes_downloaded ?? 0;
      if (bytes > 0) stop.abort(Object.assign(new Error('stopped'), { kind: 'cancelled' }));
    });
    try {
      await expect(exportVm(requestOf('job-cancel1'), settingsFor(folder), recorded.ports)).rejects.toThrow('stopped');
    } finally {
      await vcsim.setNfcRate(0);
    }
    const state = await vcsim.control();
    expect(state.snapshots).toEqual([]);
    expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
    await expect(access(path.join(folder, 'job-cancel1'))).rejects.toThrow('ENOENT');
  });

  test('one that was shut down leaves everything, and the next start fetches finished disks no more', async () => {
    // The second disk is held back until the first is finished, by one disk at a time.
    const settings = settingsFor(folder, { maxDisksPerVm: 1 });
    const recorded = recordingPorts(({ progress, stop }) => {
      if (progress.at(-1)?.disks?.[0]?.state === 'done')
        stop.abort(Object.assign(new Error('stopped'), { kind: 'shutdown' }));
    });
    await expect(exportVm(requestOf('job-resume1'), settings, recorded.ports)).rejects.toThrow('stopped');
    const between = await vcsim.control();
    expect(between.snapshots.map(({ name }) => name)).toEqual(['hyper2kvm-job-resume1']);

    const second = recordingPorts();
    const exported = await exportVm({ ...requestOf('job-resume1'), epoch: 2 }, settings, second.ports);
    const after = await vcsim.control();
    const before = new Set(between.downloads.map(({ path: at }) => at));
    const fetched = after.downloads.filter(({ path: at }) => !before.has(at)).map(({ path: at }) => path.basename(at));
    expect(fetched).toEqual([exported.artifact.machine.disks[1]?.name]);
    expect(second.log.map(({ message }) => message)).toContain(
      'Disk 1: finished and verified by an earlier start, not fetched again',
    );
    expect(await sameContent(path.join(exported.artifactDir, 'disk1.qcow2'), system.raw)).toBe(true);
    expect(await sameContent(path.join(exported.artifactDir, 'disk2.qcow2'), data.raw)).toBe(true);
    expect(after.snapshots).toEqual([]);
    expect((await readdir(exported.artifactDir)).toSorted()).toEqual(['artifact.json', 'disk1.qcow2', 'disk2.qcow2']);
  });
});

describe.each(['nfc', 'datastore'] as const)('three disks by %s', (transport) => {
  test('come side by side and identical in content, whatever their size', { timeout: 300_000 }, async () => {
    let most = 0;
    const recorded = recordingPorts(({ progress }) => {
      const running = progress.at(-1)?.disks?.filter(({ state }) => state === 'transferring') ?? [];
      most = Math.max(most, running.length);
    });
    const jobId = `job-three${transport}`;
    const exported = await exportVm(
      { ...requestOf(jobId), vmName: 'three', options: { transport } },
      settingsFor(folder),
      recorded.ports,
    );
    for (const [position, disk] of [system, data, archive].entries())
      expect(await sameContent(path.join(exported.artifactDir, `disk${position + 1}.qcow2`), disk.raw)).toBe(true);
    expect(exported.artifact.disks.map((disk) => disk.transport)).toEqual([transport, transport, transport]);
    expect(exported.artifact.disks.every(({ verified }) => verified)).toBe(true);
    expect(most).toBe(3);
    const way = transport === 'nfc' ? 'comes by the export stream (nfc)' : 'comes by its file on the datastore';
    expect(messagesOf(recorded)).toContain(`Disk 3 (three_2.vmdk): ${way}, because it was asked for`);
    const state = await vcsim.control();
    expect(state.snapshots).toEqual([]);
    expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
  });
});
