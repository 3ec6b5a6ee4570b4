/** Guests that cannot be booted here, as files alone: what distributions other than Debian write, on real file systems. */
import type { Machine } from '@hyper2kvm/contracts';

export interface PhonyGuest {
  /** Folder beside this file: `before/` is the guest, `after/` the files that a conversion must have changed or added, by hand. */
  readonly name: string;
  readonly machine: Omit<Machine, 'disks'>;
  /** Bytes of each disk; /dev/sda, /dev/sdb, … in the layout. */
  readonly disks: readonly number[];
  /** guestfish commands that make its file systems and mount them. */
  readonly layout: readonly (readonly string[])[];
  /** What is mounted to read it again: device and place, in order. */
  readonly mounts: readonly (readonly [mountable: string, place: string])[];
  /** Files of `before/` that are too odd to lie in a source tree: path → content, or `→` and a link's target. */
  readonly made?: Readonly<Record<string, string>>;
  readonly kernels: readonly { readonly version: string; readonly kernel: string; readonly initramfs: string }[];
  /** Files of `before/` that must be gone, folders too. */
  readonly removed: readonly string[];
}

const MIB = 1024 ** 2;
const common = { cpus: 2, memory_bytes: 1024 * MIB, firmware: 'bios', secure_boot: false } as const;

const nic = (label: number, mac: string, slot: number): Machine['nics'][number] => ({
  label: `Network adapter ${label}`,
  type: 'vmxnet3',
  mac,
  pci_slot: slot,
  network: 'VM Network',
});

/** RHEL 9: BLS entries, /boot of its own, XFS, ifcfg files with a VLAN, SELinux enforcing, VMware's tools from their tar. */
const rhel9: PhonyGuest = {
  name: 'rhel9',
  machine: {
    ...common,
    name: 'erp01',
    nics: [nic(1, '00:50:56:9a:01:01', 192), nic(2, '00:50:56:9a:01:02', 224)],
  },
  // mkfs.xfs makes none of less than 300 MB.
  disks: [1024 * MIB, 400 * MIB],
  layout: [
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', '2048', '264191'],
    ['part-add', '/dev/sda', 'p', '264192', '1900543'],
    ['part-add', '/dev/sda', 'p', '1900544', '-2048'],
    ['part-disk', '/dev/sdb', 'mbr'],
    ['mkfs', 'ext4', '/dev/sda1'],
    ['set-uuid', '/dev/sda1', '7c1d9f56-0b6e-4d0e-9a3c-2f5b8e1d4a01'],
    ['mkfs', 'xfs', '/dev/sda2'],
    ['set-uuid', '/dev/sda2', '7c1d9f56-0b6e-4d0e-9a3c-2f5b8e1d4a02'],
    ['mkswap', '/dev/sda3', 'uuid:7c1d9f56-0b6e-4d0e-9a3c-2f5b8e1d4a03'],
    ['mkfs', 'xfs', '/dev/sdb1'],
    ['set-uuid', '/dev/sdb1', '7c1d9f56-0b6e-4d0e-9a3c-2f5b8e1d4a04'],
    ['mount', '/dev/sda2', '/'],
    ['mkdir', '/boot'],
    ['mkdir', '/data'],
    ['mount', '/dev/sda1', '/boot'],
    ['mount', '/dev/sdb1', '/data'],
  ],
  mounts: [
    ['/dev/sda2', '/'],
    ['/dev/sda1', '/boot'],
    ['/dev/sdb1', '/data'],
  ],
  kernels: ['5.14.0-362.8.1.el9_3.x86_64', '5.14.0-70.13.1.el9_0.x86_64'].map((version) => ({
    version,
    kernel: `/boot/vmlinuz-${version}`,
    initramfs: `/boot/initramfs-${version}.img`,
  })),
  removed: [
    '/etc/vmware-tools/locations',
    '/etc/vmware-tools/services.sh',
    '/usr/lib/vmware-tools/bin64/appLoader',
    '/usr/bin/vmware-toolbox-cmd',
    '/etc/init.d/vmware-tools',
  ],
};

/** SLES 15: the root is the default subvolume, a snapshot of snapper; by-id names, wicked, persistent eth names. */
const sles15: PhonyGuest = {
  name: 'sles15',
  machine: {
    ...common,
    name: 'sap07',
    nics: [nic(1, '00:50:56:9a:02:01', 192), nic(2, '00:50:56:9a:02:02', 224)],
  },
  disks: [1024 * MIB],
  layout: [
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', '2048', '1900543'],
    ['part-add', '/dev/sda', 'p', '1900544', '-2048'],
    ['mkfs', 'btrfs', '/dev/sda1'],
    ['set-uuid', '/dev/sda1', '5a0e7b1c-92d4-4f6b-8c3d-1e2f3a4b5c01'],
    ['mkswap', '/dev/sda2', 'uuid:5a0e7b1c-92d4-4f6b-8c3d-1e2f3a4b5c02'],
    ['mount', '/dev/sda1', '/'],
    ['btrfs-subvolume-create', '/@'],
    ['btrfs-subvolume-create', '/@/var'],
    ['btrfs-subvolume-create', '/@/home'],
    ['btrfs-subvolume-create', '/@/.snapshots'],
    ['mkdir', '/@/.snapshots/1'],
    ['btrfs-subvolume-create', '/@/.snapshots/1/snapshot'],
    // Mounted without a subvolume it is that one from now on: the one that was made last.
    ['btrfs-subvolume-set-default', '260', '/'],
    ['umount-all'],
    ['mount', '/dev/sda1', '/'],
    ['mkdir', '/var'],
    ['mkdir', '/home'],
    ['mkdir', '/.snapshots'],
  ],
  mounts: [['/dev/sda1', '/']],
  kernels: [
    {
      version: '5.14.21-150500.53-default',
      kernel: '/boot/vmlinuz-5.14.21-150500.53-default',
      initramfs: '/boot/initrd-5.14.21-150500.53-default',
    },
  ],
  removed: [],
};

/** Ubuntu 22.04: netplan with a bond and a VLAN over static cards, by-uuid root, a submenu of GRUB that names /dev/sda2. */
const ubuntu2204: PhonyGuest = {
  name: 'ubuntu2204',
  machine: {
    ...common,
    name: 'web-03',
    nics: [nic(1, '00:50:56:9a:03:01', 160), nic(2, '00:50:56:9a:03:02', 192)],
  },
  disks: [512 * MIB, 64 * MIB],
  layout: [
    ['part-init', '/dev/sda', 'gpt'],
    ['part-add', '/dev/sda', 'p', '2048', '4095'],
    ['part-add', '/dev/sda', 'p', '4096', '-2048'],
    ['part-disk', '/dev/sdb', 'gpt'],
    ['mkfs', 'ext4', '/dev/sda2'],
    ['set-uuid', '/dev/sda2', '91b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c01'],
    ['mkfs', 'ext4', '/dev/sdb1'],
    ['set-uuid', '/dev/sdb1', '91b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c02'],
    ['mount', '/dev/sda2', '/'],
    ['mkdir', '/srv'],
    ['mount', '/dev/sdb1', '/srv'],
  ],
  mounts: [
    ['/dev/sda2', '/'],
    ['/dev/sdb1', '/srv'],
  ],
  kernels: [
    {
      version: '5.15.0-91-generic',
      kernel: '/boot/vmlinuz-5.15.0-91-generic',
      initramfs: '/boot/initrd.img-5.15.0-91-generic',
    },
  ],
  removed: [],
};

/** Where a link of the hostile guest points: there is such a file on the host while it is converted. */
export const CANARY = '/tmp/hyper2kvm-phony-canary';

/** Debian, made to hurt: an fstab of 100,000 lines, and links that lead out of the guest. */
const hostile: PhonyGuest = {
  name: 'hostile',
  machine: { ...common, name: '../../-rf 🙈 ' + 'x'.repeat(300), nics: [nic(1, '00:50:56:9a:04:01', 192)] },
  disks: [512 * MIB],
  layout: [
    ['part-disk', '/dev/sda', 'mbr'],
    ['mkfs', 'ext4', '/dev/sda1'],
    ['set-uuid', '/dev/sda1', 'c4d5e6f7-0819-4a2b-8c3d-4e5f60718201'],
    ['mount', '/dev/sda1', '/'],
  ],
  mounts: [['/dev/sda1', '/']],
  made: {
    '/etc/fstab': `/dev/sda1 / ext4 defaults 0 1\n${hostileLines().join('\n')}\n`,
    '/etc/default/grub': `→${CANARY}`,
    '/etc/udev/rules.d/70-persistent-net.rules': `→../../../../../../..${CANARY}`,
    '/etc/selinux/config': `→${CANARY}`,
    '/etc/network/interfaces': '→/etc/network/interfaces',
  },
  kernels: [
    {
      version: '6.1.0-28-amd64',
      kernel: '/boot/vmlinuz-6.1.0-28-amd64',
      initramfs: '/boot/initrd.img-6.1.0-28-amd64',
    },
  ],
  removed: [],
};

/** Comments, entries of the network, half entries, and blanks that a careless expression would try in every way. */
function hostileLines(): string[] {
  const kinds = [
    '# comment',
    'nas:/export /mnt nfs defaults 0 0',
    '/dev/sd',
    `/dev/sda1${' \t'.repeat(40)}`,
    '\0\u00ff',
  ];
  return Array.from({ length: 100_000 }, (_, index) => kinds[index % kinds.length] ?? '');
}

export const PHONY_GUESTS: readonly PhonyGuest[] = [rhel9, sles15, ubuntu2204, hostile];
