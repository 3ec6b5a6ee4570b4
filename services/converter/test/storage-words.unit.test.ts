import { expect, it } from 'vitest';
import { storageWords } from '../src/guest/storage-words.js';

it.each([
  ['xfs (LVM)', '/dev/rhel/root', 'xfs', 0],
  ['ext4 (LVM, LUKS)', '/dev/vg/root', 'ext4', 1],
  ['btrfs (LUKS)', '/dev/mapper/luks-a', 'btrfs', 1],
  ['ext4 (RAID)', '/dev/md0', 'ext4', 0],
  ['ntfs', '/dev/sda2', 'ntfs', 0],
])('%s', (words, device, type, volumes) => {
  const luks = Array.from({ length: volumes }, () => ({
    device: '/dev/sda3',
    uuid: 'a',
    mapped: '/dev/mapper/luks-a',
  }));
  const mountpoints = [{ path: '/', device, mountable: `btrfsvol:${device}/@` }];
  expect(storageWords({ root: device, mountpoints, fileSystems: [{ device, type }], luks })).toBe(words);
});
