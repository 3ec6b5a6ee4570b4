/** What an export keeps an eye on, and how it chooses the way of a disk. */
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { Bandwidth } from '@hyper2kvm/exporter';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytesServed, messagesOf, recordingPorts, sameContent, servedDisk } from './export-setup.js';
import { isMoving, Site } from './export-site.js';

const MIB = 2 ** 20;
let site: Site;

beforeAll(async () => {
  site = await Site.start((disk) => [
    ...['plain', 'store', 'growing', 'aging'].map((name) => ({ name })),
    { name: 'full', disks: [{ ...servedDisk(disk), used_bytes: 150 * MIB }] },
    { name: 'trusted', tpm: true },
    { name: 'linked', disks: [{ capacity_bytes: disk.capacityBytes, vmdk: disk.vmdk, parent: 'base.vmdk' }] },
  ]);
});

afterAll(async () => {
  await site?.stop();
});

beforeEach(async () => {
  await site.rates(0);
});

async function onSmall(size: string, work: (small: string) => Promise<void>): Promise<void> {
  const small = path.join(site.folder, `small-${size}`);
  await mkdir(small);
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', small]);
  try {
    await work(small);
    expect(await readdir(small)).toEqual([]);
  } finally {
    await execa('umount', [small]);
  }
}

describe('the space for the images', () => {
  // Root mounts a small file system of its own; elsewhere there is no way to a full disk without harm.
  const asRoot = test.skipIf(process.getuid?.() !== 0);

  asRoot('is asked for before anything is made on the source', async () => {
    await onSmall('100m', async (small) => {
      const before = (await site.vcsim.control()).calls.CreateSnapshot_Task ?? 0;
      const { error, request } = await site.run(site.request('full'), { workDir: small });
      expect(error).toMatchObject({ code: 'DISK_FULL', retryable: false });
      expect((error as JobError).message).toMatch(/has 100 MiB free; 166 MiB are needed, and 0 B have to stay free/);
      expect((await site.vcsim.control()).calls.CreateSnapshot_Task ?? 0).toBe(before);
      await site.expectNothingLeft(request, small);
    });
  });

  asRoot('is watched: what has to stay free stays free', async () => {
    await onSmall('120m', async (small) => {
      await site.vcsim.change({ settings: { folder_bytes_per_second: 2_000_000 } });
      const filler = path.join(small, 'of-another');
      const recorded = recordingPorts((at) => {
        if (isMoving(at)) void execa('fallocate', ['-l', '60m', filler]).catch(() => {});
      });
      const { error, request } = await site.run(
        site.request('plain', { transport: 'datastore' }),
        { workDir: small, minFreeBytes: 80 * MIB, spaceCheckMs: 20, diskRetryMs: [10, 10] },
        recorded,
      );
      await execa('rm', ['-f', filler]);
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect((error as JobError).message).toMatch(/are needed, and 80 MiB have to stay free/);
      expect(messagesOf(recorded).filter((message) => message.includes('begins again'))).toEqual([]);
      await site.expectNothingLeft(request, small);
    });
  });
});

describe('the source while it is read', () => {
  test('is given up when its datastore runs full', async () => {
    await site.rates(30_000);
    let changed = false;
    const recorded = recordingPorts((at) => {
      if (!isMoving(at) || changed) return;
      changed = true;
      void site.vcsim.change({ datastore: { free_bytes: 1_000_000 } });
    });
    try {
      const { error, request } = await site.run(site.request('store'), { sourceCheckMs: 50 }, recorded);
      expect(error).toMatchObject({ code: 'DATASTORE_FULL' });
      expect((error as JobError).message).toMatch(
        /^datastore LocalDS_0 has 977 KiB of .* free .*5 % have to stay free/,
      );
      await site.expectNothingLeft(request);
    } finally {
      await site.vcsim.change({ datastore: { free_bytes: 8 * 2 ** 40 } });
    }
  });

  test('tells how its delta grows', async () => {
    await site.rates(30_000);
    const recorded = recordingPorts((at) => {
      if (messagesOf(at).some((message) => message.includes('delta has grown'))) void site.rates(0);
    });
    await site.vcsim.change({ vm: { name: 'growing', delta_bytes: 300 * MIB } });
    const { exported } = await site.done(site.request('growing'), { sourceCheckMs: 50 }, recorded);
    await site.vcsim.change({ vm: { name: 'growing', delta_bytes: 0 } });
    expect(messagesOf(recorded)).toContain("The snapshot's delta has grown to 300 MiB after 1 min");
    expect(exported.artifact.disks).toHaveLength(1);
  });

  test('is given up when its snapshot grows too old', async () => {
    await site.rates(30_000);
    const { error, request } = await site.run(site.request('aging'), { sourceCheckMs: 50, snapshotMaxAgeMs: 1_500 });
    expect(error).toMatchObject({ code: 'EXPORT_TRANSFER', retryable: false });
    expect((error as JobError).message).toContain('snapshot_max_age_hours');
    await site.expectNothingLeft(request);
  });

  test('is left with a concern when it needs consolidation, or has a TPM', async () => {
    const recorded = recordingPorts(
      () => void site.vcsim.change({ vm: { name: 'trusted', consolidation_needed: true } }),
    );
    const { exported } = await site.done(site.request('trusted'), {}, recorded);
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

describe('the way of a disk', () => {
  test.each([
    { vm: 'plain', way: /^Disk 1 .* comes by the export stream \(nfc\), because only \d+ % of the disk is used/ },
    { vm: 'full', way: /^Disk 1 .* comes by its file on the datastore, because 75 % of the disk is used/ },
    { vm: 'linked', way: /^Disk 1 .* comes by the export stream \(nfc\), because it stands on another disk/ },
  ])('is chosen for $vm, and told', async ({ vm, way }) => {
    const { exported, recorded } = await site.done(site.request(vm));
    expect(messagesOf(recorded)).toContainEqual(expect.stringMatching(way));
    expect(await sameContent(path.join(exported.artifactDir, 'disk1.qcow2'), site.disk.raw)).toBe(true);
  });

  test('cannot be forced where it does not lead', async () => {
    const { error, request } = await site.run(site.request('linked', { transport: 'datastore' }));
    expect(error).toMatchObject({ code: 'TRANSPORT_UNAVAILABLE' });
    expect((error as JobError).message).toMatch(/disk 1 \(.*\.vmdk\): it stands on another disk/);
    await site.expectNothingLeft(request);
  });

  test('is throttled by the job’s limit, and released while it runs', async () => {
    const bandwidth = new Bandwidth();
    const recorded = recordingPorts();
    recorded.ports = { ...recorded.ports, bandwidth };
    const request = site.request('plain', { transport: 'datastore', bandwidth_bytes_per_second: 65_536 });
    const before = await bytesServed(site.vcsim, /plain-flat/);
    const running = site.run(request, {}, recorded);
    // Without the limit all 200 MiB come in a fraction of that time; with it, what six connections have under way.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect((await bytesServed(site.vcsim, /plain-flat/)) - before).toBeLessThan(60 * MIB);
    bandwidth.setJob(request.jobId, null);
    const { exported } = await running;
    expect(exported?.artifact.disks[0]?.transport).toBe('datastore');
  });

  test('without read-back is not called verified', async () => {
    const { exported } = await site.done(site.request('plain'), { readBack: false });
    expect(exported.artifact.disks[0]?.verified).toBe(false);
    expect(exported.artifact.concerns).toEqual([expect.stringContaining('read_back is off')]);
  });
});
