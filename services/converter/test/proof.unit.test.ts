import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { inittabLine, SCRIPT } from '../src/proof/agent.js';
import { withSerialConsole } from '../src/proof/console.js';
import { assertProvable } from '../src/proof/index.js';
import { PassphraseTyper } from '../src/proof/passphrase.js';
import { qemuArgs } from '../src/proof/qemu.js';
import { addressLines, faultOf, findReport, type GuestReport } from '../src/proof/report.js';
import { failureInSerial, lastLines } from '../src/proof/serial.js';
import { planDomain, type DomainPlan } from '../src/targets/libvirt/index.js';

const report: GuestReport = {
  event: 'report',
  hostname: 'production-db',
  kernel: '6.1.0-28-amd64',
  state: 'running',
  failed_units: [],
  nics: [{ name: 'ens192', mac: '00:50:56:ab:cd:ef', addresses: ['10.0.2.15/24', 'fe80::1/64'] }],
};
const pinned = [{ mac: '00:50:56:ab:cd:ef', name: 'ens192' }];

test('the report is taken when its line is whole, whatever else comes', () => {
  const line = JSON.stringify(report);
  expect(findReport(`{"event":"started"}\n${line}`)).toBeUndefined();
  expect(findReport(`{"event":"started"}\nnoise\n${line}\n`)).toEqual(report);
  expect(findReport('{"event":"report","hostname":1}\n')).toBeUndefined();
});

test('a guest that runs, also with failed units, is a proof; others are not', () => {
  expect(faultOf(report, pinned)).toBeUndefined();
  expect(faultOf({ ...report, state: 'degraded', failed_units: ['x.service'] }, pinned)).toBeUndefined();
  expect(faultOf({ ...report, state: 'maintenance' }, pinned)).toContain('maintenance');
  const renamed = [{ name: 'ens3', mac: '00:50:56:ab:cd:ef', addresses: [] }];
  expect(faultOf({ ...report, nics: renamed }, pinned)).toContain('no NIC named ens192');
  expect(addressLines(report)).toEqual(['ens192 10.0.2.15/24']);
});

describe('the right name on the wrong card', () => {
  const nic = { name: 'ens192', mac: '00:50:56:00:00:01', addresses: ['192.0.2.1/24'] };
  test('is no proof', () => {
    expect(faultOf({ ...report, nics: [nic] }, pinned)).toContain('ens192 is not the NIC 00:50:56:ab:cd:ef');
    const own = { ...nic, permanent_mac: '00:50:56:00:00:01', enslaved: true };
    expect(faultOf({ ...report, nics: [own] }, pinned)).toContain('ens192 is not the NIC');
  });
  test('may be the right one, in a bond', () => {
    const bonded = [
      { ...nic, permanent_mac: '00:50:56:AB:CD:EF', enslaved: true },
      { ...nic, permanent_mac: '', enslaved: true },
    ];
    for (const each of bonded) expect(faultOf({ ...report, nics: [each] }, pinned)).toBeUndefined();
  });
});

describe('the serial console of a failed boot', () => {
  test.each([
    ['ALERT!  /dev/sda1 does not exist.  Dropping to a shell!', 'the root device was not found'],
    ['[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs', 'the kernel panicked'],
    ['You are in emergency mode. After logging in, type "journalctl -xb"', 'emergency mode'],
    ['\r\n(initramfs) ', 'shell of the initramfs'],
    ['grub rescue> ', 'GRUB'],
    ['\u001b[H\u001b[Jgrub> ', 'GRUB did not find its configuration'],
    ['Give root password for maintenance\r\n(or press Control-D to continue): ', 'emergency mode'],
    ['Cannot open access to console, the root account is locked.', 'emergency mode'],
    ['\u001b[0;1;39mEntering emergency mode. Exit the shell to continue.', 'shell of dracut'],
    ['\r\ndracut:/# ', 'shell of dracut'],
    ["/bin/sh: can't access tty; job control turned off", 'shell of the initramfs'],
    ['/dev/sda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.', 'repaired by hand'],
    ['UEFI Interactive Shell v2.2\u001b[14;01H\u001b[1mShell> ', 'the firmware found nothing to boot'],
    ['BdsDxe: No bootable option or device was found.', 'the firmware found nothing to boot'],
  ])('%j', (log, meaning) => {
    expect(failureInSerial(`boot\n${log}`)).toContain(meaning);
  });
  test('a healthy one is none, though it speaks of emergencies', () => {
    expect(
      failureInSerial('Reached target emergency.target - not\n[ OK ] Started X (initramfs)\nlogin: '),
    ).toBeUndefined();
  });
  test('its last lines without terminal sequences', () => {
    expect(lastLines('a\r\n\u001b[0;32mb\u001b[0m\r\n\r\nc\u0007\n', 2)).toEqual(['b', 'c']);
  });
});

const key = (text: string, device?: string) => ({
  key_base64: Buffer.from(text).toString('base64'),
  ...(device === undefined ? {} : { device }),
});
const typed = (typer: PassphraseTyper, log: string): string | undefined => typer.next(log)?.toString();

describe('a passphrase', () => {
  test('is typed once for each question, at the console of Debian, cryptsetup and systemd', () => {
    for (const question of [
      'Please unlock disk sda2_crypt: ',
      'Enter passphrase for /dev/sda2: ',
      '\u001b[0;1;39m🔐 Please enter passphrase for disk rhel-root (luks-0b1c)!: (press TAB for no echo) ',
    ]) {
      const typer = new PassphraseTyper([key('s3cret word\n')]);
      expect(typed(typer, 'booting\r\n')).toBeUndefined();
      expect(typed(typer, `booting\r\n${question}`)).toBe('s3cret word\n');
      expect(typed(typer, `booting\r\n${question}`)).toBeUndefined();
    }
  });
  test('is followed by the next key when it was wrong, and none is left in the end', () => {
    const typer = new PassphraseTyper([key('first'), key('second'), key('\u0000binary')]);
    let log = 'Please unlock disk a: ';
    expect(typed(typer, log)).toBe('first\n');
    log += '\r\ncryptsetup: ERROR: bad password\r\nPlease unlock disk a: ';
    expect(typed(typer, log)).toBe('second\n');
    // Each once more, as a question may only be shown anew.
    for (const answer of ['first\n', 'second\n', 'first\n', 'second\n']) {
      log += '\r\nPlease unlock disk b: ';
      expect(typed(typer, log)).toBe(answer);
    }
    expect(() => typer.next(`${log}\r\nPlease unlock disk b: `)).toThrow('a passphrase that was not given');
    expect(() => new PassphraseTyper([]).next(log)).toThrow('a passphrase that was not given');
  });
  test('of the volume that is asked for comes first, and is never kept in the log', () => {
    const typer = new PassphraseTyper([key('other'), key('fits', '0b1c')]);
    expect(typed(typer, 'Please enter passphrase for disk luks-0b1c: ')).toBe('fits\n');
    expect(typer.redact('login: fits\r\n')).toBe('login: [passphrase]\r\n');
  });
});

const entries = (more: string): string =>
  [
    'menuentry "linux" {',
    `\tlinux\t/vmlinuz-6.1 root=/dev/sda1 ro quiet splash${more}`,
    '\tinitrd\t/initrd.img-6.1',
    '}',
    'linux /vmlinuz-5.14.el9',
    `options $kernelopts rhgb quiet console=ttyS0,9600n8 console=tty0${more}`,
    `    APPEND initrd=initrd.img root=UUID=1 loglevel=3${more}`,
    `kernel /vmlinuz-2.6 ro root=LABEL=/${more}`,
  ].join('\n');

test('the console goes to the serial port in every kind of boot entry, and nothing hides it', () => {
  expect(withSerialConsole(entries('')).split('\n')).toEqual([
    'menuentry "linux" {',
    '\tlinux\t/vmlinuz-6.1 root=/dev/sda1 ro console=ttyS0,115200',
    '\tinitrd\t/initrd.img-6.1',
    '}',
    'linux /vmlinuz-5.14.el9',
    'options $kernelopts console=tty0 console=ttyS0,115200',
    '    APPEND initrd=initrd.img root=UUID=1 console=ttyS0,115200',
    'kernel /vmlinuz-2.6 ro root=LABEL=/ console=ttyS0,115200',
  ]);
  const once = withSerialConsole(entries(' x'));
  expect(withSerialConsole(once)).toBe(once);
});

test('guests that cannot be proven are refused with the reason', () => {
  const linux = { type: 'linux', product: 'Debian', init: 'systemd' } as const;
  for (const init of ['systemd', 'sysvinit', 'openrc'] as const) assertProvable({ ...linux, init });
  expect(() => assertProvable({ ...linux, init: 'upstart' })).toThrow('started by upstart');
  expect(() => assertProvable({ ...linux, type: 'windows', product: 'Windows Server 2022' })).toThrow(
    'Windows Server 2022 cannot report from inside',
  );
  expect(() => assertProvable({ ...linux, type: 'none' })).toThrow('no operating system');
  expect(inittabLine(true)).toBe('::once:/bin/sh /etc/hyper2kvm-proof.sh');
});

describe("the proof's QEMU", () => {
  const plan: DomainPlan = planDomain({
    machine: {
      name: 'vm',
      cpus: 1,
      memory_bytes: 4 * 1024 ** 3,
      firmware: 'bios',
      secure_boot: false,
      tpm: true,
      disks: [],
      nics: [
        { label: 'a', type: 'vmxnet3', mac: '00:50:56:00:00:01' },
        { label: 'b', type: 'vmxnet3', mac: '00:50:56:00:00:02' },
      ],
    },
    uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
    kernel: '6.1.0',
    accelerator: 'qemu',
    firmware: { kind: 'bios' },
    network: { type: 'network', name: 'default' },
    disks: [1, 2].map((index) => ({ index, file: `disk${index}.qcow2`, format: 'qcow2' as const })),
  });
  const devices = (changed: Partial<DomainPlan>, tpm = false): string[] => {
    const args = qemuArgs({ ...plan, ...changed }, ['/a,b', '/c'], 1024 ** 3, tpm);
    return args.filter((_, index) => args[index - 1] === '-device').map((each) => each.replace(/,bus=port\d+$/, ''));
  };

  test('has the disks and NICs of the domain in their order', () => {
    expect(devices({}).filter((each) => /blk|net/.test(each))).toEqual([
      'virtio-net-pci,netdev=net0,mac=00:50:56:00:00:01',
      'virtio-net-pci,netdev=net1,mac=00:50:56:00:00:02',
      'virtio-blk-pci,drive=disk0,bootindex=1',
      'virtio-blk-pci,drive=disk1,bootindex=2',
    ]);
    expect(devices({ disk_bus: 'scsi' })).toContain('scsi-hd,bus=scsi0.0,scsi-id=1,lun=0,drive=disk1,bootindex=2');
  });
  test('has other devices where the guest has drivers for those', () => {
    const others = devices({ disk_bus: 'sata', nic_model: 'e1000e' });
    expect(others).toEqual(
      expect.arrayContaining([
        'e1000e,netdev=net1,mac=00:50:56:00:00:02',
        'ich9-ahci,id=ahci0',
        'ide-hd,bus=ahci0.0,drive=disk0,bootindex=1',
        'ide-hd,bus=ahci0.1,drive=disk1,bootindex=2',
      ]),
    );
    expect(others.filter((each) => /virtio-(?:blk|net|scsi)/.test(each))).toEqual([]);
  });
  test('takes no more memory than it is given, and reaches nothing', () => {
    const args = qemuArgs(plan, ['/a,b', '/c'], 1024 ** 3);
    expect(args[args.indexOf('-m') + 1]).toBe('1024M');
    expect(args.filter((each) => each.startsWith('user,'))).toEqual([
      'user,id=net0,ipv6=off,restrict=on',
      'user,id=net1,ipv6=off,restrict=on',
    ]);
    expect(args.some((each) => each.startsWith('file=/a,,b,format=qcow2'))).toBe(true);
  });
  test('has a TPM when its emulator runs', () => {
    expect(devices({})).not.toContain('tpm-crb,tpmdev=tpm0');
    expect(devices({}, true)).toContain('tpm-crb,tpmdev=tpm0');
  });
});

test('the reporter is valid POSIX shell and quotes what it finds', () => {
  execFileSync('sh', ['-n'], { input: SCRIPT });
  const quoting = SCRIPT.split('\n').find((line) => line.startsWith('quoted()')) ?? '';
  const said = execFileSync('sh', ['-c', `${quoting}\nquoted "$1"`, 'sh', 'a"b\\c\td'], { encoding: 'utf8' });
  expect(JSON.parse(said)).toBe('a"b\\cd');
});
