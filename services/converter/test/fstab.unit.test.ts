import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceResolver } from '../src/steps/devices.js';
import { planFstab, planResume } from '../src/steps/fstab/index.js';
import { DEBIAN, RHEL } from './fixtures/fstab.js';

const guest = {
  diskCount: 2,
  mountpoints: [
    { path: '/', device: '/dev/sda1', mountable: '/dev/sda1' },
    { path: '/data', device: '/dev/sdb1', mountable: '/dev/sdb1' },
  ],
  fileSystems: [
    { device: '/dev/sda1', type: 'ext4', uuid: 'aaaa-root' },
    { device: '/dev/sda5', type: 'swap', uuid: 'bbbb-swap' },
    { device: '/dev/sdb1', type: 'ext4', uuid: 'cccc-data' },
  ],
};
const resolve = deviceResolver(guest);

test('Debian: disks become UUIDs; comments, columns, network shares and bind mounts stay byte for byte', () => {
  const plan = planFstab(DEBIAN, resolve);
  expect(plan.text).toBe(
    DEBIAN.replace('/dev/sda1       /  ', 'UUID=aaaa-root  /  ')
      .replace('/dev/sda5       none', 'UUID=bbbb-swap  none')
      .replace('/dev/sdb1\t/data', 'UUID=cccc-data\t/data'),
  );
  expect(plan.edits.map(({ from }) => from)).toEqual(['/dev/sda1', '/dev/sda5', '/dev/sdb1']);
  expect(plan.unresolved).toEqual([]);
});

test('the root is what the inspection says it is, not what the letter says', () => {
  const swapped = deviceResolver({
    ...guest,
    mountpoints: [{ path: '/', device: '/dev/sdb1', mountable: '/dev/sdb1' }],
  });
  expect(planFstab('/dev/sda1 / ext4 defaults 0 1\n', swapped).text).toBe('UUID=cccc-data / ext4 defaults 0 1\n');
});

test('the root is certain, even where two lines speak of it', () => {
  const text = '/dev/sda1 / ext4 ro 0 1\n/dev/disk/by-path/x-part1 / ext4 rw 0 1\n';
  expect(planFstab(text, resolve).text).toBe('UUID=aaaa-root / ext4 ro 0 1\nUUID=aaaa-root / ext4 rw 0 1\n');
});

test('RHEL: device mapper, UUID and LABEL stay; by-path is found by its mount point', () => {
  const efi = deviceResolver({
    diskCount: 2,
    mountpoints: [{ path: '/boot/efi', device: '/dev/sda2', mountable: '/dev/sda2' }],
    fileSystems: [{ device: '/dev/sda2', type: 'vfat', uuid: '7B7A-1C2D' }],
  });
  const plan = planFstab(RHEL, efi);
  expect(plan.text).toBe(
    RHEL.replace('/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part2 /boot/efi', 'UUID=7B7A-1C2D /boot/efi'),
  );
});

describe('what is not certain stays and is told', () => {
  test.each([
    ['a swap line that names a file system', '/dev/sda1 none swap sw 0 0', false],
    ['a disk that is not there', '/dev/sdc1 /var ext4 defaults 0 2', true],
    ['the same, not needed for booting', '/dev/sdc1 /var ext4 nofail 0 2', false],
    [
      'by-path with two candidates',
      '/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1 /srv ext4 defaults 0 2',
      false,
    ],
  ])('%s', (_name, line, required) => {
    const plan = planFstab(`${line}\n`, resolve);
    expect(plan.text).toBe(`${line}\n`);
    expect(plan.unresolved).toMatchObject([{ required }]);
  });
});

test('resume of initramfs-tools', () => {
  expect(planResume('RESUME=/dev/sda5\n', resolve).text).toBe('RESUME=UUID=bbbb-swap\n');
  expect(planResume('RESUME=none\n', resolve).text).toBe('RESUME=none\n');
  expect(planResume('RESUME=/dev/sda1\n', resolve).text).toBe('RESUME=/dev/sda1\n');
});

const line = fc.oneof(
  fc.string({ maxLength: 60 }).map((text) => text.replaceAll('\n', ' ')),
  fc.constantFrom(
    ...DEBIAN.split('\n'),
    ...RHEL.split('\n'),
    '/dev/sda1 /',
    '  /dev/sda1   /  ext4',
    '\t# /dev/sda1 / ext4',
  ),
);

test('whatever the file: planning again changes nothing, and only lines that name hardware change', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const text = lines.join('\n');
      const plan = planFstab(text, resolve);
      expect(planFstab(plan.text, resolve).text).toBe(plan.text);
      const after = plan.text.split('\n');
      expect(after).toHaveLength(text.split('\n').length);
      for (const [index, before] of text.split('\n').entries()) {
        if (!/^\s*\/dev\//.test(before)) expect(after[index]).toBe(before);
      }
    }),
  );
});

test('100,000 lines are planned in one pass', () => {
  const text = '/dev/sda5 none swap sw 0 0\n'.repeat(100_000);
  expect(planFstab(text, resolve).edits).toHaveLength(100_000);
});
