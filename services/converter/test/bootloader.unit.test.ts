import { expect, test } from 'vitest';
import { hardwareParameters, planCommandLine, planGrubDefaults } from '../src/steps/bootloader/index.js';
import { deviceResolver } from '../src/steps/devices.js';
import { bootEntries, compareVersions, kernelVersion } from '../src/steps/kernels.js';
import { GRUB_CFG, GRUB_DEFAULTS } from './fixtures/grub.js';

const resolve = deviceResolver({
  diskCount: 1,
  mountpoints: [{ path: '/', device: '/dev/sda1' }],
  fileSystems: [
    { device: '/dev/sda1', type: 'ext4', uuid: 'aaaa-root' },
    { device: '/dev/sda5', type: 'swap', uuid: 'bbbb-swap' },
  ],
});

test('/etc/default/grub: root and resume by UUID, the switch that undoes it off, the rest byte for byte', () => {
  const plan = planGrubDefaults(GRUB_DEFAULTS, resolve);
  expect(plan.text).toBe(
    GRUB_DEFAULTS.replace('resume=/dev/sda5"', 'resume=UUID=bbbb-swap"')
      .replace('"root=/dev/sda1 ', '"root=UUID=aaaa-root ')
      .replace('\nGRUB_DISABLE_LINUX_UUID=true', '\nGRUB_DISABLE_LINUX_UUID=false'),
  );
  expect(planGrubDefaults(plan.text, resolve)).toMatchObject({ text: plan.text, edits: [] });
});

test('what names no hardware, or nothing that is there, stays', () => {
  const text = 'quiet root=/dev/mapper/vg-root resume=/dev/sdz9 nfsroot=/dev/sda1 init=/dev/sda1';
  expect(planCommandLine(text, resolve)).toEqual({ text, edits: [], unresolved: ['resume=/dev/sdz9'] });
});

test('entries of grub.cfg: kernels, initramfs behind microcode, parameters that name hardware', () => {
  const entries = bootEntries(GRUB_CFG);
  expect(entries.map(({ kernel, initrd }) => [kernelVersion(kernel), initrd])).toEqual([
    ['6.1.0-28-amd64', '/boot/initrd.img-6.1.0-28-amd64'],
    ['6.1.0-9-amd64', '/boot/initrd.img-6.1.0-9-amd64'],
  ]);
  expect(hardwareParameters(GRUB_CFG)).toEqual(['root=/dev/sda1', 'resume=/dev/sda5']);
  expect(hardwareParameters(planCommandLine(GRUB_CFG, resolve).text)).toEqual([]);
});

test('kernels are compared as versions', () => {
  const sorted = ['6.1.0-28-amd64', '5.10.0-30-amd64', '6.1.0-9-amd64', '6.10.2', '6.1~rc3', '6.1'];
  expect(sorted.toSorted(compareVersions)).toEqual([
    '5.10.0-30-amd64',
    '6.1~rc3',
    '6.1',
    '6.1.0-9-amd64',
    '6.1.0-28-amd64',
    '6.10.2',
  ]);
});
