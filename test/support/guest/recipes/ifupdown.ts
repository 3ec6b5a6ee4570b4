/** ifupdown with static addresses, BIOS, ext4, swap. */
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

/** /etc/network/interfaces */
export const STATIC_INTERFACES = [
  'auto lo ens192 ens224',
  'iface lo inet loopback',
  'iface ens192 inet static',
  `  address ${STATIC_ADDRESSES.ens192}`,
  'iface ens224 inet static',
  `  address ${STATIC_ADDRESSES.ens224}`,
  '',
].join('\n');

export const ifupdown: Recipe = {
  name: 'ifupdown',
  packages: ['grub-pc', 'ifupdown', 'initramfs-tools', 'iproute2', 'linux-image-amd64', 'systemd-sysv', 'udev'],
  dpkgOptions: SLIM,
  files: {
    ...identity('ifupdown'),
    ...vmwareInitramfs('ext4'),
    ...grubDefaults(SERIAL_CONSOLE),
    '/etc/fstab': '/dev/sda1 / ext4 errors=remount-ro 0 1\n/dev/sda2 none swap sw 0 0\n',
    '/etc/network/interfaces': STATIC_INTERFACES,
  },
  customize: [...COMMON_CUSTOMIZE, 'chroot "$1" update-initramfs -u -k all'].join('\n'),
  capacities: [2 * GIB],
  disk: (tar) => [
    ['run'],
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', '2048', '3932159'],
    ['part-add', '/dev/sda', 'p', '3932160', '-2048'],
    ['mkfs', 'ext4', '/dev/sda1'],
    ['mkswap', '/dev/sda2'],
    ['mount', '/dev/sda1', '/'],
    ['tar-in', tar, '/'],
    ['command', 'grub-install --no-floppy /dev/sda'],
    ['command', 'update-grub'],
    ['umount-all'],
  ],
};
