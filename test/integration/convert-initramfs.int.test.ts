/** The initramfs of a real Debian, in one appliance: drivers added, and a tool of the distribution that does badly. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { accelerator, Appliance, initramfsStep, listInitramfs, type StepContext } from '@hyper2kvm/converter';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureGuest } from '../support/guest/guest.js';

const LIMIT_MS = 900_000;
const NAMES = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'virtio_net'];
const { signal } = new AbortController();

let folder: string;
let appliance: Appliance;
let kernel: string;
let image: string;

beforeAll(async () => {
  const { rawPath } = await ensureGuest();
  folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-initramfs-'));
  const overlay = path.join(folder, 'disk.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', rawPath, overlay]);
  appliance = await Appliance.start({
    disks: [{ file: overlay, format: 'qcow2' }],
    folder: path.join(folder, 'appliance'),
    cacheDir: '/var/tmp',
    accelerator: await accelerator(),
    signal,
  });
  await appliance.call(['mount-options', '', '/dev/sda1', '/']);
  [kernel = ''] = await appliance.list('/lib/modules');
  image = `/boot/initrd.img-${kernel}`;
}, LIMIT_MS);

afterAll(async () => {
  await appliance.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Ran {
  readonly changes: readonly string[];
  readonly log: readonly string[];
  readonly kernels: readonly string[];
}

/** Runs the step alone. */
async function run(options: { dryRun?: boolean; stale?: boolean } = {}): Promise<Ran> {
  const changes: string[] = [];
  const log: string[] = [];
  const state = { changes: [], concerns: [], pinned: [], kernels: [], initramfsStale: options.stale ?? false };
  const root = '/dev/sda1';
  const context = {
    appliance,
    guest: {
      mountpoints: [{ path: '/', device: root, mountable: root }],
      fileSystems: [{ device: root, type: 'ext4' }],
    },
    machine: { disks: [{}] },
    folder,
    signal,
    dryRun: options.dryRun ?? false,
    state,
    log: (message: string) => void log.push(message),
    concern: (code: string) => void log.push(code),
    change: (file: string, summary: string) => void changes.push(`${file}: ${summary}`),
    edit: async (file: string, before: string | undefined, after: string) => {
      if (before === after) return;
      await appliance.writeText(file, after);
      changes.push(file);
    },
  } as unknown as StepContext;
  await initramfsStep.run(context);
  return { changes, log, kernels: state.kernels };
}

const list = (): Promise<readonly string[]> => listInitramfs({ appliance, folder, signal }, image);

/** The hash of a guest's file, which is left in `downloaded`. */
async function hashOf(file: string): Promise<string> {
  const local = path.join(folder, 'downloaded');
  await appliance.call(['download', file, local]);
  return createHash('sha256')
    .update(await readFile(local))
    .digest('hex');
}

it(
  'gets the drivers, with all that they need, and keeps everything else',
  async () => {
    const before = await list();
    const original = await hashOf(image);
    const planned = await run({ dryRun: true });
    expect(planned.changes.at(-1)).toBe(`${image}: would get ${NAMES.join(', ')}`);
    expect(await hashOf(image)).toBe(original);
    await appliance.call(['upload', path.join(folder, 'downloaded'), '/root/without']);

    // Older releases refuse to update an image that has another checksum than they noted.
    const noted = `/var/lib/initramfs-tools/${kernel}`;
    await appliance.call(['mkdir-p', path.dirname(noted)]);
    await appliance.writeText(noted, `${'0'.repeat(40)}  ${image}\n`);
    const { changes, kernels } = await run();
    await appliance.command(['sha1sum', '--check', noted]);
    expect(kernels).toEqual([kernel]);
    expect(changes.at(-1)).toBe(`${image}: ${NAMES.join(', ')} added`);
    const after = await list();
    expect(before.filter((each) => !after.includes(each))).toEqual([]);
    const added = after
      .filter((each) => !before.includes(each) && each.endsWith('.ko'))
      .map((each) => path.basename(each));
    // What virtio_pci and virtio_net cannot do without comes along.
    for (const name of [...NAMES, 'virtio_ring', 'virtio_pci_modern_dev', 'net_failover'])
      expect(added).toContain(`${name}.ko`);
    // Files that were replaced are there once.
    expect(new Set(after).size).toBe(after.length);
    expect(await appliance.readText('/etc/initramfs-tools/modules')).toMatch(/^mptspi\n[^]*^virtio_pci\nvirtio_blk\n/m);

    // The guest's own tool finds them, in the indexes too: all of it is one archive, as it would have made it.
    await appliance.command(['unmkinitramfs', image, '/root/unpacked']);
    const root = (await appliance.isDir('/root/unpacked/main')) ? '/root/unpacked/main' : '/root/unpacked';
    const needs = await appliance.command(['modprobe', '-d', root, '-S', kernel, '--show-depends', 'virtio_blk']);
    expect(needs).toMatch(/virtio_ring\.ko[^]*virtio_blk\.ko/);
    const byAlias = await appliance.command(['modprobe', '-d', root, '-S', kernel, '-R', 'virtio:d00000002v00001AF4']);
    expect(byAlias.trim()).toBe('virtio_blk');
    expect(await appliance.readText(`${root}/conf/modules`)).toMatch(/^mptspi\s[^]*^virtio_pci\n/m);
    await appliance.call(['rm-rf', '/root/unpacked']);
    expect((await appliance.list('/var/tmp')).filter((each) => each.startsWith('hyper2kvm'))).toEqual([]);

    expect((await run()).changes).toEqual([]);
  },
  LIMIT_MS,
);

it(
  'is rebuilt where a file that it copies has changed; a rebuild that loses the drivers is undone',
  async () => {
    const good = await hashOf(image);
    await appliance.call(['cp', image, '/root/with']);
    await appliance.writeText(
      '/usr/sbin/update-initramfs',
      `#!/bin/sh\necho "$@" > /root/said\ncp /root/with ${image}\n`,
    );
    const { changes } = await run({ stale: true });
    expect(await appliance.readText('/root/said')).toBe(`-u -k ${kernel}\n`);
    expect(changes).toEqual([`${image}: rebuilt by update-initramfs with what it copies`]);

    await appliance.writeText('/usr/sbin/update-initramfs', `#!/bin/sh\ncp /root/without ${image}\n`);
    await expect(run({ stale: true })).rejects.toThrow(
      `made for ${kernel} lacks ${NAMES.join(', ')}; the old one was put back`,
    );
    expect(await hashOf(image)).toBe(good);
  },
  LIMIT_MS,
);

it(
  'that no kernel could unpack is told as such',
  async () => {
    await appliance.writeText(image, 'no archive\n'.repeat(100));
    await expect(run()).rejects.toMatchObject({ code: 'GUEST_CORRUPT' });
  },
  LIMIT_MS,
);
