import { describe, expect, test } from 'vitest';
import { readBootEntries, type BootEntry } from '../src/steps/bootloader/index.js';
import { candidates } from '../src/steps/bootloader/locate.js';
import { BootGuest, empty, facts, fixture, kernels } from './boot-guest.js';

const kept = ({ loader, kernel, initrd, kernelVersion, isDefault }: BootEntry): unknown[] => [
  loader,
  kernel,
  initrd,
  kernelVersion,
  isDefault,
];

describe('boot entries of', () => {
  test('Debian 12: menu and submenu, the initramfs behind the microcode, the first is the default', async () => {
    const files = { ...fixture('debian12-bios'), ...kernels(['6.1.0-28-amd64', '6.1.0-9-amd64']) };
    const entries = await readBootEntries(new BootGuest(files), facts('/=/dev/sda1:ext4:aaaa'));
    expect(entries.map(kept)).toEqual([
      ['grub2', '/boot/vmlinuz-6.1.0-28-amd64', '/boot/initrd.img-6.1.0-28-amd64', '6.1.0-28-amd64', true],
      ['grub2', '/boot/vmlinuz-6.1.0-28-amd64', '/boot/initrd.img-6.1.0-28-amd64', '6.1.0-28-amd64', false],
      ['grub2', '/boot/vmlinuz-6.1.0-9-amd64', '/boot/initrd.img-6.1.0-9-amd64', '6.1.0-9-amd64', false],
      ['grub2', '/boot/vmlinuz-4.19.0-27-amd64', '/boot/initrd.img-4.19.0-27-amd64', '4.19.0-27-amd64', false],
    ]);
    expect(entries[0]).toMatchObject({
      file: '/boot/grub/grub.cfg',
      title: 'Debian GNU/Linux',
      commandLine: 'root=/dev/sda1 ro  quiet resume=/dev/sda5',
    });
  });

  test('Ubuntu with /boot of its own: paths are the guest’s, variables are put in, 1>2 is in the submenu', async () => {
    const files = { ...fixture('ubuntu2204'), ...kernels(['5.15.0-126-generic', '5.15.0-94-generic']) };
    const guest = facts('/=/dev/ubuntu-vg/ubuntu-lv:ext4:aaaa', '/boot=/dev/sda2:ext4:bbbb');
    const entries = await readBootEntries(new BootGuest(files), guest);
    expect(entries.map(({ kernel, isDefault }) => [kernel, isDefault])).toEqual([
      ['/boot/vmlinuz-5.15.0-126-generic', false],
      ['/boot/vmlinuz-5.15.0-126-generic', false],
      ['/boot/vmlinuz-5.15.0-126-generic', false],
      ['/boot/vmlinuz-5.15.0-94-generic', true],
    ]);
    expect(entries[0]?.commandLine).toMatch(/quiet splash vt\.handoff=7$/);
  });

  test('Rocky 9: BLS newest first, the saved entry is the default, tuned’s parameters are put in', async () => {
    const versions = ['5.14.0-503.15.1.el9_5.x86_64', '5.14.0-70.13.1.el9_0.x86_64'];
    const files = { ...fixture('rocky9'), ...kernels(versions, (version) => `initramfs-${version}.img`) };
    const guest = facts('/=/dev/rl/root:xfs:aaaa', '/boot=/dev/sda1:xfs:bbbb');
    const entries = await readBootEntries(new BootGuest(files), guest);
    expect(entries.map(({ loader, kernelVersion, isDefault }) => [loader, kernelVersion, isDefault])).toEqual([
      ['bls', versions[0], false],
      ['bls', versions[1], true],
      ['bls', '0-rescue-6f5e4d3c2b1a40598877665544332211', false],
    ]);
    expect(entries[0]).toMatchObject({
      kernel: `/boot/vmlinuz-${versions[0]}`,
      initrd: `/boot/initramfs-${versions[0]}.img`,
    });
    expect(entries[0]?.commandLine).toMatch(/quiet transparent_hugepage=never skew_tick=1$/);
  });

  test('RHEL 8: the arguments are in grubenv', async () => {
    const entries = await readBootEntries(new BootGuest(fixture('rhel8')), facts('/=/dev/sda3:xfs:aaaa'));
    expect(entries.map(({ commandLine }) => commandLine)).toEqual([
      'root=/dev/sda3 ro crashkernel=auto resume=/dev/sda2 rhgb quiet',
    ]);
  });

  test('RHEL 7: linux16, the default by its title', async () => {
    const guest = facts('/=/dev/rhel/root:xfs:aaaa', '/boot=/dev/sda1:xfs:bbbb');
    const entries = await readBootEntries(new BootGuest(fixture('rhel7')), guest);
    expect(entries.map(({ kernel, isDefault }) => [kernel, isDefault])).toEqual([
      ['/boot/vmlinuz-3.10.0-1160.119.1.el7.x86_64', false],
      ['/boot/vmlinuz-3.10.0-1160.el7.x86_64', true],
    ]);
  });

  test('SLES 15 on btrfs', async () => {
    const guest = facts('/=/dev/sda2:btrfs:aaaa');
    const entries = await readBootEntries(new BootGuest(fixture('sles15')), guest);
    expect(entries.map(({ kernelVersion, initrd }) => [kernelVersion, initrd])).toEqual([
      ['6.4.0-150600.23.25-default', '/boot/initrd-6.4.0-150600.23.25-default'],
      ['6.4.0-150600.21-default', '/boot/initrd-6.4.0-150600.21-default'],
    ]);
  });

  test('Alpine: relative paths, the flavour tells the version', async () => {
    const files = {
      ...fixture('alpine'),
      ...empty('/boot/vmlinuz-lts', '/boot/initramfs-lts', '/boot/vmlinuz-virt', '/boot/initramfs-virt'),
      ...empty('/lib/modules/6.6.58-0-lts/modules.dep', '/lib/modules/6.6.58-0-virt/modules.dep'),
    };
    const entries = await readBootEntries(new BootGuest(files), facts('/=/dev/sda3:ext4:aaaa'));
    expect(entries.map(kept)).toEqual([
      ['extlinux', '/boot/vmlinuz-virt', '/boot/initramfs-virt', '6.6.58-0-virt', false],
      ['extlinux', '/boot/vmlinuz-lts', '/boot/initramfs-lts', '6.6.58-0-lts', true],
    ]);
    expect(entries[0]?.commandLine).toMatch(/^root=\/dev\/sda3 modules=/);
  });

  test('Arch with systemd-boot, the ESP on /boot: several options lines, the default of loader.conf', async () => {
    const files = {
      ...fixture('arch'),
      ...empty('/boot/vmlinuz-linux', '/boot/vmlinuz-linux-lts', '/boot/EFI/systemd/systemd-bootx64.efi'),
      ...empty('/boot/initramfs-linux.img', '/boot/initramfs-linux-lts.img', '/boot/intel-ucode.img'),
    };
    const guest = facts('/=/dev/sda2:ext4:aaaa', '/boot=/dev/sda1:vfat:ABCD-1234');
    const entries = await readBootEntries(new BootGuest(files), guest);
    expect(entries.map(({ kernel, initrd, isDefault }) => [kernel, initrd, isDefault])).toEqual([
      ['/boot/vmlinuz-linux', '/boot/initramfs-linux.img', false],
      ['/boot/vmlinuz-linux-lts', '/boot/initramfs-linux-lts.img', true],
    ]);
    expect(entries[1]?.commandLine).toBe('root=/dev/sda2 rw rootfstype=ext4');
  });

  test('CentOS 6: GRUB legacy, once though menu.lst says the same', async () => {
    const guest = facts('/=/dev/sda3:ext4:aaaa', '/boot=/dev/sda1:ext4:bbbb');
    const entries = await readBootEntries(new BootGuest(fixture('centos6')), guest);
    expect(entries.map(kept)).toEqual([
      [
        'grub-legacy',
        '/boot/vmlinuz-2.6.32-754.35.1.el6.x86_64',
        '/boot/initramfs-2.6.32-754.35.1.el6.x86_64.img',
        '2.6.32-754.35.1.el6.x86_64',
        false,
      ],
      [
        'grub-legacy',
        '/boot/vmlinuz-2.6.32-754.el6.x86_64',
        '/boot/initramfs-2.6.32-754.el6.x86_64.img',
        '2.6.32-754.el6.x86_64',
        true,
      ],
    ]);
  });

  test('a guest with a stub on the ESP: only what it leads to', async () => {
    const guest = facts('/=/dev/sda2:ext4:aaaa', '/boot/efi=/dev/sda1:vfat:ABCD-1234');
    const entries = await readBootEntries(new BootGuest(fixture('debian12-uefi')), guest);
    expect(entries.map(({ file }) => file)).toEqual(['/boot/grub/grub.cfg']);
  });

  test('a guest without any boot loader', async () => {
    expect(await readBootEntries(new BootGuest({}), facts('/=/dev/sda1:ext4:aaaa'))).toEqual([]);
  });
});

describe('paths of a boot loader', () => {
  const btrfs = {
    mountpoints: [
      { path: '/', device: '/dev/sda2', mountable: 'btrfsvol:/dev/sda2/@/.snapshots/1/snapshot' },
      { path: '/boot/grub2', device: '/dev/sda2', mountable: 'btrfsvol:/dev/sda2/@/boot/grub2' },
    ],
  };
  test.each([
    ['/@/.snapshots/1/snapshot/boot/vmlinuz-6', '/boot/vmlinuz-6'],
    ['/@/boot/grub2/x', '/boot/grub2/x'],
    ['(hd0,gpt2)/boot/vmlinuz-6', '/boot/vmlinuz-6'],
    ['/../../etc/shadow', '/etc/shadow'],
  ])('%s is %s', (seen, found) => {
    expect(candidates(seen, btrfs)[0]).toBe(found);
  });

  test('a subvolume whose name only begins alike is another', () => {
    const guest = { mountpoints: [{ path: '/', device: '/dev/sda2', mountable: 'btrfsvol:/dev/sda2/@' }] };
    expect(candidates('/@home/boot/vmlinuz', guest)).not.toContain('/home/boot/vmlinuz');
    expect(candidates('/@/boot/vmlinuz', guest)[0]).toBe('/boot/vmlinuz');
  });

  test('where /boot is a file system of its own it comes first', () => {
    const guest = { mountpoints: [{ path: '/boot', device: '/dev/sda1', mountable: '/dev/sda1' }] };
    expect(candidates('/vmlinuz-6', guest)).toEqual(['/boot/vmlinuz-6', '/vmlinuz-6']);
  });
});
