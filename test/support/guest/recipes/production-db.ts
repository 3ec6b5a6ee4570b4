/** The guest of the demo: ifupdown with DHCP, BIOS, ext4. */
import {
  COMMON_CUSTOMIZE,
  GIB,
  grubDefaults,
  identity,
  SERIAL_CONSOLE,
  vmwareInitramfs,
  type Recipe,
} from '../recipe.js';

export const HOSTNAME = 'production-db';

export const productionDb: Recipe = {
  name: HOSTNAME,
  packages: [
    'grub-pc',
    'ifupdown',
    'initramfs-tools',
    'iproute2',
    'isc-dhcp-client',
    'linux-image-amd64',
    'openssh-server',
    'systemd-sysv',
    'udev',
  ],
  dpkgOptions: [],
  files: {
    ...identity(HOSTNAME),
    ...vmwareInitramfs('ext4'),
    ...grubDefaults(SERIAL_CONSOLE),
    '/etc/fstab': '/dev/sda1 / ext4 errors=remount-ro 0 1\n/dev/sda2 none swap sw 0 0\n',
    '/etc/network/interfaces': 'auto lo\niface lo inet loopback\n\nauto ens192\niface ens192 inet dhcp\n',
    // Puts the NIC's name and address into the serial log before the login prompt, so that a test can read them there.
    '/etc/systemd/system/show-addresses.service': [
      '[Unit]',
      'Description=Show the addresses on the serial console',
      'After=networking.service',
      'Before=serial-getty@ttyS0.service',
      '',
      '[Service]',
      'Type=oneshot',
      'ExecStart=/usr/sbin/ip -brief address',
      'StandardOutput=file:/dev/ttyS0',
      '',
      '[Install]',
      'WantedBy=multi-user.target',
      '',
    ].join('\n'),
  },
  customize: [
    ...COMMON_CUSTOMIZE,
    'chroot "$1" systemctl enable show-addresses.service',
    'chroot "$1" update-initramfs -u -k all',
  ].join('\n'),
  capacities: [3 * GIB],
  disk: (tar) => [
    ['run'],
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', '2048', '5242879'],
    ['part-add', '/dev/sda', 'p', '5242880', '-2048'],
    ['part-set-bootable', '/dev/sda', '1', 'true'],
    ['mkfs', 'ext4', '/dev/sda1', 'label:root'],
    ['mkswap', '/dev/sda2'],
    ['mount', '/dev/sda1', '/'],
    ['tar-in', tar, '/'],
    ['command', 'grub-install --no-floppy /dev/sda'],
    ['command', 'update-grub'],
    ['umount-all'],
  ],
};
