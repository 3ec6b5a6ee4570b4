/** The guest without systemd: sysvinit, ifupdown, BIOS, ext4. What it has of systemd is udev. */
import { GIB, grubDefaults, identity, SERIAL_CONSOLE, SLIM, vmwareInitramfs, type Recipe } from '../recipe.js';
import { STATIC_INTERFACES } from './ifupdown.js';

export const sysvinit: Recipe = {
  name: 'sysvinit',
  packages: [
    'grub-pc',
    'ifupdown',
    'initramfs-tools',
    'initscripts',
    'iproute2',
    'linux-image-amd64',
    'sysv-rc',
    'sysvinit-core',
    'udev',
  ],
  dpkgOptions: SLIM,
  files: {
    ...identity('sysvinit'),
    ...vmwareInitramfs('ext4'),
    ...grubDefaults(SERIAL_CONSOLE),
    '/etc/fstab': '/dev/sda1 / ext4 errors=remount-ro 0 1\n',
    '/etc/network/interfaces': STATIC_INTERFACES,
  },
  customize: [
    'set -eu',
    'chroot "$1" passwd --lock root',
    'echo "T0:23:respawn:/sbin/getty -L ttyS0 115200 vt100" >> "$1/etc/inittab"',
    'chroot "$1" update-initramfs -u -k all',
  ].join('\n'),
  capacities: [1.5 * GIB],
  disk: (tar) => [
    ['run'],
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', '2048', '-2048'],
    ['mkfs', 'ext4', '/dev/sda1'],
    ['mount', '/dev/sda1', '/'],
    ['tar-in', tar, '/'],
    ['command', 'grub-install --no-floppy /dev/sda'],
    ['command', 'update-grub'],
    ['umount-all'],
  ],
};
