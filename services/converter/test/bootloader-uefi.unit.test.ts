import { describe, expect, test } from 'vitest';
import { bootloaderStep } from '../src/steps/bootloader/index.js';
import { classify, csvPrograms } from '../src/steps/bootloader/uefi/classify.js';
import { planFallback, type EspFacts, type Vendor } from '../src/steps/bootloader/uefi/plan.js';
import { BootGuest, facts, fixture, kernels, run } from './boot-guest.js';

const vendor = (name: string, files: string, more: Partial<Vendor> = {}): Vendor => ({
  name,
  files: files.split(' '),
  csv: [],
  stub: false,
  ...more,
});
const WISHES = { arch: 'x86_64', distro: 'debian', secureBoot: false };
const copiesOf = (esp: EspFacts, wishes = WISHES): string[] =>
  planFallback(esp, wishes).copies.map(({ from, to }) => `${from} ${to}`);
const SIGNED = 'BOOTX64.CSV fbx64.efi grub.cfg grubx64.efi mmx64.efi shimx64.efi';

describe('an ESP without a fallback gets', () => {
  test('Debian’s signed shim with its GRUB, the fallback itself last', () => {
    expect(copiesOf({ vendors: [vendor('debian', SIGNED, { stub: true, csv: ['shimx64.efi'] })] })).toEqual([
      'debian/grubx64.efi BOOT/grubx64.efi',
      'debian/mmx64.efi BOOT/mmx64.efi',
      'debian/grub.cfg BOOT/grub.cfg',
      'debian/shimx64.efi BOOT/BOOTX64.EFI',
    ]);
  });
  test('an unsigned GRUB; a whole grub.cfg (RHEL 7) is not doubled', () => {
    const wishes = { ...WISHES, distro: 'rhel' };
    expect(copiesOf({ vendors: [vendor('redhat', 'grub.cfg grubx64.efi')] }, wishes)).toEqual([
      'redhat/grubx64.efi BOOT/BOOTX64.EFI',
    ]);
  });
  test('SUSE’s names, which shim looks for under the same names', () => {
    const sles = vendor('sles', 'MokManager.efi boot.csv grub.cfg grub.efi shim.efi', { stub: true });
    expect(copiesOf({ vendors: [sles] }, { ...WISHES, distro: 'sles' })).toEqual([
      'sles/MokManager.efi BOOT/MokManager.efi',
      'sles/grub.efi BOOT/grub.efi',
      'sles/grub.cfg BOOT/grub.cfg',
      'sles/shim.efi BOOT/BOOTX64.EFI',
    ]);
  });
  test('systemd-boot; and what an ARM machine looks for', () => {
    expect(copiesOf({ vendors: [vendor('systemd', 'systemd-bootx64.efi')] })).toEqual([
      'systemd/systemd-bootx64.efi BOOT/BOOTX64.EFI',
    ]);
    const arm = { ...WISHES, arch: 'aarch64' };
    expect(copiesOf({ vendors: [vendor('debian', 'grubaa64.efi grubx64.efi')] }, arm)).toEqual([
      'debian/grubaa64.efi BOOT/BOOTAA64.EFI',
    ]);
  });
  test('the distribution’s own, not that of another or of Windows', () => {
    const vendors = [
      vendor('Microsoft', 'grubx64.efi'),
      vendor('ubuntu', 'shimx64.efi grubx64.efi'),
      vendor('debian', 'grubx64.efi'),
    ];
    expect(copiesOf({ vendors })).toEqual(['debian/grubx64.efi BOOT/BOOTX64.EFI']);
  });
  test('nothing where there is nothing', () => {
    expect(planFallback({ vendors: [vendor('debian', 'grub.cfg')] }, WISHES)).toMatchObject({
      missing: true,
      worry: '\\EFI\\BOOT\\BOOTX64.EFI is missing, and no boot loader was found to put there',
    });
  });
});

describe('a fallback that is there', () => {
  const debian = vendor('debian', SIGNED, { csv: ['shimx64.efi'] });
  test.each([
    ['shim with fbx64.efi and a CSV', { vendors: [vendor('boot', 'BOOTX64.EFI fbx64.efi'), debian], fallback: 'shim' }],
    ['shim with GRUB', { vendors: [vendor('BOOT', 'bootx64.efi GRUBX64.EFI')], fallback: 'shim' }],
    ['GRUB', { vendors: [vendor('BOOT', 'BOOTX64.EFI')], fallback: 'grub' }],
    ['a unified kernel', { vendors: [vendor('BOOT', 'BOOTX64.EFI')], fallback: 'unified-kernel' }],
  ] as const)('%s is left alone', (_name, esp) => {
    expect(planFallback(esp, WISHES)).toEqual({ copies: [], removals: [] });
  });
  test('shim alone gets GRUB beside it', () => {
    expect(copiesOf({ vendors: [vendor('BOOT', 'BOOTX64.EFI'), debian], fallback: 'shim' })).toContain(
      'debian/grubx64.efi BOOT/grubx64.efi',
    );
  });
  test('fbx64.efi without a CSV would find nothing: it goes', () => {
    const bare = vendor('debian', 'shimx64.efi grubx64.efi');
    const plan = planFallback({ vendors: [vendor('BOOT', 'BOOTX64.EFI fbx64.efi'), bare], fallback: 'shim' }, WISHES);
    expect(plan.removals).toEqual(['BOOT/fbx64.efi']);
    expect(plan.copies.map(({ to }) => to)).toEqual(['BOOT/grubx64.efi', 'BOOT/BOOTX64.EFI']);
  });
  test('Windows’, or one that is not known, is left alone with a warning', () => {
    for (const fallback of ['windows', 'unknown'] as const) {
      const plan = planFallback({ vendors: [vendor('BOOT', 'BOOTX64.EFI'), debian], fallback }, WISHES);
      expect(plan).toMatchObject({ copies: [], worry: expect.stringContaining('left alone') });
    }
  });
  test('a bare GRUB is no fallback for Secure Boot where there is shim', () => {
    const esp: EspFacts = { vendors: [vendor('BOOT', 'BOOTX64.EFI'), debian], fallback: 'grub' };
    expect(copiesOf(esp, { ...WISHES, secureBoot: true })).toContain('debian/shimx64.efi BOOT/BOOTX64.EFI');
  });
});

test('programs are told apart by their own texts', () => {
  expect(classify('..UEFI SHIM\n$Version: 15.8 $..\ngrub,5\n')).toBe('shim');
  expect(classify('..grub rescue> ..shim not available')).toBe('grub');
  expect(classify('#### LoaderInfo: systemd-boot 252.39 ####')).toBe('systemd-boot');
  expect(classify('#### LoaderInfo: systemd-stub 252.39 ####')).toBe('unified-kernel');
  expect(classify('b\0o\0o\0t\0m\0g\0f\0w\0.\0e\0f\0i\0')).toBe('windows');
  expect(classify('MZ')).toBe('unknown');
});

test('BOOTX64.CSV is UTF-16', () => {
  const text = '\uFEFFshimx64.efi,debian,,This is the boot entry for debian\n';
  expect(csvPrograms(Buffer.from(text, 'utf16le').toString('latin1'))).toEqual(['shimx64.efi']);
});

describe('the step, on a machine with UEFI', () => {
  const esp = {
    '/boot/efi/EFI/debian/shimx64.efi': 'UEFI SHIM',
    '/boot/efi/EFI/debian/grubx64.efi': 'grub rescue>',
    '/boot/efi/EFI/debian/mmx64.efi': 'mm',
  };
  const root = '/=/dev/sda2:ext4:9f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5';
  const mounted = facts(root, '/boot/efi=/dev/sda1:vfat:ABCD-1234');
  const debian = { ...fixture('debian12-uefi'), ...kernels(['6.1.0-28-amd64']) };
  const efi = { firmware: 'efi', secure_boot: true } as const;

  test('makes the fallback path; a second run changes nothing', async () => {
    const guest = new BootGuest({ ...debian, ...esp });
    const { changed, concerns } = await run([bootloaderStep], { guest, facts: mounted, machine: efi });
    expect(changed).toEqual({
      '/boot/efi/EFI/BOOT/BOOTX64.EFI': 'UEFI SHIM',
      '/boot/efi/EFI/BOOT/grubx64.efi': 'grub rescue>',
      '/boot/efi/EFI/BOOT/mmx64.efi': 'mm',
      '/boot/efi/EFI/BOOT/grub.cfg': debian['/boot/efi/EFI/debian/grub.cfg'],
    });
    expect(concerns).toEqual([]);
    const again = await run([bootloaderStep], { guest, facts: mounted, machine: efi });
    expect(again).toMatchObject({ changed: {}, concerns: [] });
  });

  test('finds an ESP that the guest mounts by its type only', async () => {
    const spare = { '/dev/sda1': { '/EFI/systemd/systemd-bootx64.efi': '#### LoaderInfo: systemd-boot 255 ####' } };
    const guest = new BootGuest({}, spare);
    const { state } = await run([bootloaderStep], {
      guest,
      facts: facts(root, 'esp=/dev/sda1:vfat:ABCD-1234'),
      machine: efi,
    });
    expect(state.changes.map(({ file }) => file)).toEqual(['/mnt/EFI/BOOT/BOOTX64.EFI']);
  });

  test('without an ESP there is an error that says so; as a concern where nothing is to be fixed', async () => {
    const without = { guest: new BootGuest(debian), facts: facts(root), machine: efi };
    await expect(run([bootloaderStep], without)).rejects.toMatchObject({
      code: 'GUEST_UNSUPPORTED',
      message: expect.stringContaining('EFI system partition'),
    });
    const { concerns, changed } = await run([bootloaderStep], { ...without, options: { fix_grub: false } });
    expect(concerns).toEqual([expect.stringMatching(/^BOOTLOADER_FALLBACK .*no EFI system partition/)]);
    expect(changed).toEqual({});
  });

  test('a BIOS machine ignores all this', async () => {
    const guest = new BootGuest({ ...debian, ...esp });
    expect(await run([bootloaderStep], { guest, facts: mounted })).toMatchObject({ changed: {}, concerns: [] });
  });
});
