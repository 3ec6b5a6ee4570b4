import { describe, expect, it } from 'vitest';
import type { BlockDevice, Naming } from '../src/guest/devices/index.js';
import { parseCrypttab, parseFstab, planMounts } from '../src/guest/mounts/index.js';
import type { Candidate, Subvolumes } from '../src/guest/roots/index.js';
import { ARCH, CRYPTTAB, DEBIAN_LVM, RHEL, SUSE_BTRFS, UBUNTU } from './fixtures/inspect/tables.js';

const device = (name: string, type: string, facts: Partial<BlockDevice['content']> = {}): BlockDevice => ({
  kernel: name.slice(5),
  device: name,
  parts: [],
  content: { device: name, type, ...facts },
});
const volume = (name: string, dmName: string, type: string): BlockDevice => ({ ...device(name, type), dmName });

function plan(fstab: string, devices: readonly BlockDevice[], root: Candidate, trees: [string, Subvolumes][] = []) {
  const naming: Naming = { devices, mapped: new Map(), arrays: new Map() };
  const { mounts, missing } = planMounts({
    fstab: parseFstab(fstab),
    root,
    naming,
    subvolumes: new Map(trees),
  });
  return {
    mounts: mounts.map(({ path, mountable, options }) => [path, mountable, options].filter(Boolean).join(' ')),
    missing: missing.map(({ path, required }) => (required ? `${path}!` : path)),
  };
}

const linux = (name: string): Candidate => ({ kind: 'linux', device: name });

describe('what is mounted where', () => {
  it('on Debian with LVM', () => {
    const root = volume('/dev/web-01-vg/root', 'web--01--vg-root', 'ext4');
    const boot = device('/dev/sda1', 'ext2', { uuid: '0f6a6cb2-3f0b-4a3e-8c56-1d9d1b0c7f11' });
    const swap = volume('/dev/web-01-vg/swap_1', 'web--01--vg-swap_1', 'swap');
    expect(plan(DEBIAN_LVM, [root, boot, swap], linux(root.device))).toEqual({
      mounts: ['/ /dev/web-01-vg/root', '/boot /dev/sda1'],
      missing: [],
    });
    expect(plan(DEBIAN_LVM, [root], linux(root.device)).missing).toEqual(['/boot!']);
  });

  it('on Ubuntu', () => {
    const root = device('/dev/sda2', 'ext4', { uuid: '7c0d6f0e-9a57-4d0b-a0a2-6a0d6b3d5a01' });
    const esp = device('/dev/sda1', 'vfat', { uuid: '4E2B-1C7D' });
    expect(plan(UBUNTU, [esp, root], linux('/dev/sda2')).mounts).toEqual(['/ /dev/sda2', '/boot/efi /dev/sda1']);
  });

  it('on RHEL: nothing of the network, a missing home is no obstacle', () => {
    const root = device('/dev/sda3', 'xfs', { uuid: '8f3e6d2c-1b7a-4c05-9e50-66d5c1d4b702' });
    const boot = device('/dev/sda2', 'xfs', { uuid: '11d2b9d0-54a9-4a5a-93ef-2b0a7cf0e702' });
    const esp = device('/dev/sda1', 'vfat', { uuid: '7B77-95E7' });
    expect(plan(RHEL, [esp, boot, root], linux('/dev/sda3'))).toEqual({
      mounts: ['/ /dev/sda3', '/boot /dev/sda2', '/boot/efi /dev/sda1'],
      missing: ['/home'],
    });
  });

  it('on SUSE, whose root is a snapshot that is the default subvolume', () => {
    const uuid = '3c3f2f8e-7f2a-4f6d-8c0a-58a0d9b2e703';
    const disk = device('/dev/sda2', 'btrfs', { uuid });
    const names = ['@', '@/var', '@/home', '@/.snapshots', '@/.snapshots/1/snapshot'];
    const all = names.map((path, index) => ({ id: 256 + index, path }));
    const tree = { all: [{ id: 5, path: '' }, ...all], defaultId: 260, snapshots: new Set([260]) };
    const root = { ...linux('/dev/sda2'), subvolume: { id: 260, path: '@/.snapshots/1/snapshot' } };
    expect(plan(SUSE_BTRFS, [disk], root, [['/dev/sda2', tree]])).toEqual({
      mounts: [
        '/ btrfsvol:/dev/sda2/@/.snapshots/1/snapshot subvolid=260',
        '/var btrfsvol:/dev/sda2/@/var subvolid=257',
        '/home btrfsvol:/dev/sda2/@/home subvolid=258',
        '/.snapshots btrfsvol:/dev/sda2/@/.snapshots subvolid=259',
      ],
      missing: ['/boot/efi!'],
    });
  });

  it('on Arch: by PARTUUID and by a label with a blank; a btrfs of two devices is one', () => {
    const uuid = 'd0e1f2a3-1111-4b6c-9d7e-000000000704';
    const devices = [
      device('/dev/sda1', 'vfat', { partUuid: '6d0c3f0a-2222-4b6c-9d7e-000000000704' }),
      device('/dev/sda2', 'btrfs', { uuid }),
      device('/dev/sdb1', 'btrfs', { uuid }),
      device('/dev/sdb2', 'ext4', { label: 'big data' }),
    ];
    const tree = {
      all: [
        { id: 5, path: '' },
        { id: 256, path: '@' },
      ],
      defaultId: 5,
      snapshots: new Set<number>(),
    };
    const root = { ...linux('/dev/sda2'), subvolume: { id: 256, path: '@' } };
    const fstab = `${ARCH}/dev/sdb1 /pool btrfs defaults 0 0\n`;
    expect(plan(fstab, devices, root, [['/dev/sda2', tree]])).toEqual({
      mounts: ['/ btrfsvol:/dev/sda2/@ subvolid=256', '/boot /dev/sda1', '/pool /dev/sda2', '/srv/big data /dev/sdb2'],
      missing: [],
    });
    expect(plan(fstab, devices.slice(0, 3), root, [['/dev/sda2', tree]]).missing).toEqual([]);
  });

  it('when mounted on demand: the boot file systems are needed now', () => {
    const fstab =
      'LABEL=boot /boot ext4 noauto 0 0\nLABEL=data /data ext4 noauto 0 0\nLABEL=efi /efi vfat noauto 0 0\n';
    const devices = [device('/dev/sda1', 'ext4', { label: 'boot' }), device('/dev/sda2', 'ext4', { label: 'data' })];
    expect(plan(fstab, devices, linux('/dev/sda3'))).toEqual({
      mounts: ['/ /dev/sda3', '/boot /dev/sda1'],
      missing: [],
    });
  });

  it('with an fstab of an attacker: bounded, and nothing outside', () => {
    const hostile = [
      ...Array.from({ length: 100_000 }, (_, index) => `/dev/sda1 /m${index} ext4 defaults 0 0`),
      '/dev/sda1 /../../etc ext4 defaults 0 0',
    ].join('\n');
    const devices = [device('/dev/sda1', 'ext4')];
    expect(plan(hostile, devices, linux('/dev/sda2')).mounts).toHaveLength(128);
    const odd = ['/a/../../b', 'relative', '/', '/x\\012y'].map((path) => `/dev/sda1 ${path} ext4 defaults 0 0`);
    expect(plan(odd.join('\n'), devices, linux('/dev/sda2')).mounts).toEqual(['/ /dev/sda2']);
  });
});

describe('tables', () => {
  it('are read as their manuals say', () => {
    expect(parseFstab('  UUID="x" /a\\040b\n# c\n\nalone\n')).toEqual([
      { spec: 'UUID=x', path: '/a b', type: 'auto', options: ['defaults'] },
    ]);
    expect(parseCrypttab(CRYPTTAB)).toEqual([
      { name: 'sda3_crypt', spec: 'UUID=c0ffee00-1111-4222-8333-944455556705' },
      { name: 'cryptswap', spec: '/dev/sda2' },
    ]);
  });
});
