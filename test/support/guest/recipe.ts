/**
 * What the test guest is made of: a Debian 12 as it would run on VMware. It boots from a pvscsi disk and a vmxnet3 NIC,
 * and does not boot on virtio, because its initramfs holds VMware's disk drivers alone and its root device is named by
 * path. That makes "boots on virtio after conversion" a true statement about the converter.
 *
 * Everything here is data, and the cache key is the hash of it: a changed recipe is another guest.
 */
import { createHash } from 'node:crypto';

/** The guest's disk, in bytes: 3 GiB, of which about a third is used. */
export const CAPACITY_BYTES = 3 * 1024 ** 3;

/** The name the guest's NIC has on VMware: `ethernet0.pciSlotNumber` 192 becomes the kernel's PCI slot 192. */
export const NIC_NAME = 'ens192';
export const PCI_SLOT = 192;
export const HOSTNAME = 'production-db';

export const SUITE = 'bookworm';
export const PACKAGES = [
  'grub-pc',
  'ifupdown',
  'initramfs-tools',
  'iproute2',
  'isc-dhcp-client',
  'linux-image-amd64',
  'openssh-server',
  'systemd-sysv',
  'udev',
];

/** Files put into the root before its initramfs is made: path in the guest → content. */
export const FILES: Record<string, string> = {
  '/etc/fstab': '/dev/sda1 / ext4 errors=remount-ro 0 1\n/dev/sda2 none swap sw 0 0\n',
  '/etc/hostname': `${HOSTNAME}\n`,
  '/etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${HOSTNAME}\n`,
  '/etc/network/interfaces': `auto lo\niface lo inet loopback\n\nauto ${NIC_NAME}\niface ${NIC_NAME} inet dhcp\n`,
  '/etc/initramfs-tools/modules': 'mptspi\nvmw_pvscsi\nsd_mod\next4\n',
  '/etc/initramfs-tools/conf.d/modules': 'MODULES=list\n',
  // Without it the initramfs waits for the swap partition of the machine that it was built on.
  '/etc/initramfs-tools/conf.d/resume': 'RESUME=none\n',
  '/etc/default/grub': [
    'GRUB_DEFAULT=0',
    'GRUB_TIMEOUT=1',
    'GRUB_DISTRIBUTOR=Debian',
    'GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"',
    'GRUB_DISABLE_LINUX_UUID=true',
    'GRUB_TERMINAL="console serial"',
    'GRUB_SERIAL_COMMAND="serial --speed=115200"',
    '',
  ].join('\n'),
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
};

/** Run natively on the finished root (its path is $1): an initramfs built here takes seconds, under TCG a minute. */
export const CUSTOMIZE = [
  'set -eu',
  'chroot "$1" passwd --lock root',
  'chroot "$1" systemctl enable show-addresses.service',
  'chroot "$1" systemctl disable apt-daily.timer apt-daily-upgrade.timer',
  'chroot "$1" update-initramfs -u -k all',
].join('\n');

/** guestfish commands that turn the root's tar into a disk with a BIOS boot loader. */
export function diskCommands(tar: string): string[][] {
  return [
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
  ];
}

/** SHA-256 of the whole recipe, hexadecimal. */
export function recipeHash(): string {
  const recipe = [CAPACITY_BYTES, SUITE, PACKAGES, FILES, CUSTOMIZE, diskCommands('root.tar')];
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
}
