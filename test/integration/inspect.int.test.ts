/** What the converter finds in the disks of a VM, and mounts of them, in a real appliance. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LuksKey } from '@hyper2kvm/contracts';
import { accelerator, Appliance, inspect, openGuest, type ApplianceOptions } from '@hyper2kvm/converter';
import { LUKS_UUID, makeDisks, PASSPHRASE, ROOT_UUID, type MadeDisks } from './inspect-disks.js';

let folder: string;
let disks: MadeDisks;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-inspect-'));
  disks = await makeDisks(folder);
}, 400_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

// An appliance takes 10 s to start without KVM, and a minute on a busy machine.
vi.setConfig({ testTimeout: 400_000 });

const appliance = async (name: string, images: readonly string[]): Promise<ApplianceOptions> => ({
  disks: images.map((file) => ({ file, format: 'qcow2' })),
  folder: path.join(folder, name),
  cacheDir: '/var/tmp',
  accelerator: await accelerator(),
  signal: new AbortController().signal,
});

const key = (text: string, device?: string): LuksKey => ({
  key_base64: Buffer.from(text).toString('base64'),
  ...(device === undefined ? {} : { device }),
});

describe('a system on LUKS, btrfs, LVM and an array, over five disks', () => {
  it('is opened and mounted as its own tables say', async () => {
    const options = await appliance('encrypted', disks.system);
    const luksKeys = [key('wrong'), key(`${PASSPHRASE}\n`, LUKS_UUID)];
    const opened = await openGuest({ ...options, root: undefined, noOs: false, luksKeys });
    try {
      expect(opened.guest).toMatchObject({
        root: '/dev/mapper/secure',
        type: 'linux',
        distro: 'opensuse',
        product: 'openSUSE Leap 15.6',
        version: { major: 15, minor: 6 },
        packageFormat: 'rpm',
        init: 'systemd',
        systemd: 254,
        diskCount: 5,
        luks: [{ device: '/dev/sdc1', uuid: LUKS_UUID, mapped: '/dev/mapper/secure' }],
      });
      expect(opened.guest.mountpoints).toEqual([
        { path: '/', device: '/dev/mapper/secure', mountable: 'btrfsvol:/dev/mapper/secure/@' },
        { path: '/home', device: '/dev/mapper/secure', mountable: 'btrfsvol:/dev/mapper/secure/@home' },
        { path: '/boot', device: '/dev/sda2', mountable: '/dev/sda2' },
        { path: '/var', device: '/dev/data-vg/var', mountable: '/dev/data-vg/var' },
        { path: '/boot/efi', device: '/dev/sda1', mountable: '/dev/sda1' },
        { path: '/srv/array', device: '/dev/md0', mountable: '/dev/md0' },
      ]);
      const types = Object.fromEntries(opened.guest.fileSystems.map(({ device, type }) => [device, type]));
      expect(types).toEqual({
        '/dev/sda1': 'vfat',
        '/dev/sda2': 'ext4',
        '/dev/sda3': 'LVM2_member',
        '/dev/sdb': 'LVM2_member',
        '/dev/sdc1': 'crypto_LUKS',
        '/dev/sdc2': 'crypto_LUKS',
        '/dev/sdd': 'linux_raid_member',
        '/dev/sde': 'linux_raid_member',
        '/dev/md0': 'ext4',
        '/dev/mapper/secure': 'btrfs',
        '/dev/data-vg/var': 'ext4',
        '/dev/data-vg/swap': 'swap',
      });
      const said = opened.concerns.map(({ code, message }) => `${code} ${message}`);
      expect(said).toEqual([
        expect.stringMatching(/^MOUNT_MISSING .*\/mnt\/gone from LABEL=gone/),
        expect.stringMatching(/^VOLUME_LOCKED \/dev\/sdc2 .*the key given does not open it/),
      ]);
      // Neither on the host nor in the appliance.
      expect((await readdir(path.join(folder, 'encrypted', 'appliance'))).filter((name) => /key/.test(name))).toEqual(
        [],
      );
      const { appliance: running } = opened;
      expect(await running.lines(['list-devices'])).toEqual(
        ['sda', 'sdb', 'sdc', 'sdd', 'sde'].map((n) => `/dev/${n}`),
      );
      expect(await running.readText('/etc/crypttab')).toContain('secure UUID=');
    } finally {
      await opened.appliance.stop();
    }
  });

  it('is refused without its key, by the name of the volume', async () => {
    const options = await appliance('locked', disks.system);
    const luksKeys = [key('wrong')];
    await expect(openGuest({ ...options, root: undefined, noOs: false, luksKeys })).rejects.toMatchObject({
      code: 'GUEST_ENCRYPTED',
      message: expect.stringMatching(
        /\/dev\/sdc1 .*c0ffee00-1111-4222-8333-944455556602.*does not open it.*--luks-key/,
      ),
    });
    expect(await readdir(path.join(folder, 'locked'))).toEqual([]);
  });
});

describe('two systems on one disk', () => {
  it('are listed; one can be chosen, or none', async () => {
    const running = await Appliance.start(await appliance('pair', disks.pair));
    try {
      const choose = (root?: string, noOs = false) => inspect(running, { diskCount: 1, root, noOs });
      await expect(choose()).rejects.toMatchObject({
        code: 'GUEST_MULTIPLE_OS',
        message: expect.stringContaining(
          '2 operating systems: Debian GNU/Linux 12 (bookworm) on /dev/sda1; CentOS release 6.10 (Final) on /dev/sda2',
        ),
      });
      await expect(choose('/dev/sda3')).rejects.toMatchObject({ code: 'GUEST_NO_OS' });

      const data = await choose(undefined, true);
      expect(data.guest).toMatchObject({ type: 'none', root: '', mountpoints: [], product: 'no operating system' });
      expect(data.concerns.map(({ message }) => message).join()).toContain(
        'Debian GNU/Linux 12 (bookworm) on /dev/sda1',
      );

      const { guest } = await choose('/dev/sda2');
      expect(guest).toMatchObject({
        root: '/dev/sda2',
        distro: 'centos',
        product: 'CentOS release 6.10 (Final)',
        version: { major: 6, minor: 10 },
        mountpoints: [{ path: '/', device: '/dev/sda2', mountable: '/dev/sda2' }],
      });
      expect(guest.fileSystems).toContainEqual(expect.objectContaining({ device: '/dev/sda1', uuid: ROOT_UUID }));
      await running.call(['umount-all']);

      // Its fstab wants a /usr that is not there.
      await expect(choose('/dev/sda1')).rejects.toMatchObject({
        code: 'GUEST_CORRUPT',
        message: expect.stringContaining('/usr from LABEL=nowhere'),
      });
    } finally {
      await running.stop();
    }
  });
});
