/** The boot loader of a guest with an ESP, a /boot and BLS entries, in a real appliance: links, FAT, what is unmounted. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Machine } from '@hyper2kvm/contracts';
import { accelerator, Appliance, bootloaderStep, checkStep, runSteps, type GuestFacts } from '@hyper2kvm/converter';
import { afterAll, beforeAll, expect, it } from 'vitest';

const LIMIT_MS = 900_000;
const KERNEL = '4.18.0-553.el8_10.x86_64';
const GRUBENV = '# GRUB Environment Block\nkernelopts=root=/dev/sda3 ro resume=/dev/sda4 quiet \n'.padEnd(1024, '#');
const { signal } = new AbortController();

let folder: string;
let appliance: Appliance;
let guest: GuestFacts;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-bootloader-'));
  const file = path.join(folder, 'disk.raw');
  const disk = await open(file, 'wx');
  await disk.truncate(256 * 1024 * 1024);
  await disk.close();
  appliance = await Appliance.start({
    disks: [{ file, format: 'raw' }],
    folder: path.join(folder, 'appliance'),
    cacheDir: '/var/tmp',
    accelerator: await accelerator(),
    signal,
  });
  await appliance.call(['part-init', '/dev/sda', 'gpt']);
  const types = ['vfat', 'ext4', 'ext4', 'swap'];
  const fileSystems: { device: string; type: string; uuid: string }[] = [];
  for (const [index, type] of types.entries()) {
    const first = 2048 + index * 122_880;
    await appliance.call(['part-add', '/dev/sda', 'p', String(first), String(first + 122_879)]);
    const device = `/dev/sda${index + 1}`;
    await appliance.call(type === 'swap' ? ['mkswap', device] : ['mkfs', type, device]);
    fileSystems.push({ device, type, uuid: (await appliance.call(['vfs-uuid', device])).trim() });
  }
  const mountpoints = ['/', '/boot', '/boot/efi'].map((at, index) => {
    const device = `/dev/sda${3 - index}`;
    return { path: at, device, mountable: device };
  });
  for (const { path: at, device } of mountpoints) {
    if (at !== '/') await appliance.call(['mkdir-p', at]);
    await appliance.call(['mount-options', '', device, at]);
  }
  for (const each of [
    '/mnt',
    '/boot/grub2',
    '/boot/loader/entries',
    '/boot/efi/EFI/redhat',
    `/lib/modules/${KERNEL}`,
  ]) {
    await appliance.call(['mkdir-p', each]);
  }
  const entry = `title RHEL\nversion ${KERNEL}\nlinux /vmlinuz-${KERNEL}\ninitrd /initramfs-${KERNEL}.img\noptions $kernelopts\n`;
  const files: Readonly<Record<string, string>> = {
    '/boot/efi/EFI/redhat/grub.cfg': 'insmod blscfg\nblscfg\n',
    '/boot/efi/EFI/redhat/grubenv': GRUBENV,
    '/boot/efi/EFI/redhat/shimx64.efi': 'UEFI SHIM',
    '/boot/efi/EFI/redhat/grubx64.efi': 'grub rescue>',
    [`/boot/loader/entries/0123-${KERNEL}.conf`]: entry,
    [`/boot/vmlinuz-${KERNEL}`]: 'kernel',
    [`/boot/initramfs-${KERNEL}.img`]: 'initramfs',
  };
  for (const [each, text] of Object.entries(files)) await appliance.writeText(each, text);
  await appliance.call(['ln-s', '../efi/EFI/redhat/grubenv', '/boot/grub2/grubenv']);
  guest = {
    root: '/dev/sda3',
    type: 'linux',
    distro: 'rhel',
    product: 'Red Hat Enterprise Linux 8.10',
    version: { major: 8, minor: 10 },
    arch: 'x86_64',
    packageFormat: 'rpm',
    mountpoints,
    fileSystems,
    diskCount: 1,
    systemd: 239,
    init: 'systemd',
    luks: [],
  };
}, LIMIT_MS);

afterAll(async () => {
  await appliance.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the two steps. */
const run = async (facts: GuestFacts) =>
  runSteps([bootloaderStep, checkStep], {
    appliance,
    guest: facts,
    machine: { firmware: 'efi', secure_boot: true } as Machine,
    generatedMacs: [],
    options: { fix_fstab: true, fix_grub: true } as Parameters<typeof runSteps>[1]['options'],
    folder,
    dryRun: false,
    work: { log: () => undefined, signal },
    reporter: { step: async (_name, work) => work(() => undefined) },
  });

it(
  'edits the environment block behind its link and makes the fallback path on FAT, once',
  async () => {
    const { changes, concerns } = await run(guest);
    expect(concerns).toEqual([]);
    expect(changes.map(({ file }) => file)).toEqual([
      '/boot/efi/EFI/redhat/grubenv',
      '/boot/efi/EFI/BOOT/grubx64.efi',
      '/boot/efi/EFI/BOOT/BOOTX64.EFI',
    ]);
    const [, , root, swap] = guest.fileSystems;
    expect(await appliance.readText('/boot/grub2/grubenv')).toBe(
      `# GRUB Environment Block\nkernelopts=root=UUID=${root?.uuid} ro resume=UUID=${swap?.uuid} quiet \n`.padEnd(
        1024,
        '#',
      ),
    );
    expect(await appliance.readText('/boot/efi/efi/boot/bootx64.efi')).toBe('UEFI SHIM');
    expect((await run(guest)).changes).toEqual([]);
  },
  LIMIT_MS,
);

it(
  'mounts an ESP that the guest does not name, for as long as it needs it',
  async () => {
    await appliance.call(['rm', '/boot/efi/EFI/BOOT/BOOTX64.EFI']);
    await appliance.call(['umount', '/boot/efi']);
    const { changes } = await run({ ...guest, mountpoints: guest.mountpoints.slice(0, 2) });
    expect(changes.map(({ file }) => file)).toContain('/mnt/EFI/BOOT/BOOTX64.EFI');
    expect(await appliance.list('/mnt')).toEqual([]);
  },
  LIMIT_MS,
);
