import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../src/guest/devices/index.js';
import { findRoot, operatingSystems, parseProbe, probeScript, rootName } from '../src/guest/roots/index.js';

const device = (name: string, type: string, uuid: string, dmName?: string): BlockDevice => ({
  kernel: dmName === undefined ? name.slice(5) : `dm-${dmName.length}`,
  device: name,
  parts: [],
  content: { device: name, type, uuid },
  ...(dmName === undefined ? {} : { dmName, dmUuid: 'LVM-x' }),
});

const ROOT = 'RELEASE=os-release\nRELEASE=fstab\nFOLDER=bin\nFOLDER=usr\n';
const own = (subvol: string): string => `OWN=UUID=a / btrfs ${subvol} 0 0\n`;
const snapshot = (id: number): string => `SUBVOLUME=${id} @/.snapshots/${id}/snapshot\n${ROOT}${own('defaults')}`;
const systems = (output: string, devices: readonly BlockDevice[]): string[] =>
  operatingSystems(parseProbe(output, devices), devices).map((each) => `${each.kind} ${rootName(each)}`);

describe('what an operating system is', () => {
  const disks = [device('/dev/sda1', 'ext4', 'a'), device('/dev/sda2', 'ext4', 'b'), device('/dev/sda3', 'ntfs', 'c')];

  it('a release file and folders of programs, or a hive', () => {
    expect(systems(`FS=sda1\n${ROOT}FS=sda2\nRELEASE=fstab\nFS=sda3\nHIVE=\n`, disks)).toEqual([
      'linux /dev/sda1',
      'windows /dev/sda3',
    ]);
    // A /boot or a recovery volume, and a folder of configuration that somebody keeps.
    expect(systems('FS=sda1\nFS=sda2\nFOLDER=lib\nFOLDER=usr\nFS=sda3\n', disks)).toEqual([]);
  });

  it('not a snapshot of a volume, which has the UUID of its origin', () => {
    const volumes = [
      device('/dev/vg/before', 'ext4', 'same', 'vg-before'),
      device('/dev/vg/root', 'ext4', 'same', 'vg-root'),
    ];
    const output = `FS=dm-9\n${ROOT}OWN=/dev/mapper/vg-root / ext4 defaults 0 1\nFS=dm-7\n${ROOT}OWN=/dev/mapper/vg-root / ext4 defaults 0 1\n`;
    expect(systems(output, volumes)).toEqual(['linux /dev/vg/root']);
  });

  it('tells what cannot be mounted', () => {
    const { failures } = parseProbe('FS=sda1\nFAILED=mount: wrong fs type\n', disks);
    expect(failures).toEqual([{ device: '/dev/sda1', reason: 'mount: wrong fs type' }]);
  });
});

describe('subvolumes', () => {
  const disk = [device('/dev/sda1', 'btrfs', 'a')];

  it('of Ubuntu: the one that its fstab mounts, not the snapshots of timeshift', () => {
    const output = [
      'FS=sda1\nSNAPSHOT=300\nDEFAULT=5\nSUBVOLUME=5 \n',
      `SUBVOLUME=256 @\n${ROOT}${own('defaults,subvol=@')}SUBVOLUME=257 @home\n`,
      `SUBVOLUME=300 timeshift-btrfs/snapshots/2024-01-01/@\n${ROOT}${own('defaults,subvol=@')}`,
    ].join('');
    expect(systems(output, disk)).toEqual(['linux /dev/sda1/@']);
  });

  it('of SUSE: the default one, which is a snapshot itself', () => {
    const output = `FS=sda1\nSNAPSHOT=260\nSNAPSHOT=261\nDEFAULT=260\nSUBVOLUME=5 \nSUBVOLUME=256 @\n${snapshot(260)}${snapshot(261)}`;
    expect(systems(output, disk)).toEqual(['linux /dev/sda1/@/.snapshots/260/snapshot']);
  });

  it('of two systems are two; without an fstab only snapshots are left out', () => {
    const two = `FS=sda1\nDEFAULT=5\nSUBVOLUME=5 \nSUBVOLUME=256 arch\n${ROOT}${own('subvol=/arch')}SUBVOLUME=257 debian\n${ROOT}${own('subvolid=257')}`;
    expect(systems(two, disk)).toEqual(['linux /dev/sda1/arch', 'linux /dev/sda1/debian']);
    const bare = `FS=sda1\nSNAPSHOT=257\nDEFAULT=5\nSUBVOLUME=5 \nSUBVOLUME=256 root\n${ROOT}SUBVOLUME=257 old\n${ROOT}`;
    expect(systems(bare, disk)).toEqual(['linux /dev/sda1/root']);
  });
});

describe('--root', () => {
  const devices = [
    device('/dev/vg/root', 'ext4', 'a', 'vg-root'),
    device('/dev/sda1', 'btrfs', 'b'),
    { ...device('/dev/mapper/luks-1', 'xfs', 'c', 'luks-1'), dmUuid: 'CRYPT-LUKS2-x' },
  ];
  const one = { kind: 'linux', device: '/dev/vg/root' } as const;
  const arch = { kind: 'linux', device: '/dev/sda1', subvolume: { id: 256, path: 'arch' } } as const;
  const debian = { kind: 'linux', device: '/dev/sda1', subvolume: { id: 257, path: 'debian' } } as const;
  const locked = { kind: 'linux', device: '/dev/mapper/luks-1' } as const;
  const find = (wanted: string, ...among: readonly (typeof one | typeof arch | typeof debian | typeof locked)[]) =>
    findRoot(wanted, among, devices);

  it('takes a device by its names, as the refusal lists them', () => {
    expect(find('/dev/vg/root', one, arch)).toBe(one);
    expect(find('/dev/mapper/vg-root', one, arch)).toBe(one);
    expect(find('/dev/sda1/debian', arch, debian)).toBe(debian);
    expect(find('/dev/sda1', one, arch)).toBe(arch);
    expect(find('/dev/sda1', arch, debian)).toBeUndefined();
    expect(find('/dev/sdb1', one)).toBeUndefined();
    // As the guest calls it, which is known only later.
    expect(find('/dev/mapper/cryptroot', one, locked)).toBe(locked);
  });
});

describe('the probe', () => {
  it('looks into each file system once, and has no quote that guestfish would take', () => {
    const script = probeScript([
      device('/dev/sda1', 'btrfs', 'same'),
      device('/dev/sdb1', 'btrfs', 'same'),
      device('/dev/sdc1', 'swap', 'x'),
      device('/dev/sdd1', 'xfs', 'y'),
    ]);
    expect(script?.match(/^probe .*/gm)).toEqual(['probe sda1 btrfs ro,subvolid=5', 'probe sdd1 xfs ro']);
    expect(script).not.toContain("'");
    expect(probeScript([device('/dev/sdc1', 'swap', 'x')])).toBeUndefined();
  });
});
