import { describe, expect, test } from 'vitest';
import { bootloaderStep } from '../src/steps/bootloader/index.js';
import { checkStep } from '../src/steps/check/index.js';
import { volumesOf } from '../src/steps/check/boot.js';
import { BootGuest, empty, facts, fixture, kernels, run } from './boot-guest.js';

const DEBIAN = {
  ...fixture('debian12-bios'),
  ...kernels(['6.1.0-28-amd64', '6.1.0-9-amd64']),
  '/etc/fstab': 'UUID=aaaa-root / ext4 defaults 0 1\n',
};
const DEBIAN_FACTS = facts(
  '/=/dev/sda1:ext4:aaaa-root',
  'swap=/dev/sda5:swap:bbbb-swap',
  'data=/dev/sdb1:ext4:dddd-other',
);

describe('the boot loader of', () => {
  test('Debian: entries, their sources, device.map and where grub-pc installs; the check holds; no second change', async () => {
    const guest = new BootGuest(DEBIAN);
    const input = { guest, facts: DEBIAN_FACTS, kernels: ['6.1.0-28-amd64', '6.1.0-9-amd64'] };
    const { changed, concerns, state } = await run([bootloaderStep, checkStep], input);
    expect(Object.keys(changed).toSorted()).toEqual([
      '/boot/grub/device.map',
      '/boot/grub/grub.cfg',
      '/etc/default/grub',
      '/var/cache/debconf/config.dat',
    ]);
    expect(changed['/boot/grub/device.map']).toBeUndefined();
    expect(changed['/boot/grub/grub.cfg']).toContain('root=UUID=aaaa-root ro  quiet resume=UUID=bbbb-swap');
    expect(concerns).toEqual([expect.stringMatching(/^BOOTLOADER_INSTALL_DEVICE /)]);
    expect(state.changes.find(({ file }) => file === '/boot/grub/grub.cfg')?.diff).toContain('+\tlinux\t/boot/vmlinuz');
    expect(await run([bootloaderStep, checkStep], input)).toMatchObject({ changed: {}, concerns: [] });
  });

  test('RHEL 8: grubenv and the fallback in grub.cfg', async () => {
    const guest = new BootGuest({
      ...fixture('rhel8'),
      ...kernels(['4.18.0-553.el8_10.x86_64'], (version) => `initramfs-${version}.img`),
    });
    const rhel = facts('/=/dev/sda3:xfs:aaaa-root', 'swap=/dev/sda2:swap:bbbb-swap');
    const input = { guest, facts: rhel, kernels: ['4.18.0-553.el8_10.x86_64'] };
    const { changed } = await run([bootloaderStep, checkStep], input);
    expect(Object.keys(changed)).toEqual(['/boot/grub2/grub.cfg', '/boot/grub2/grubenv']);
    expect(changed['/boot/grub2/grubenv']).toHaveLength(1024);
  });

  test('SLES: what is by-id, and a concern about where it is installed', async () => {
    const guest = new BootGuest(fixture('sles15'));
    const sles = facts('/=/dev/sda2:btrfs:5e6f7081-92a3-44b5-86c7-d8e9fa0b1c2d', 'swap=/dev/sda3:swap:bbbb-swap');
    const { changed, concerns } = await run([bootloaderStep], { guest, facts: sles });
    expect(Object.keys(changed)).toEqual(['/boot/grub2/grub.cfg', '/etc/sysconfig/bootloader']);
    expect(concerns).toEqual([
      expect.stringMatching(/^BOOTLOADER_INSTALL_DEVICE .*grub_installdevice says \/dev\/disk/),
    ]);
  });

  test.each([
    ['alpine', facts('/=/dev/sda3:ext4:aaaa'), ['/boot/extlinux.conf', '/etc/update-extlinux.conf']],
    [
      'arch',
      facts('/=/dev/sda2:ext4:aaaa', '/boot=/dev/sda1:vfat:ABCD-1234'),
      ['/boot/loader/entries/arch-lts.conf', '/boot/loader/entries/arch.conf'],
    ],
    [
      'centos6',
      facts('/=/dev/sda3:ext4:aaaa', '/boot=/dev/sda1:ext4:bbbb'),
      ['/boot/grub/device.map', '/boot/grub/grub.conf', '/boot/grub/menu.lst'],
    ],
  ])('%s', async (name, about, expected) => {
    const guest = new BootGuest(fixture(name));
    const { changed } = await run([bootloaderStep], { guest, facts: about });
    expect(Object.keys(changed).toSorted()).toEqual(expected);
    expect((await run([bootloaderStep], { guest, facts: about })).changed).toEqual({});
  });

  test('a guest that is not to be fixed: nothing is changed, and said what will not work', async () => {
    const guest = new BootGuest(DEBIAN);
    const { changed, concerns } = await run([bootloaderStep], {
      guest,
      facts: DEBIAN_FACTS,
      options: { fix_grub: false },
    });
    expect(changed).toEqual({});
    expect(concerns).toEqual([
      expect.stringMatching(/grub\.cfg says root=\/dev\/sda1, resume=\/dev\/sda5, root=\/dev\/sdb1/),
    ]);
  });

  test('unified kernels, and none at all, are a concern', async () => {
    const unified = new BootGuest(empty('/efi/EFI/Linux/arch.efi'));
    expect((await run([bootloaderStep], { guest: unified, facts: {} })).concerns).toEqual([
      expect.stringContaining('/efi/EFI/Linux/arch.efi'),
    ]);
    expect((await run([bootloaderStep], { guest: new BootGuest({}), facts: {} })).concerns).toEqual([
      expect.stringContaining('no entries of a known boot loader'),
    ]);
  });
});

const good = async (): Promise<BootGuest> => {
  const guest = new BootGuest(DEBIAN);
  await run([bootloaderStep], { guest, facts: DEBIAN_FACTS });
  return guest;
};
const edited = (guest: BootGuest, file: string, from: string, to: string): void =>
  void guest.files.set(file, (guest.files.get(file) ?? '').replaceAll(from, to));

describe('the check finds', () => {
  const versions = ['6.1.0-28-amd64', '6.1.0-9-amd64'];
  test.each([
    ['a root that is not there', 'root=UUID=aaaa-root', 'root=UUID=gone', /root=UUID=gone, which no file system/],
    ['a name of hardware', 'root=UUID=aaaa-root', 'root=/dev/sda1', /still says root=\/dev\/sda1/],
    ['a kernel without entry', '6.1.0-9-amd64', '6.1.0-8-amd64', /no boot entry starts the kernel 6\.1\.0-9-amd64/],
    [
      'a missing initramfs',
      'initrd.img-6.1.0-28',
      'initrd.img-6.1.0-27',
      /names \/boot\/initrd\.img-6\.1\.0-27-amd64, which is missing/,
    ],
  ])('%s', async (_name, from, to, message) => {
    const guest = await good();
    const input = { guest, facts: DEBIAN_FACTS, kernels: versions };
    await run([checkStep], input);
    edited(guest, '/boot/grub/grub.cfg', from, to);
    await expect(run([checkStep], input)).rejects.toMatchObject({
      code: 'CONVERSION_STEP',
      message: expect.stringMatching(message),
    });
  });

  test('a root in fstab that is not there', async () => {
    const guest = await good();
    edited(guest, '/etc/fstab', 'aaaa', 'gone');
    await expect(run([checkStep], { guest, facts: DEBIAN_FACTS, kernels: versions })).rejects.toThrow(
      /wants \/ on UUID=gone/,
    );
  });

  test('an UEFI machine without fallback path', async () => {
    const guest = await good();
    guest.files.set('/boot/efi/EFI/debian/grubx64.efi', 'grub rescue>');
    const mounted = facts(
      '/=/dev/sda1:ext4:aaaa-root',
      'swap=/dev/sda5:swap:bbbb-swap',
      'data=/dev/sdb1:ext4:dddd-other',
      '/boot/efi=/dev/sda2:vfat:ABCD-1234',
    );
    const input = { guest, facts: mounted, kernels: versions, machine: { firmware: 'efi' } as const };
    await expect(run([checkStep], input)).rejects.toThrow(/BOOTX64\.EFI is missing/);
    await run([bootloaderStep, checkStep], input);
  });
});

test('volumes that the initramfs waits for', () => {
  const guest = {
    fileSystems: [
      { device: '/dev/rl/root', type: 'xfs' },
      { device: '/dev/sda3', type: 'crypto_LUKS', uuid: '01234567-89ab-4cde-8f01-23456789abcd' },
    ],
    luks: [],
  };
  const line = 'ro rd.lvm.lv=rl/root rd.lvm.lv=rl/swap rd.luks.uuid=luks-01234567-89ab rd.luks.uuid=luks-ffffffff-89ab';
  expect(volumesOf(line, guest).map(({ parameter, present }) => [parameter, present])).toEqual([
    ['rd.lvm.lv=rl/root', true],
    ['rd.lvm.lv=rl/swap', false],
    ['rd.luks.uuid=luks-01234567-89ab', true],
    ['rd.luks.uuid=luks-ffffffff-89ab', false],
  ]);
});
