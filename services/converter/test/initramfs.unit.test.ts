import { describe, expect, test } from 'vitest';
import type { BootEntry } from '../src/steps/bootloader/index.js';
import { missingFolders, planAddition, readDependencies } from '../src/steps/initramfs/addition.js';
import { BACKENDS, backendFor, dracut, initramfsTools } from '../src/steps/initramfs/backends/index.js';
import { lostForRoot, neededModules, wantedDrivers } from '../src/steps/initramfs/index.js';
import { bootableKernels } from '../src/steps/initramfs/kernels.js';

/** Lines as Debian 12's files and lsinitramfs have them. */
const MODULES = ['virtio_pci', 'virtio_scsi', 'virtio_blk'].map((name) => `kernel/drivers/x/${name}.ko`);

describe('what an initramfs lacks', () => {
  test('missing is what is neither built in nor listed; a module that the kernel lacks cannot be added', () => {
    expect(
      neededModules({
        builtin: ['kernel/drivers/virtio/virtio.ko', 'kernel/drivers/block/virtio_blk.ko'],
        modules: ['kernel/drivers/virtio/virtio_pci.ko', 'kernel/drivers/scsi/virtio_scsi.ko.xz'],
        listing: ['usr/lib/modules/6.1.0-28-amd64/kernel/drivers/virtio/virtio_pci.ko', 'usr/bin/virtio_scsi'],
      }),
    ).toEqual({ missing: ['virtio_scsi'], unavailable: ['virtio_net'] });
  });

  test('compressed modules, links of usr-merge and dashes count', () => {
    expect(
      neededModules({
        builtin: ['kernel/drivers/net/virtio_net.ko'],
        modules: MODULES,
        listing: [
          'lib/modules/6.8/kernel/drivers/virtio/virtio-pci.ko.zst',
          'x/virtio_blk.ko.xz',
          'x/virtio_scsi.ko.gz',
        ],
      }),
    ).toEqual({ missing: [], unavailable: [] });
  });

  test('a name that only contains a driver is not the driver', () => {
    const needs = neededModules({
      builtin: [],
      modules: MODULES,
      listing: ['x/virtio_pci_modern_dev.ko', 'x/virtio_blk.ko.sig'],
    });
    expect(needs.missing).toEqual(['virtio_pci', 'virtio_blk', 'virtio_scsi']);
  });

  test('many disks are on virtio-scsi: then that, and the driver of SCSI disks, must be there', () => {
    expect(wantedDrivers(8).required).toEqual(['virtio_pci', 'virtio_blk']);
    expect(wantedDrivers(9).required).toEqual(['virtio_pci', 'virtio_scsi', 'sd_mod']);
    expect(wantedDrivers(9).all).toContain('sd_mod');
  });
});

describe('what a root stands on must not get lost', () => {
  const before = ['usr/sbin/lvm', 'x/dm-mod.ko', 'x/dm-crypt.ko.xz', 'x/xfs.ko', 'x/mptspi.ko', 'etc/lvm/lvm.conf'];

  test.each([
    [['LVM2_member', 'xfs'], [], ['lvm', 'dm_mod', 'xfs']],
    [['crypto_LUKS'], [], ['dm_mod', 'dm_crypt']],
    [['LVM2_member'], ['kernel/drivers/md/dm-mod.ko'], ['lvm']],
    [['ext4', 'swap'], [], []],
  ])('%j', (types, builtin, lost) => {
    const found = lostForRoot(before, ['etc/lvm', 'x/virtio_blk.ko'], builtin, types);
    expect(found.toSorted()).toEqual(lost.toSorted());
    expect(lostForRoot(before, before, [], types)).toEqual([]);
  });
});

/** As modules.dep has it. */
const DEPENDENCIES = readDependencies(
  [
    'kernel/drivers/virtio/virtio.ko:',
    'kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko',
    'kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
    'kernel/drivers/message/fusion/mptspi.ko: kernel/drivers/scsi/scsi_mod.ko',
    'kernel/drivers/scsi/scsi_mod.ko:',
    '',
  ].join('\n'),
);

describe('adding drivers to an image', () => {
  const image = ['usr', 'usr/lib/modules/6.1/kernel/drivers/scsi/scsi_mod.ko', 'usr/lib/modules/6.1/modules.dep'];

  test('takes what the drivers depend on, and nothing that is there', () => {
    expect(planAddition('6.1', image, DEPENDENCIES, ['virtio_blk'])).toEqual({
      folder: 'usr/lib/modules/6.1',
      present: ['kernel/drivers/scsi/scsi_mod.ko'],
      added: [
        'kernel/drivers/virtio/virtio_ring.ko',
        'kernel/drivers/virtio/virtio.ko',
        'kernel/drivers/block/virtio_blk.ko',
      ],
    });
    const later = [...image, 'usr/lib/modules/6.1/kernel/drivers/virtio/virtio.ko'];
    expect(planAddition('6.1', later, DEPENDENCIES, ['virtio_blk'])).toMatchObject({
      added: ['kernel/drivers/virtio/virtio_ring.ko', 'kernel/drivers/block/virtio_blk.ko'],
    });
  });

  test.each([
    ['has no modules', ['init'], DEPENDENCIES],
    ['is of another kernel', ['lib/modules/6.2/kernel/drivers/scsi/scsi_mod.ko'], DEPENDENCIES],
    ['has them in two places', [...image, 'lib/modules/6.1/modules.dep'], DEPENDENCIES],
    ['has a module that the guest has no more', [...image, 'usr/lib/modules/6.1/extra/old.ko'], DEPENDENCIES],
    ['has them packed in another way', ['lib/modules/6.1/kernel/drivers/scsi/scsi_mod.ko.zst'], DEPENDENCIES],
    [
      'has a name that no command can be given',
      ['lib/modules/6.1/kernel/$(reboot).ko'],
      new Map([...DEPENDENCIES, ['kernel/$(reboot).ko', []]]),
    ],
    ['has a name that leads out', ['lib/modules/6.1/../a.ko'], new Map([...DEPENDENCIES, ['../a.ko', []]])],
  ])('is not done where the image %s', (_, paths, dependencies) => {
    expect(planAddition('6.1', paths, dependencies, ['virtio_blk'])).toEqual(expect.any(String));
  });

  test('folders that the image lacks come before their files, which the kernel would not unpack otherwise', () => {
    expect(missingFolders(['usr/lib/m/a/b.ko', 'usr/lib/m/a/c.ko'], ['usr', 'usr/lib'])).toEqual([
      'usr/lib/m',
      'usr/lib/m/a',
    ]);
  });
});

describe('whose image it is', () => {
  test.each([
    ['update-initramfs', ['scripts/functions', 'conf/initramfs.conf', 'usr/lib/modules/6.1/modules.dep']],
    ['dracut', ['usr/lib/dracut/modules.txt', 'usr/lib/systemd/systemd']],
    ['mkinitcpio', ['buildconfig', 'init', 'hooks/udev']],
    ['mkinitfs', ['init', 'sbin/nlplug-findfs']],
  ])('%s', (name, paths) => {
    expect(backendFor(paths, BACKENDS)?.name).toBe(name);
  });

  test('an unknown one goes to the tool that is installed', () => {
    expect(backendFor(['init'], [dracut])).toBe(dracut);
    expect(backendFor(['init'], [])).toBeUndefined();
  });

  test('with dracut in use, update-initramfs beside it is not', () => {
    expect(backendFor(['usr/lib/dracut/modules.txt'], [initramfsTools, dracut])).toBe(dracut);
  });
});

const entry = (kernel: string, kernelVersion?: string, more: Partial<BootEntry> = {}): BootEntry => ({
  loader: 'bls',
  file: '/boot/loader/entries/x.conf',
  kernel,
  commandLine: '',
  isDefault: false,
  ...(kernelVersion === undefined ? {} : { kernelVersion }),
  ...more,
});
const guest = (there: readonly string[]): Parameters<typeof bootableKernels>[0] => ({
  isDir: async (name) => there.includes(name),
  isFile: async (name) => there.includes(name),
});

describe('kernels that may start', () => {
  test('each once, newest first by its version; rescue systems and kernels that are gone are told', async () => {
    const found = await bootableKernels(
      guest(['/lib/modules/6.1.0-9', '/lib/modules/6.1.0-28', '/boot/initramfs-6.1.0-9.img', '/boot/odd.img']),
      [
        entry('/boot/vmlinuz-6.1.0-9', '6.1.0-9'),
        entry('/boot/vmlinuz-6.1.0-28', '6.1.0-28', { initrd: '/boot/odd.img' }),
        entry('/boot/vmlinuz-6.1.0-9', '6.1.0-9', { isDefault: true }),
        entry('/boot/vmlinuz-5.10', '5.10'),
        entry('/boot/vmlinuz-0-rescue-1f2e', '0-rescue-1f2e'),
        entry('/boot/memtest'),
      ],
      [dracut],
    );
    expect(found.kernels).toEqual([
      { version: '6.1.0-28', image: '/boot/odd.img', isDefault: false },
      { version: '6.1.0-9', image: '/boot/initramfs-6.1.0-9.img', isDefault: true },
    ]);
    expect(found.skipped.map(({ entry: each, why }) => `${each.kernel} ${why}`)).toEqual([
      '/boot/vmlinuz-5.10 has no modules in the guest',
      '/boot/vmlinuz-0-rescue-1f2e is the rescue system, which was left as it is',
      '/boot/memtest has no version that could be found',
    ]);
  });
});
