/** NetworkManager's keyfiles, dracut for its own machine only, BIOS, btrfs with the root in a subvolume. */
import {
  COMMON_CUSTOMIZE,
  GIB,
  grubDefaults,
  identity,
  SERIAL_CONSOLE,
  SLIM,
  STATIC_ADDRESSES,
  type Recipe,
} from '../recipe.js';

const keyfile = (name: keyof typeof STATIC_ADDRESSES): string =>
  [
    '[connection]',
    `id=${name}`,
    'type=ethernet',
    `interface-name=${name}`,
    '',
    '[ipv4]',
    'method=manual',
    `address1=${STATIC_ADDRESSES[name]}`,
    '',
    '[ipv6]',
    'method=ignore',
    '',
  ].join('\n');

const CONNECTIONS = '/etc/NetworkManager/system-connections';

export const nmDracutBtrfs: Recipe = {
  name: 'nm-dracut-btrfs',
  packages: [
    'btrfs-progs',
    'dracut',
    'grub-pc',
    'iproute2',
    'linux-image-amd64',
    'network-manager',
    'systemd-sysv',
    'udev',
  ],
  dpkgOptions: SLIM,
  files: {
    ...identity('nm-dracut-btrfs'),
    ...grubDefaults(SERIAL_CONSOLE),
    '/etc/fstab': '/dev/sda1 / btrfs defaults,subvol=@rootfs 0 0\n',
    '/etc/dracut.conf.d/10-hostonly.conf': 'hostonly="yes"\n',
    [`${CONNECTIONS}/ens192.nmconnection`]: keyfile('ens192'),
    [`${CONNECTIONS}/ens224.nmconnection`]: keyfile('ens224'),
  },
  customize: [
    ...COMMON_CUSTOMIZE,
    `chmod 600 "$1${CONNECTIONS}"/*`,
    // What a dracut that knows its own machine alone would have taken on VMware; here it runs on another.
    'for kernel in "$1"/lib/modules/*; do',
    '  kernel=${kernel##*/}',
    '  chroot "$1" dracut --force --no-hostonly --no-hostonly-cmdline --drivers "vmw_pvscsi mptspi sd_mod btrfs" \\',
    '    --omit "network crypt dm lvm mdraid multipath nfs iscsi qemu qemu-net virtiofs" \\',
    '    --omit-drivers "virtio_pci virtio_blk virtio_scsi virtio_net" "/boot/initrd.img-$kernel" "$kernel"',
    'done',
  ].join('\n'),
  capacities: [2 * GIB],
  disk: (tar) => [
    ['run'],
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', '2048', '-2048'],
    ['mkfs', 'btrfs', '/dev/sda1'],
    ['mount', '/dev/sda1', '/'],
    ['btrfs-subvolume-create', '/@rootfs'],
    ['umount', '/'],
    ['mount-options', 'subvol=@rootfs', '/dev/sda1', '/'],
    ['tar-in', tar, '/'],
    ['command', 'grub-install --no-floppy /dev/sda'],
    ['command', 'update-grub'],
    ['umount-all'],
  ],
};
