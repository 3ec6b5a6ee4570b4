import { expect, it } from 'vitest';
import { trimTargets } from '../src/steps/trim/step.js';

const at = (path: string, device: string) => ({ path, device, mountable: device });

it('each file system once; no ESP, none on LUKS', () => {
  const targets = trimTargets({
    mountpoints: [
      at('/', '/dev/sda3'),
      at('/home', '/dev/sda3'),
      at('/boot', '/dev/sda2'),
      at('/boot/efi', '/dev/sda1'),
      at('/secret', '/dev/mapper/luks-1'),
    ],
    fileSystems: [
      { device: '/dev/sda1', type: 'vfat' },
      { device: '/dev/sda2', type: 'ext4' },
      { device: '/dev/sda3', type: 'btrfs' },
      { device: '/dev/mapper/luks-1', type: 'ext4' },
    ],
    luks: [{ device: '/dev/sda4', uuid: 'u', mapped: '/dev/mapper/luks-1' }],
  });
  expect(targets.map(({ path }) => path)).toEqual(['/', '/boot']);
});
