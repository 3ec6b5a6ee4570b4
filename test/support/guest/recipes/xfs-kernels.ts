/** XFS root, separate /boot, three kernels of which none has virtio in its initramfs; systemd-networkd. */
import {
  COMMON_CUSTOMIZE,
  GIB,
  grubDefaults,
  identity,
  SERIAL_CONSOLE,
  SLIM,
  STATIC_ADDRESSES,
  vmwareInitramfs,
  type Recipe,
} from '../recipe.js';

const network = (name: keyof typeof STATIC_ADDRESSES): string =>
  `[Match]\nName=${name}\n\n[Network]\nAddress=${STATIC_ADDRESSES[name]}\n`;

export const xfsKernels: Recipe = {
  name: 'xfs-kernels',
  packages: [
    'grub-pc',
    'initramfs-tools',
    'iproute2',
    // 6.12 sorts before 6.1 as a version, and the real-time one beside the plain 6.1.
    'linux-image-6.12-amd64',
    'linux-image-amd64',
    'linux-image-rt-amd64',
    'systemd-sysv',
    'udev',
    'xfsprogs',
  ],
  dpkgOptions: SLIM,
  files: {
    ...identity('xfs-kernels'),
    ...vmwareInitramfs('xfs'),
    ...grubDefaults(SERIAL_CONSOLE),
    '/etc/fstab': '/dev/sda2 / xfs defaults 0 1\n/dev/sda1 /boot ext4 defaults 0 2\n',
    '/etc/systemd/network/lan.network': network('ens192'),
    '/etc/systemd/network/backup.network': network('ens224'),
  },
  customize: [
    ...COMMON_CUSTOMIZE,
    'chroot "$1" systemctl enable systemd-networkd.service',
    'chroot "$1" update-initramfs -u -k all',
  ].join('\n'),
  capacities: [3 * GIB],
  disk: (tar) => [
    ['run'],
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', '2048', '821247'],
    ['part-add', '/dev/sda', 'p', '821248', '-2048'],
    ['mkfs', 'ext4', '/dev/sda1'],
    ['mkfs', 'xfs', '/dev/sda2'],
    ['mount', '/dev/sda2', '/'],
    ['mkdir', '/boot'],
    ['mount', '/dev/sda1', '/boot'],
    ['tar-in', tar, '/'],
    ['command', 'grub-install --no-floppy /dev/sda'],
    ['command', 'update-grub'],
    ['umount-all'],
  ],
};
