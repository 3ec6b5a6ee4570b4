import { describe, expect, test } from 'vitest';
import { deviceResolver } from '../src/steps/devices.js';
import {
  fstabStep,
  hidesDisks,
  planCrypttab,
  planDracut,
  planFstab,
  planLvmFilters,
  planMdadm,
  planUnit,
  swapUnitName,
} from '../src/steps/fstab/index.js';
import * as fixtures from './fixtures/storage.js';
import { codes, GuestTree, runStep } from './network-guest.js';

const mount = (path: string, device: string) => ({ path, device, mountable: device });

describe('fstab', () => {
  test('SLES 15: every subvolume by the UUID of its btrfs, swap by-id', () => {
    const resolve = deviceResolver({
      diskCount: 1,
      mountpoints: [mount('/', '/dev/sda2'), mount('/home', '/dev/sda2')],
      fileSystems: [
        { device: '/dev/sda1', type: 'swap', uuid: '51ab-swap' },
        { device: '/dev/sda2', type: 'btrfs', uuid: 'b7f5-btrfs' },
      ],
    });
    const plan = planFstab(fixtures.SLES_FSTAB, resolve);
    expect(plan.unresolved).toEqual([]);
    expect(plan.text).toBe(
      fixtures.SLES_FSTAB.replaceAll('/dev/sda2  /', 'UUID=b7f5-btrfs /').replace(
        /^\/dev\/disk\/by-id\S+/m,
        // As wide as the link was, so that columns stay where they are.
        (link) => 'UUID=51ab-swap'.padEnd(link.length),
      ),
    );
  });

  test('Arch: only the swap; LABEL, UUID and PARTUUID stay', () => {
    const resolve = deviceResolver({
      diskCount: 1,
      mountpoints: [],
      fileSystems: [{ device: '/dev/sda2', type: 'swap', uuid: 'swap-uuid' }],
    });
    const { text } = planFstab(fixtures.ARCH_FSTAB, resolve);
    expect(text).toBe(fixtures.ARCH_FSTAB.replace('\n/dev/sda2           \t', '\nUUID=swap-uuid      \t'));
  });

  test('Alpine: what stands for a CD or a stick stays, without a word', () => {
    const resolve = deviceResolver({
      diskCount: 1,
      mountpoints: [mount('/', '/dev/sda3'), mount('/boot', '/dev/sda1')],
      fileSystems: [
        { device: '/dev/sda1', type: 'ext4', uuid: 'u1' },
        { device: '/dev/sda2', type: 'swap', uuid: 'u2' },
        { device: '/dev/sda3', type: 'ext4', uuid: 'u3' },
      ],
    });
    const plan = planFstab(fixtures.ALPINE_FSTAB, resolve);
    expect(plan.text).toBe(fixtures.ALPINE_FSTAB.replaceAll(/\/dev\/sda(\d)/g, 'UUID=u$1'));
    expect(plan.unresolved).toEqual([]);
  });

  test('disks that take turns at one place, and devices in options', () => {
    const resolve = deviceResolver({
      diskCount: 3,
      mountpoints: [mount('/backup', '/dev/sdb1')],
      fileSystems: [
        { device: '/dev/sdb1', type: 'ext4', uuid: 'b1' },
        { device: '/dev/sdc1', type: 'ext4', uuid: 'c1' },
        { device: '/dev/sdb2', type: 'btrfs', uuid: 'pool', partUuid: 'part-b2' },
        { device: '/dev/sdc2', type: 'btrfs', uuid: 'pool', partUuid: 'part-c2' },
      ],
    });
    const text =
      '/dev/sdb1 /backup ext4 noauto 0 0\n/dev/sdc1 /backup ext4 noauto 0 0\n/dev/sdb2 /pool btrfs noatime,device=/dev/sdb2,device=/dev/sdc2,x-systemd.requires=/dev/sdc1 0 0\n';
    expect(planFstab(text, resolve).text).toBe(
      'UUID=b1 /backup ext4 noauto 0 0\nUUID=c1 /backup ext4 noauto 0 0\nUUID=pool /pool btrfs noatime,device=/dev/disk/by-partuuid/part-b2,device=/dev/disk/by-partuuid/part-c2,x-systemd.requires=/dev/disk/by-uuid/c1 0 0\n',
    );
  });
});

describe('the resolver', () => {
  const guest = {
    diskCount: 2,
    mountpoints: [mount('/', '/dev/vg-0/root')],
    fileSystems: [
      { device: '/dev/sda1', type: 'ext4', uuid: 'same', partUuid: 'p-a1' },
      { device: '/dev/sdb1', type: 'ext4', uuid: 'same', partUuid: 'p-b1' },
      { device: '/dev/sda2', type: 'LVM2_member', uuid: 'pv' },
      { device: '/dev/sda3', type: 'crypto_LUKS', uuid: 'luks' },
      { device: '/dev/mapper/vg--0-root', type: 'xfs', uuid: 'root', label: 'system' },
    ],
  };
  const resolve = deviceResolver(guest);

  test.each([
    ['/dev/mapper/vg--0-root', 'root'],
    ['/dev/vg-0/root', 'root'],
    ['UUID=ROOT', 'root'],
    ['LABEL="system"', 'root'],
    ['/dev/disk/by-label/system', 'root'],
    ['/dev/nvme0n1p3', undefined],
    ['/dev/md0', undefined],
  ])('%s is %s', (spec, uuid) => expect(resolve(spec)?.uuid).toBe(uuid));

  test('the root by the mapper, however it is written', () =>
    expect(resolve('/dev/sda2', { mountpoint: '/' })?.uuid).toBe('root'));
  test('a UUID of two cloned disks names neither: their partitions do', () => {
    expect(resolve('/dev/sda1')).toEqual({ device: '/dev/sda1', type: 'ext4', partUuid: 'p-a1' });
    expect(planFstab('/dev/nvme1n1p1 /x ext4\n', resolve).text).toBe('PARTUUID=p-b1 /x ext4\n');
  });
  test('what holds other devices is not mounted; a LUKS volume is found as such', () => {
    expect(resolve('/dev/sda2', { type: 'auto' })).toBeUndefined();
    expect(resolve('/dev/sda3')).toBeUndefined();
    expect(resolve('/dev/sda3', { type: 'crypto_LUKS' })?.uuid).toBe('luks');
  });
});

const luks = deviceResolver({
  diskCount: 2,
  mountpoints: [],
  fileSystems: [
    { device: '/dev/sda5', type: 'crypto_LUKS', uuid: 'luks-root' },
    { device: '/dev/sda6', type: 'crypto_LUKS', uuid: 'never' },
    { device: '/dev/sdb1', type: 'crypto_LUKS', uuid: 'luks-data' },
  ],
});

test('crypttab: the LUKS header’s UUID; a random key or a key on a disk is only told', () => {
  const plan = planCrypttab(fixtures.CRYPTTAB, luks);
  expect(plan.text).toBe(
    fixtures.CRYPTTAB.replace('/dev/sda5 none', 'UUID=luks-root none').replace(
      /\/dev\/disk\/by-id\S+/,
      'UUID=luks-data',
    ),
  );
  expect(plan.unresolved).toEqual([
    expect.stringContaining('cswap is on /dev/sda6'),
    expect.stringContaining('usb takes its key'),
  ]);
});

test('dracut: resume= and root= of its command lines', () => {
  const resolve = deviceResolver({
    diskCount: 1,
    mountpoints: [mount('/', '/dev/sda1')],
    fileSystems: [
      { device: '/dev/sda1', type: 'ext4', uuid: 'r' },
      { device: '/dev/sda2', type: 'swap', uuid: 's' },
    ],
  });
  const text =
    '# kernel_cmdline+=" resume=/dev/sda2 "\nkernel_cmdline+=" root=/dev/sda1 resume=/dev/sda2 quiet"\nadd_drivers+=" x "\n';
  const plan = planDracut(text, resolve);
  expect(plan.text).toBe(text.replace('" root=/dev/sda1 resume=/dev/sda2', '" root=UUID=r resume=UUID=s'));
});

test('mdadm.conf: all partitions are looked at, arrays are known by UUID', () => {
  const plan = planMdadm(fixtures.MDADM);
  expect(plan.text).toBe(
    fixtures.MDADM.replace('DEVICE /dev/sd*[0-9] /dev/sdb', 'DEVICE partitions').replace(
      ' devices=/dev/sdb1,/dev/sdc1',
      '',
    ),
  );
  expect(plan.unresolved).toEqual([expect.stringContaining('/dev/sdb2')]);
  expect(planMdadm('DEVICE partitions /dev/sdb\ndev /dev/md* /dev/sdc\n').text).toBe(
    'DEVICE partitions\ndev /dev/md* partitions\n',
  );
});

test('lvm.conf: filters take virtio’s names too; comments and other settings stay', () => {
  const plan = planLvmFilters(fixtures.LVM_CONF);
  expect(plan.text).toBe(
    fixtures.LVM_CONF.replace('"a|^/dev/sda2$|", "a|/dev/sd[bc].*|",', '"a|^/dev/[sv]da2$|", "a|/dev/[sv]d[bc].*|",')
      .replace('"a|^/dev/disk/by-id/scsi-36000c29.*|"', '"a|^/dev/[sv]d[a-z]+[0-9]*$|"')
      .replace('"a|sd.*|"', '"a|[sv]d.*|"'),
  );
  expect(planLvmFilters('filter = "a|/dev/[hs]d.*|"\n').text).toBe('filter = "a|/dev/[hsv]d.*|"\n');
  expect(planLvmFilters('filter = [ "a|/dev/nvme0n1p3|", "r|.*|" ]\n').unresolved).toHaveLength(1);
});

test('LVM’s devices file', () => {
  expect(hidesDisks(fixtures.LVM_DEVICES)).toBe(true);
  expect(hidesDisks('VERSION=1.1.1\n# IDTYPE=sys_wwid\nIDTYPE=md_uuid IDNAME=abc PVID=x\n')).toBe(false);
});

test('systemd units', () => {
  const resolve = deviceResolver({
    diskCount: 2,
    mountpoints: [],
    fileSystems: [{ device: '/dev/sdb1', type: 'ext4', uuid: 'd1' }],
  });
  expect(planUnit('data.mount', fixtures.MOUNT_UNIT, resolve).text).toBe(
    fixtures.MOUNT_UNIT.replace('/dev/sdb1', '/dev/disk/by-uuid/d1'),
  );
  expect(planUnit('dev-sda2.swap', fixtures.SWAP_UNIT, resolve)).toEqual({
    text: fixtures.SWAP_UNIT,
    unresolved: '/dev/sda2',
  });
  // As `systemd-escape --path --suffix=swap` says.
  expect(swapUnitName('/dev/disk/by-uuid/51ab-swap')).toBe('dev-disk-by\\x2duuid-51ab\\x2dswap.swap');
});

describe('the whole step', () => {
  const facts = {
    diskCount: 2,
    mountpoints: [mount('/', '/dev/sda1'), mount('/data', '/dev/sdb1')],
    fileSystems: [
      { device: '/dev/sda1', type: 'ext4', uuid: 'root-uuid' },
      { device: '/dev/sda2', type: 'swap', uuid: 'swap-uuid' },
      { device: '/dev/sdb1', type: 'ext4', uuid: 'data-uuid' },
      { device: '/dev/sda5', type: 'crypto_LUKS', uuid: 'luks-uuid' },
    ],
  };
  const files = {
    '/etc/fstab': '/dev/sda1 / ext4 defaults 0 1\n',
    '/etc/crypttab': 'sda5_crypt /dev/sda5 none luks\n',
    '/etc/initramfs-tools/conf.d/resume': 'RESUME=/dev/sda2\n',
    '/etc/dracut.conf.d/10-resume.conf': 'kernel_cmdline+=" resume=/dev/sda2 "\n',
    '/etc/mdadm/mdadm.conf': fixtures.MDADM,
    '/etc/lvm/lvm.conf': fixtures.LVM_CONF,
    '/etc/lvm/devices/system.devices': fixtures.LVM_DEVICES,
    '/etc/systemd/system/data.mount': fixtures.MOUNT_UNIT,
    '/etc/systemd/system/dev-sda2.swap': fixtures.SWAP_UNIT,
    '/etc/systemd/system/swap.target.wants/dev-sda2.swap': '-> ../dev-sda2.swap',
  };
  const swap = 'dev-disk-by\\x2duuid-swap\\x2duuid.swap';

  test('everything by UUID, and again nothing', async () => {
    const tree = new GuestTree(files);
    const { changed, state } = await runStep(fstabStep, tree, { facts });
    expect(changed).toMatchObject({
      '/etc/fstab': 'UUID=root-uuid / ext4 defaults 0 1\n',
      '/etc/crypttab': 'sda5_crypt UUID=luks-uuid none luks\n',
      '/etc/initramfs-tools/conf.d/resume': 'RESUME=UUID=swap-uuid\n',
      '/etc/dracut.conf.d/10-resume.conf': 'kernel_cmdline+=" resume=UUID=swap-uuid "\n',
      '/etc/lvm/devices/system.devices': undefined,
      '/etc/lvm/devices/system.devices.before-hyper2kvm': fixtures.LVM_DEVICES,
      '/etc/systemd/system/dev-sda2.swap': undefined,
      [`/etc/systemd/system/${swap}`]: fixtures.SWAP_UNIT.replace('/dev/sda2', '/dev/disk/by-uuid/swap-uuid'),
      [`/etc/systemd/system/swap.target.wants/${swap}`]: `-> ../${swap}`,
    });
    expect(state.initramfsStale).toBe(true);
    expect(codes(state)).toEqual(['STORAGE_DEVICE_UNKNOWN']);
    const again = await runStep(fstabStep, tree, { facts });
    expect(again.changed).toEqual({});
    expect(again.state).toMatchObject({ changes: [], initramfsStale: false });
  });

  test.each([
    '/etc/crypttab',
    '/etc/initramfs-tools/conf.d/resume',
    '/etc/dracut.conf.d/10-resume.conf',
    '/etc/mdadm/mdadm.conf',
    '/etc/lvm/lvm.conf',
    '/etc/lvm/devices/system.devices',
  ] as const)('%s is copied by the initramfs, which is rebuilt', async (file) => {
    const { state, changed } = await runStep(fstabStep, new GuestTree({ [file]: files[file] }), { facts });
    expect(Object.keys(changed)).toContain(file);
    expect(state.initramfsStale).toBe(true);
  });

  test('fstab alone needs no new initramfs', async () => {
    const { state } = await runStep(fstabStep, new GuestTree({ '/etc/fstab': files['/etc/fstab'] }), { facts });
    expect(state.changes).toMatchObject([{ file: '/etc/fstab', diff: expect.stringContaining('+UUID=root-uuid /') }]);
    expect(state.initramfsStale).toBe(false);
  });

  test('a root that cannot be told fails the job, a missing fstab does not', async () => {
    const unknown = new GuestTree({ '/etc/fstab': '/dev/sdq1 /usr ext4 defaults 0 1\n' });
    await expect(runStep(fstabStep, unknown, { facts })).rejects.toThrow('/dev/sdq1 on /usr names hardware');
    expect(codes((await runStep(fstabStep, new GuestTree({}), { facts })).state)).toEqual(['FSTAB_MISSING']);
  });
});
