import { describe, expect, it } from 'vitest';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keysFor, writeKeyDisk } from '../src/guest/devices/luks-keys.js';
import { parseMdadmConf, parseSurvey, resolveDevice, type Naming } from '../src/guest/devices/index.js';
import { SURVEY } from './fixtures/inspect/survey.js';
import { MDADM_CONF } from './fixtures/inspect/tables.js';

const DISKS = 5;
const devices = parseSurvey(SURVEY, DISKS);
const naming: Naming = { devices, mapped: new Map(), arrays: new Map() };
const resolved = (spec: string, more: Partial<Naming> = {}): string | undefined =>
  resolveDevice(spec, { ...naming, ...more })?.device;

describe('the survey', () => {
  it("names devices as libguestfs does: disks by their place, volumes by LVM's names", () => {
    expect(devices.map(({ kernel, device }) => `${kernel} ${device}`)).toEqual([
      'dm-0 /dev/mapper/luks-1',
      'dm-1 /dev/web-01-vg/root',
      'md127 /dev/md127',
      'sda /dev/sdb',
      'sda1 /dev/sdb1',
      'sdb /dev/sda',
      'sdb1 /dev/sda1',
      'sdc /dev/sdc',
      'sdc1 /dev/sdc1',
      'sdd /dev/sdd',
      'sde /dev/sde',
    ]);
  });

  it('tells what lies on them, and leaves out what holds nothing', () => {
    const contents = new Map(devices.map(({ device, content }) => [device, content]));
    expect(contents.get('/dev/sda1')).toEqual({
      device: '/dev/sda1',
      type: 'vfat',
      uuid: '26B4-74AC',
      partUuid: '617d2d4f-8653-46f8-a79b-3b1a3e5d056c',
      partLabel: 'EFI System Partition',
      partType: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
    });
    expect(contents.get('/dev/web-01-vg/root')).toMatchObject({ type: 'ext4', label: 'root disk' });
    expect(contents.get('/dev/sdb')).toBeUndefined();
  });

  it('survives what is no survey', () => {
    expect(parseSurvey('', 1)).toEqual([]);
    expect(parseSurvey('\0\nKERNEL\n=x\nTYPE=ext4\n', 1)).toEqual([]);
  });
});

describe('names of the guest', () => {
  it.each([
    ['UUID=F22A5132-FB16-4B9A-966C-5FCF12694B5D', '/dev/sdb1'],
    ['UUID="26B4-74AC"', '/dev/sda1'],
    ['/dev/disk/by-uuid/26b4-74ac', '/dev/sda1'],
    ['LABEL=root disk', '/dev/web-01-vg/root'],
    ['/dev/disk/by-label/root\\x20disk', '/dev/web-01-vg/root'],
    ['PARTUUID=9d455f05-01', '/dev/sdb1'],
    ['PARTLABEL=EFI System Partition', '/dev/sda1'],
    ['/dev/mapper/web--01--vg-root', '/dev/web-01-vg/root'],
    ['/dev/web-01-vg/root', '/dev/web-01-vg/root'],
    ['/dev/disk/by-id/dm-name-web--01--vg-root', '/dev/web-01-vg/root'],
    [
      '/dev/disk/by-id/dm-uuid-LVM-gxKKmQwzwKjTK2ufBQoSPqMkE46ymHc0a6lX23lQw3bvUhAzZGCJYjwkI5rUEMrx',
      '/dev/web-01-vg/root',
    ],
    // The first disk of the guest, wherever the appliance's kernel has it.
    ['/dev/sda1', '/dev/sda1'],
    ['/dev/hdb1', '/dev/sdb1'],
    ['/dev/xvda1', '/dev/sda1'],
    ['/dev/nvme0n2p1', '/dev/sdb1'],
    ['/dev/nvme1n1p1', '/dev/sdb1'],
    ['/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0-part1', '/dev/sdb1'],
    ['/dev/md0', '/dev/md127'],
    ['/dev/md/0', '/dev/md127'],
    ['/dev/disk/by-id/md-uuid-17898f1b:7ed32e4f:efe8bcc9:dfe7f706', '/dev/md127'],
    ['/dev/disk/by-id/md-name-web-01:0', '/dev/md127'],
  ])('%s is %s', (spec, device) => {
    expect(resolved(spec)).toBe(device);
  });

  it.each([
    'UUID=00000000-0000-0000-0000-000000000000',
    // Members share the UUID of their array, and hold nothing that could be mounted.
    'UUID=17898f1b-7ed3-2e4f-efe8-bcc9dfe7f706',
    '/dev/sdd',
    '/dev/sdc1',
    '/dev/sda9',
    '/dev/disk/by-id/scsi-36000c29-part1',
    'nas:/export',
    'tmpfs',
    '/dev/mapper/gone',
  ])('%s is nothing here', (spec) => {
    expect(resolved(spec)).toBeUndefined();
  });

  it('of opened volumes come from the crypttab, of arrays from mdadm.conf', () => {
    const open = devices.map((each) =>
      each.device === '/dev/mapper/luks-1' ? { ...each, content: { device: each.device, type: 'ext4' } } : each,
    );
    const mapped = new Map([['sda3_crypt', '/dev/mapper/luks-1']]);
    expect(resolved('/dev/mapper/sda3_crypt', { devices: open, mapped })).toBe('/dev/mapper/luks-1');
    const arrays = parseMdadmConf(MDADM_CONF);
    expect([...arrays.keys()]).toEqual(['/dev/md/0', '/dev/md0', '/dev/md/data']);
    expect(resolved('/dev/md0', { arrays })).toBe('/dev/md127');
    // Another array, which is not here: the only one there is must not stand in for it.
    expect(resolved('/dev/md/data', { arrays })).toBeUndefined();
  });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const key = (offset: number, volume?: string) => ({ volume, offset, lengths: [1] });

describe('keys', () => {
  it('go to a file that only its owner can read, each in a slot of its own', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-keys-'));
    try {
      const file = path.join(folder, 'keys');
      const placed = await writeKeyDisk(file, [
        { key_base64: base64('first\n') },
        { key_base64: base64('second'), device: '/dev/sda2' },
      ]);
      expect(placed).toEqual([
        { volume: undefined, offset: 0, lengths: [6, 5] },
        { volume: '/dev/sda2', offset: 16_384, lengths: [6] },
      ]);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const disk = await readFile(file);
      expect(disk.length % 512).toBe(0);
      expect(disk.subarray(16_384, 16_390).toString()).toBe('second');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are tried where they belong, those for a volume first', () => {
    const keys = [key(0), key(1, 'UUID=C0FFEE'), key(2, '/dev/sda2'), key(3, '/dev/sdb9')];
    const tried = keysFor({ device: '/dev/sda2', uuid: 'c0ffee' }, keys);
    expect(tried.map(({ offset }) => offset)).toEqual([1, 2, 0]);
  });
});
