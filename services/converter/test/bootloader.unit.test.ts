import { describe, expect, test } from 'vitest';
import { hardwareParameters } from '../src/steps/bootloader/index.js';
import { planBls } from '../src/steps/bootloader/bls/plan.js';
import { planCommandLine, planConsole, type CommandLineWishes } from '../src/steps/bootloader/command-line.js';
import { planExtlinux, planUpdateExtlinux } from '../src/steps/bootloader/extlinux/plan.js';
import { planLegacy } from '../src/steps/bootloader/grub-legacy/plan.js';
import { planDeviceMap } from '../src/steps/bootloader/grub2/device-map.js';
import { planInstallDevices } from '../src/steps/bootloader/grub2/install-devices.js';
import { planGrubCfg, planGrubDefaults, planGrubenv, uncertainRoots } from '../src/steps/bootloader/grub2/plan.js';
import { planKernelCmdline, planSysconfigBootloader } from '../src/steps/bootloader/sources.js';
import { deviceResolver } from '../src/steps/devices.js';
import { compareVersions, kernelVersion } from '../src/steps/kernels.js';
import { facts, fixture } from './boot-guest.js';

const wishes = (...volumes: readonly string[]): CommandLineWishes => ({
  resolve: deviceResolver(facts(...volumes)),
  serialConsole: false,
});
const PLAIN = wishes('/=/dev/sda1:ext4:aaaa-root', 'swap=/dev/sda5:swap:bbbb-swap');

describe('command lines', () => {
  test.each([
    ['root=/dev/sda1 ro quiet', 'root=UUID=aaaa-root ro quiet'],
    ['resume=/dev/sda5', 'resume=UUID=bbbb-swap'],
    ['"root=/dev/sda1"', '"root=UUID=aaaa-root"'],
    ['real_root=/dev/sda1', 'real_root=UUID=aaaa-root'],
  ])('%s', (before, after) => {
    expect(planCommandLine(before, PLAIN).text).toBe(after);
  });

  test('what names no hardware, or nothing that is there, stays', () => {
    const text =
      'quiet root=/dev/mapper/vg-root root=LABEL=x root=PARTUUID=1-02 resume=/dev/sdz9 nfsroot=/dev/sda1 init=/dev/sda1 vga=791 elevator=noop';
    expect(planCommandLine(text, PLAIN)).toEqual({ text, edits: [], unresolved: ['resume=/dev/sdz9'] });
  });

  test('LUKS by the UUID of its volume, the name and options behind it stay', () => {
    const luks = wishes('/=/dev/mapper/root:ext4:aaaa', 'luks=/dev/sda2:crypto_LUKS:cccc-luks');
    expect(planCommandLine('cryptdevice=/dev/sda2:root:allow-discards root=/dev/mapper/root', luks).text).toBe(
      'cryptdevice=UUID=cccc-luks:root:allow-discards root=/dev/mapper/root',
    );
  });

  test('without an initramfs the kernel knows PARTUUID only', () => {
    const resolve = deviceResolver({
      diskCount: 1,
      mountpoints: [{ path: '/', device: '/dev/sda1', mountable: '/dev/sda1' }],
      fileSystems: [{ device: '/dev/sda1', type: 'ext4', uuid: 'aaaa', partUuid: '1234abcd-01' }],
    });
    const text = 'menuentry x {\n  linux /vmlinuz root=/dev/sda1\n}\n';
    expect(planGrubCfg(text, { resolve, serialConsole: false }).text).toContain('root=PARTUUID=1234abcd-01');
    expect(planGrubCfg(text, PLAIN)).toMatchObject({ text, unresolved: ['root=/dev/sda1'] });
  });

  test.each([
    ['root=x quiet', 'root=x quiet console=ttyS0,115200 console=tty0'],
    ['root=x console=tty0 quiet', 'root=x console=ttyS0,115200 console=tty0 quiet'],
    ['console=ttyS0 quiet', 'console=ttyS0 quiet'],
    ['console=ttyS1', 'console=ttyS0,115200 console=ttyS1'],
    ['', 'console=ttyS0,115200 console=tty0'],
  ])('the serial console, never as the last: %s', (before, after) => {
    expect(planConsole(before).text).toBe(after);
    expect(planConsole(after).text).toBe(after);
  });
});

describe('GRUB 2', () => {
  const { '/boot/grub/grub.cfg': cfg = '', '/etc/default/grub': defaults = '' } = fixture('debian12-bios');

  test('grub.cfg: the kernels’ arguments, and not a byte more', () => {
    const plan = planGrubCfg(cfg, PLAIN);
    const expected = cfg
      .split('\n')
      .map((line) =>
        /^\s*linux\t/.test(line)
          ? line.replace('root=/dev/sda1', 'root=UUID=aaaa-root').replace('resume=/dev/sda5', 'resume=UUID=bbbb-swap')
          : line,
      )
      .join('\n');
    expect(plan.text).toBe(expected);
    expect(plan.text).not.toBe(cfg);
    expect(plan.edits).toEqual(['root=/dev/sda1 → root=UUID=aaaa-root', 'resume=/dev/sda5 → resume=UUID=bbbb-swap']);
    // The other system's root is not this one's.
    expect(plan.unresolved).toEqual(['root=/dev/sdb1']);
  });

  test('another system’s entry gets its own root', () => {
    const both = wishes('/=/dev/sda1:ext4:aaaa-root', 'other=/dev/sdb1:ext4:eeee-other');
    expect(planGrubCfg(cfg, both).text).toContain('linux /boot/vmlinuz-4.19.0-27-amd64 root=UUID=eeee-other ro quiet');
  });

  test('/etc/default/grub: root and resume by UUID, the switch that undoes it off', () => {
    expect(planGrubDefaults(defaults, PLAIN).text).toBe(
      defaults
        .replace('resume=/dev/sda5"', 'resume=UUID=bbbb-swap"')
        .replace('\nGRUB_DISABLE_LINUX_UUID=true', '\nGRUB_DISABLE_LINUX_UUID=false'),
    );
  });

  test('the serial console goes into every entry, and once into what makes them', () => {
    const wished = { ...PLAIN, serialConsole: true };
    const plan = planGrubCfg(cfg, wished);
    expect(plan.text.match(/console=ttyS0,115200 console=tty0$/gm)).toHaveLength(3);
    const made = planGrubDefaults(defaults, wished).text;
    expect(made).toContain('GRUB_CMDLINE_LINUX="console=ttyS0,115200 console=tty0"\n');
    expect(made.match(/ttyS0/g)).toHaveLength(1);
    expect(planGrubDefaults('GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0"\n', wished).edits).toEqual([]);
    expect(planGrubDefaults('GRUB_TIMEOUT=5', wished).text).toBe(
      'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX="console=ttyS0,115200 console=tty0"\n',
    );
  });

  test('grubenv: kernelopts changed, still 1024 bytes; a block without room stays', () => {
    const { '/boot/grub2/grubenv': grubenv = '' } = fixture('rhel8');
    const rhel = wishes('/=/dev/sda3:xfs:6f5e4d3c-2b1a-4059-8877-665544332211', 'swap=/dev/sda2:swap:bbbb-swap');
    const plan = planGrubenv(grubenv, rhel);
    expect(plan.text).toHaveLength(1024);
    expect(plan.text).toMatch(
      /^# GRUB Environment Block\nsaved_entry=\nkernelopts=root=UUID=6f5e4d3c-[^\n]* resume=UUID=bbbb-swap rhgb quiet \nboot_success=0\n#+$/,
    );
    const crowded = grubenv.replace('boot_success=0\n', `x=${'y'.repeat(890)}\n`).slice(0, 1024);
    expect(planGrubenv(crowded, rhel)).toMatchObject({ text: crowded, edits: [] });
    expect(planGrubenv(crowded, rhel).unresolved).toHaveLength(1);
    expect(planGrubenv('kernelopts=root=/dev/sda3', rhel).text).toBe('kernelopts=root=/dev/sda3');
  });

  test('a disk’s number is certain where it is the first, or a search follows', () => {
    expect(uncertainRoots(cfg)).toEqual([]);
    expect(uncertainRoots("set root='hd1,msdos1'\nlinux /vmlinuz\nset root='(hd0,1)'\nlinux /x")).toEqual([
      'hd1,msdos1',
    ]);
  });

  test('device.map: what names hardware goes', () => {
    const { '/boot/grub/device.map': map = '' } = fixture('centos6');
    expect(planDeviceMap(map)).toMatchObject({ text: '', edits: ['(hd0) /dev/sda removed'] });
    const other = '(hd0)\t/dev/mapper/mpatha\n(hd1) /dev/sdb\n';
    expect(planDeviceMap(other).text).toBe('(hd0)\t/dev/mapper/mpatha\n');
  });
});

describe('where grub-pc would be installed', () => {
  const { '/var/cache/debconf/config.dat': answers = '' } = fixture('debian12-bios');

  test('Debian: nowhere, which is answered too; all other answers stay', () => {
    const plan = planInstallDevices(answers);
    expect(plan.text).toBe(
      answers
        .replace('Value: /dev/disk/by-id/scsi-36000c29a0b1c2d3e4f5061728394a5b6\n', 'Value:\n')
        .replace(
          'Template: grub-pc/install_devices_empty\nOwners: grub-pc\n',
          'Template: grub-pc/install_devices_empty\nValue: true\nOwners: grub-pc\nFlags: seen\n',
        ),
    );
    expect(planInstallDevices(plan.text)).toMatchObject({ text: plan.text, edits: [], devices: [] });
  });

  test('Ubuntu: on the disk of /boot, found at the time', () => {
    const asked = `Name: grub-pc/cloud_style_installation\nTemplate: grub-pc/cloud_style_installation\nValue: false\nOwners: grub-pc\n\n${answers}`;
    const plan = planInstallDevices(asked);
    expect(plan).toMatchObject({ automatic: true, edits: ['grub-pc/cloud_style_installation: true'] });
    expect(plan.text).toBe(
      asked.replace('Value: false\nOwners: grub-pc\n', 'Value: true\nOwners: grub-pc\nFlags: seen\n'),
    );
    expect(planInstallDevices(plan.text).text).toBe(plan.text);
  });

  test('without the question for it, or by a name that stays, nothing is touched', () => {
    const only = 'Name: grub-pc/install_devices\nTemplate: grub-pc/install_devices\nValue: /dev/sda, /dev/sdb\n';
    expect(planInstallDevices(only)).toMatchObject({ text: only, devices: ['/dev/sda', '/dev/sdb'] });
    const mapped = answers.replace(/Value: \/dev\S+/, 'Value: /dev/mapper/mpatha');
    expect(planInstallDevices(mapped).text).toBe(mapped);
  });
});

describe('other boot loaders', () => {
  test('BLS: options only', () => {
    const entry = Object.entries(fixture('rocky9')).find(([file]) => file.includes('-503.'))?.[1] ?? '';
    const rocky = wishes('/=/dev/rl/root:xfs:aaaa', 'swap=/dev/sda2:swap:bbbb-swap');
    expect(planBls(entry, rocky).text).toBe(entry.replace('resume=/dev/sda2', 'resume=UUID=bbbb-swap'));
    expect(planBls('options root=/dev/sda2\n', rocky).text).toBe('options root=/dev/sda2\n');
  });

  test('BLS with $kernelopts: the console is added where they are', () => {
    const entry = Object.entries(fixture('rhel8')).find(([file]) => file.endsWith('.conf'))?.[1] ?? '';
    expect(planBls(entry, { ...PLAIN, serialConsole: true }).text).toBe(entry);
  });

  test('menu.lst: kernel lines and the magic comment, not its examples', () => {
    const { '/boot/grub/menu.lst': menu = '' } = fixture('ubuntu804');
    expect(planLegacy(menu, PLAIN).text).toBe(
      menu
        .replace('# kopt=root=/dev/sda1 ro', '# kopt=root=UUID=aaaa-root ro')
        .replace('server root=/dev/sda1', 'server root=UUID=aaaa-root'),
    );
  });

  test('grub.conf of CentOS 6', () => {
    const { '/boot/grub/grub.conf': conf = '' } = fixture('centos6');
    const centos = wishes('/=/dev/sda3:ext4:aaaa-root', '/boot=/dev/sda1:ext4:bbbb');
    expect(planLegacy(conf, centos).text).toBe(
      conf.replaceAll('x86_64 ro root=/dev/sda3', 'x86_64 ro root=UUID=aaaa-root'),
    );
  });

  test('extlinux and what makes its configuration', () => {
    const { '/boot/extlinux.conf': conf = '', '/etc/update-extlinux.conf': made = '' } = fixture('alpine');
    const alpine = wishes('/=/dev/sda3:ext4:aaaa-root');
    expect(planExtlinux(conf, alpine).text).toBe(conf.replaceAll('root=/dev/sda3', 'root=UUID=aaaa-root'));
    expect(planUpdateExtlinux(made, alpine).text).toBe(made.replace('root=/dev/sda3', 'root=UUID=aaaa-root'));
    expect(planUpdateExtlinux(made, { ...alpine, serialConsole: true }).text).toContain(
      'default_kernel_opts="quiet rootfstype=ext4 console=ttyS0,115200 console=tty0"',
    );
  });

  test('/etc/kernel/cmdline and /etc/sysconfig/bootloader', () => {
    const { '/etc/kernel/cmdline': cmdline = '' } = fixture('rocky9');
    const rocky = wishes('/=/dev/rl/root:xfs:aaaa', 'swap=/dev/sda2:swap:bbbb-swap');
    expect(planKernelCmdline(cmdline, rocky).text).toBe(cmdline.replace('/dev/sda2', 'UUID=bbbb-swap'));
    const { '/etc/sysconfig/bootloader': sysconfig = '' } = fixture('sles15');
    const sles = wishes('/=/dev/sda2:btrfs:aaaa', 'swap=/dev/sda3:swap:bbbb-swap');
    expect(planSysconfigBootloader(sysconfig, sles).text).toBe(
      sysconfig.replace(/resume=\S+/, 'resume=UUID=bbbb-swap'),
    );
  });
});

test('parameters that name hardware', () => {
  expect(hardwareParameters('root=/dev/sda1 resume=/dev/mapper/swap cryptdevice=/dev/sdb2:x')).toEqual([
    'root=/dev/sda1',
    'cryptdevice=/dev/sdb2',
  ]);
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
  expect(kernelVersion('/boot/vmlinuz-6.1.0-28-amd64')).toBe('6.1.0-28-amd64');
});
