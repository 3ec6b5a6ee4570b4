/**
 * An encrypted root behind a plain /boot, as the installer of Debian sets it up, and data on a RAID 1 of two more disks.
 * It has no serial console: whoever types the passphrase sits at a screen. Everything that needs the volumes to be there
 * is done in the appliance.
 */
import { COMMON_CUSTOMIZE, GIB, grubDefaults, identity, MIB, SLIM, vmwareInitramfs, type Recipe } from '../recipe.js';
import { STATIC_INTERFACES } from './ifupdown.js';

/** With characters for which keyboards and shells need care. */
export const PASSPHRASE = 'corr3ct "Horse" $battery~staple';

export const luksRaid: Recipe = {
  name: 'luks-raid',
  packages: [
    'cryptsetup-initramfs',
    'grub-pc',
    'ifupdown',
    'initramfs-tools',
    'iproute2',
    'linux-image-amd64',
    'mdadm',
    'systemd-sysv',
    'udev',
  ],
  dpkgOptions: SLIM,
  files: {
    ...identity('luks-raid'),
    ...vmwareInitramfs('ext4', 'dm_crypt', 'raid1'),
    ...grubDefaults('quiet'),
    '/etc/fstab': [
      '/dev/mapper/sda2_crypt / ext4 errors=remount-ro 0 1',
      '/dev/sda1 /boot ext4 defaults 0 2',
      '/dev/md/data /srv/data ext4 defaults 0 2',
      '',
    ].join('\n'),
    '/etc/network/interfaces': STATIC_INTERFACES,
  },
  customize: [...COMMON_CUSTOMIZE, 'mkdir -p "$1/srv/data"'].join('\n'),
  capacities: [2 * GIB, 64 * MIB, 64 * MIB],
  passphrases: [PASSPHRASE, PASSPHRASE],
  disk: (tar) => [
    ['run'],
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', '2048', '526335'],
    ['part-add', '/dev/sda', 'p', '526336', '-2048'],
    ['mkfs', 'ext4', '/dev/sda1'],
    ['luks-format', '/dev/sda2', '0'],
    ['luks-open', '/dev/sda2', 'sda2_crypt'],
    ['mkfs', 'ext4', '/dev/mapper/sda2_crypt'],
    ['md-create', 'data', '/dev/sdb /dev/sdc', 'level:raid1'],
    ['mkfs', 'ext4', '/dev/md127'],
    ['mount', '/dev/mapper/sda2_crypt', '/'],
    ['mkdir', '/boot'],
    ['mount', '/dev/sda1', '/boot'],
    ['tar-in', tar, '/'],
    ['sh', 'echo "sda2_crypt UUID=$(blkid -s UUID -o value /dev/sda2) none luks,discard" > /etc/crypttab'],
    ['sh', 'mdadm --detail --scan | sed "s|^ARRAY [^ ]*|ARRAY /dev/md/data|" >> /etc/mdadm/mdadm.conf'],
    ['command', 'update-initramfs -u -k all'],
    ['command', 'grub-install --no-floppy /dev/sda'],
    ['command', 'update-grub'],
    ['umount-all'],
  ],
};
