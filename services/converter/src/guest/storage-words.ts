import type { GuestFacts } from './facts.js';

type Storage = Pick<GuestFacts, 'root' | 'mountpoints' | 'fileSystems' | 'luks'>;

/** Of the root file system, for people: `xfs (LVM)`, `btrfs (LUKS)`, `ext4`. */
export function storageWords({ root, mountpoints, fileSystems, luks }: Storage): string {
  const device = mountpoints.find(({ path }) => path === '/')?.device ?? root;
  const type = fileSystems.find((one) => one.device === device)?.type ?? 'unknown';
  const beneath = [
    ...(isLogicalVolume(device) ? ['LVM'] : []),
    ...(luks.length > 0 ? ['LUKS'] : []),
    ...(device.startsWith('/dev/md') ? ['RAID'] : []),
  ];
  return beneath.length === 0 ? type : `${type} (${beneath.join(', ')})`;
}

/** libguestfs calls one /dev/GROUP/VOLUME, and an opened LUKS volume /dev/mapper/NAME. */
const isLogicalVolume = (device: string): boolean => /^\/dev\/(?!mapper\/)[^/]+\/[^/]+$/.test(device);
