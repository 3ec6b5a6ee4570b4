/** Small disks with roots made by hand, for what the inspection has to find: a few files each, nothing that could boot. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { libguestfsEnv } from '../support/kvm.js';

type Command = readonly string[];

const MIB = 1024 ** 2;

export const PASSPHRASE = 'correct horse battery staple';
const SIZES_MIB = [160, 160, 400, 64, 64, 200];
export const ROOT_UUID = '3b0c1f6a-2f7b-4a55-9d0c-7d1f0e6a1c01';
const UUIDS = { boot: '5a1a0b7e-1111-4222-8333-944455556601', luks: 'c0ffee00-1111-4222-8333-944455556602' };
export const { luks: LUKS_UUID } = UUIDS;

/** In the appliance's shell, some times if need be: nodes of partitions vanish for a moment while udev looks at a new table. */
const shell = (script: string): Command => [
  'debug',
  'sh',
  `'n=0; until ${script}; do n=$((n+1)); test $n -lt 20 || exit 1; sleep 0.5; done'`,
];
const file = (name: string, text: string): Command[] => [
  ['mkdir-p', path.posix.dirname(name)],
  ['write', name, text],
];
const luksFormat = (device: string, passphrase: string, uuid: string): Command =>
  shell(
    `printf "${passphrase}" | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --uuid ${uuid} ${device} -`,
  );

const osRelease = (id: string, name: string, version: string): string =>
  `ID=${id}\nPRETTY_NAME="${name}"\nVERSION_ID="${version}"\n`;

/** /dev/mapper/secure is what the guest calls its root's LUKS volume. */
const FSTAB = `# <file system> <mount point> <type> <options> <dump> <pass>
/dev/mapper/secure / btrfs defaults,subvol=@ 0 0
/dev/mapper/secure /home btrfs defaults,subvol=/@home 0 0
UUID=${UUIDS.boot} /boot ext4 defaults 0 2
/dev/sda1 /boot/efi vfat umask=0077 0 1
/dev/data-vg/var /var ext4 defaults 0 2
/dev/mapper/data--vg-swap none swap sw 0 0
/dev/md0 /srv/array ext4 defaults 0 2
LABEL=gone /mnt/gone ext4 defaults 0 2
LABEL=usb /mnt/usb ext4 nofail 0 2
nas:/export /mnt/nas nfs defaults 0 0
/srv/array /mnt/bound none bind 0 0
`;

const SYSTEM: readonly Command[] = [
  ['part-init', '/dev/sda', 'gpt'],
  ['part-add', '/dev/sda', 'p', '2048', '67583'],
  ['part-add', '/dev/sda', 'p', '67584', '133119'],
  ['part-add', '/dev/sda', 'p', '133120', '-34'],
  ['part-set-gpt-type', '/dev/sda', '1', 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B'],
  ['mkfs', 'vfat', '/dev/sda1'],
  ['mkfs', 'ext4', '/dev/sda2'],
  ['set-uuid', '/dev/sda2', UUIDS.boot],
  ['pvcreate', '/dev/sda3'],
  ['pvcreate', '/dev/sdb'],
  ['vgcreate', 'data-vg', '/dev/sda3 /dev/sdb'],
  ['lvcreate', 'var', 'data-vg', '180'],
  ['lvcreate', 'swap', 'data-vg', '16'],
  ['mkfs', 'ext4', '/dev/data-vg/var'],
  ['mkswap', '/dev/data-vg/swap'],
  ['part-init', '/dev/sdc', 'mbr'],
  ['part-add', '/dev/sdc', 'p', '2048', '737279'],
  ['part-add', '/dev/sdc', 'p', '737280', '-1'],
  luksFormat('/dev/sdc1', PASSPHRASE, UUIDS.luks),
  luksFormat('/dev/sdc2', 'nobody knows', 'c0ffee00-1111-4222-8333-944455556603'),
  shell(`printf "${PASSPHRASE}" | cryptsetup open /dev/sdc1 building --key-file -`),
  ['mkfs', 'btrfs', '/dev/mapper/building'],
  ['md-create', '0', '/dev/sdd /dev/sde'],
  shell('mkfs.ext4 -q /dev/md/0'),
  ['mount', '/dev/mapper/building', '/'],
  ['btrfs-subvolume-create', '/@'],
  ['btrfs-subvolume-create', '/@home'],
  ...file('/@/etc/fstab', FSTAB),
  ...file('/@/etc/crypttab', `secure UUID=${UUIDS.luks} none luks\n`),
  ...file('/@/usr/lib/os-release', osRelease('opensuse-leap', 'openSUSE Leap 15.6', '15.6')),
  ['ln-s', '../usr/lib/os-release', '/@/etc/os-release'],
  ...file('/@/usr/lib/systemd/libsystemd-shared-254.so', ''),
  ...file('/@/usr/lib/systemd/systemd', ''),
  ['mkdir-p', '/@/usr/lib/sysimage/rpm'],
  ...['boot', 'home', 'var', 'srv/array', 'mnt/gone', 'mnt/usb', 'mnt/nas', 'mnt/bound'].map((name): Command => [
    'mkdir-p',
    `/@/${name}`,
  ]),
  ['mkdir', '/@/.snapshots'],
  ['btrfs-subvolume-snapshot', '/@', '/@/.snapshots/1'],
  ['umount', '/'],
  ['mount', '/dev/sda2', '/'],
  ['mkdir', '/efi'],
  ['umount', '/'],
];

/** The last disk, a VM of its own. */
const PAIR: readonly Command[] = [
  ['part-init', '/dev/sdf', 'mbr'],
  ['part-add', '/dev/sdf', 'p', '2048', '131071'],
  ['part-add', '/dev/sdf', 'p', '131072', '262143'],
  ['part-add', '/dev/sdf', 'p', '262144', '-1'],
  ['mkfs', 'ext4', '/dev/sdf1'],
  ['mkfs', 'ext4', '/dev/sdf2'],
  ['mkfs', 'ext4', '/dev/sdf3'],
  ['set-uuid', '/dev/sdf1', ROOT_UUID],
  ['mount', '/dev/sdf1', '/'],
  ...file('/etc/os-release', osRelease('debian', 'Debian GNU/Linux 12 (bookworm)', '12')),
  ...file('/etc/fstab', `UUID=${ROOT_UUID} / ext4 errors=remount-ro 0 1\nLABEL=nowhere /usr ext4 defaults 0 2\n`),
  ...file('/bin/sh', ''),
  ['umount', '/'],
  ['mount', '/dev/sdf2', '/'],
  // Both lead out of the guest, if anybody follows them there.
  ['mkdir-p', '/etc'],
  ['ln-s', '/etc/passwd', '/etc/fstab'],
  ...file('/etc/redhat-release', 'CentOS release 6.10 (Final)\n'),
  ['mkdir-p', '/usr'],
  ['umount', '/'],
  // Data: an etc alone makes no root.
  ['mount', '/dev/sdf3', '/'],
  ...file('/etc/notes', 'backup\n'),
  ['umount', '/'],
];

export interface MadeDisks {
  readonly system: readonly string[];
  readonly pair: readonly string[];
}

/** Makes both sets of disks below a folder, in one appliance. */
export async function makeDisks(folder: string): Promise<MadeDisks> {
  const env = { ...process.env, ...(await libguestfsEnv()) };
  const disks = SIZES_MIB.map((mib, index) => {
    const disk = path.join(folder, `disk${index + 1}.qcow2`);
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, String(mib * MIB)]);
    return disk;
  });
  const args = [...disks.flatMap((disk) => ['--format=qcow2', '-a', disk]), '--', 'run'];
  for (const command of [...SYSTEM, ...PAIR]) args.push(':', ...command);
  execFileSync('guestfish', args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: 300_000 });
  return { system: disks.slice(0, 5), pair: disks.slice(5) };
}
