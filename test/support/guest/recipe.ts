/**
 * What test guests are made of: Debian 12 as it would run on VMware. Each boots from a pvscsi disk and vmxnet3 NICs, and
 * does not boot on virtio, because its initramfs holds VMware's disk drivers alone and its devices are named by path.
 * That makes "boots on virtio after conversion" a true statement about the converter.
 *
 * Recipes are data, and the cache key is the hash of one: a changed recipe is another guest.
 */
import { createHash } from 'node:crypto';

export interface Recipe {
  /** Also its host name. */
  readonly name: string;
  readonly packages: readonly string[];
  /** Options of dpkg while the packages are installed. */
  readonly dpkgOptions: readonly string[];
  /** Files put into the root before its initramfs is made: path in the guest → content. */
  readonly files: Readonly<Record<string, string>>;
  /** Shell, run natively on the finished root (its path is $1): there an initramfs takes seconds, in the appliance a minute. */
  readonly customize: string;
  /** Of each disk, in bytes; a third of the first is used. */
  readonly capacities: readonly number[];
  /** guestfish commands that turn the root's tar into disks with a boot loader. */
  disk(tar: string): readonly (readonly string[])[];
  /** What the disk commands ask for, in their order. */
  readonly passphrases?: readonly string[];
}

export const SUITE = 'bookworm';
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

/** The guest's NICs by the name they have on VMware: `ethernetN.pciSlotNumber` 192 becomes the kernel's PCI slot 192. */
export const PCI_SLOTS = { ens192: 192, ens224: 224 } as const;
/** The slot of a guest's first NIC. */
export const PCI_SLOT = PCI_SLOTS.ens192;

/** No network reaches these: they are configured by hand in the guest, and have to be on the same NIC afterwards. */
export const STATIC_ADDRESSES = { ens192: '192.0.2.21/24', ens224: '198.51.100.34/25' } as const;

/** What no test needs and all of them would have to write, export and copy. */
export const SLIM = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/locale/*',
  ...['sound', 'drivers/gpu', 'drivers/media', 'drivers/infiniband', 'drivers/iio', 'drivers/staging'].map(
    (folder) => `/lib/modules/*/kernel/${folder}/*`,
  ),
  ...['wireless', 'ethernet/mellanox', 'ethernet/intel', 'ethernet/broadcom', 'ethernet/chelsio'].map(
    (folder) => `/lib/modules/*/kernel/drivers/net/${folder}/*`,
  ),
].map((pattern) => `path-exclude=${pattern}`);

/** The disk drivers of VMware's controllers alone, as an initramfs that was made on VMware for its own machine. */
export const vmwareInitramfs = (...others: string[]): Record<string, string> => ({
  '/etc/initramfs-tools/modules': ['mptspi', 'vmw_pvscsi', 'sd_mod', ...others, ''].join('\n'),
  '/etc/initramfs-tools/conf.d/modules': 'MODULES=list\n',
  // Without it the initramfs waits for the swap partition of the machine that it was built on.
  '/etc/initramfs-tools/conf.d/resume': 'RESUME=none\n',
});

export const identity = (name: string): Record<string, string> => ({
  '/etc/hostname': `${name}\n`,
  '/etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${name}\n`,
});

/** Names the root device by its path. */
export const grubDefaults = (commandLine: string): Record<string, string> => ({
  '/etc/default/grub': [
    'GRUB_DEFAULT=0',
    'GRUB_TIMEOUT=1',
    'GRUB_DISTRIBUTOR=Debian',
    `GRUB_CMDLINE_LINUX="${commandLine}"`,
    'GRUB_DISABLE_LINUX_UUID=true',
    'GRUB_TERMINAL="console serial"',
    'GRUB_SERIAL_COMMAND="serial --speed=115200"',
    '',
  ].join('\n'),
});

export const SERIAL_CONSOLE = 'console=tty0 console=ttyS0,115200';

/** A locked root, and no timers that reach for the network. */
export const COMMON_CUSTOMIZE = [
  'set -eu',
  'chroot "$1" passwd --lock root',
  'chroot "$1" systemctl disable apt-daily.timer apt-daily-upgrade.timer',
];

/** SHA-256 of the whole recipe, hexadecimal. */
export function recipeHash(recipe: Recipe): string {
  return createHash('sha256')
    .update(JSON.stringify([SUITE, { ...recipe, disk: recipe.disk('root.tar') }]))
    .digest('hex');
}
