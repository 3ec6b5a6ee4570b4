import type { Appliance } from '../appliance.js';
import type { LuksVolume } from '../facts.js';
import { type BlockDevice } from './block-device.js';
import { keysFor, type PlacedKey } from './luks-keys.js';
import { survey } from './survey.js';

export interface ClosedVolume {
  readonly device: string;
  /** `LUKS` or `BitLocker`. */
  readonly kind: string;
  readonly uuid: string;
  /** How many keys were tried. */
  readonly tried: number;
}

export interface Unlocked {
  readonly devices: readonly BlockDevice[];
  readonly opened: readonly LuksVolume[];
  readonly closed: readonly ClosedVolume[];
}

export interface KeyDisk {
  /** SCSI target of the disk in the appliance. */
  readonly target: number;
  readonly keys: readonly PlacedKey[];
}

/** Argon2 takes 2 s with KVM, a minute without, and there may be several slots and keys. */
const OPEN_LIMIT_MS = 900_000;
/** LVM in LUKS in LVM is seen; deeper is not. */
const MOST_LAYERS = 4;

/** Opens every LUKS volume that a key fits, and what lies in them. The key disk is gone afterwards. */
export async function unlock(appliance: Appliance, disks: number, keyDisk: KeyDisk | undefined): Promise<Unlocked> {
  const opened: LuksVolume[] = [];
  const tried = new Map<string, number>();
  let devices = await survey(appliance, disks);
  try {
    const layers = keyDisk === undefined ? [] : Array.from({ length: MOST_LAYERS }, () => keyDisk);
    for (const { keys: all, target } of layers) {
      const before = opened.length;
      for (const volume of closedOf(devices, opened)) {
        if (tried.has(volume.device) || volume.kind !== 'LUKS') continue;
        const keys = keysFor(volume, all);
        tried.set(volume.device, keys.length);
        const mapped = `luks-${opened.length + 1}`;
        if (await open(appliance, volume.kernel, mapped, target, keys)) {
          opened.push({ device: volume.device, uuid: volume.uuid, mapped: `/dev/mapper/${mapped}` });
        }
      }
      if (opened.length === before) break;
      devices = await surveyAnew(appliance, disks);
    }
  } finally {
    // The guest's own programs run in this appliance later.
    if (keyDisk !== undefined)
      await appliance.script(`${findDisk(keyDisk.target)}; echo 1 > /sys/block/$k/device/delete; true`);
  }
  const closed = closedOf(devices, opened).map(({ device, kind, uuid }) => ({
    device,
    kind,
    uuid,
    tried: tried.get(device) ?? 0,
  }));
  return { devices, opened, closed };
}

function closedOf(
  devices: readonly BlockDevice[],
  opened: readonly LuksVolume[],
): { device: string; kernel: string; kind: string; uuid: string }[] {
  return devices.flatMap(({ device, kernel, content }) => {
    const kind = content?.type === 'crypto_LUKS' ? 'LUKS' : content?.type;
    if (kind !== 'LUKS' && kind !== 'BitLocker') return [];
    return opened.some((each) => each.device === device) ? [] : [{ device, kernel, kind, uuid: content?.uuid ?? '' }];
  });
}

/** Sets `k` to the kernel's name of the disk at a target. */
const findDisk = (target: number): string =>
  `for d in /sys/block/sd*; do for s in $d/device/scsi_device/*:0:${target}:0; do [ -e $s ] && k=\${d##*/}; done; done`;

/** Numbers and names of our own only: nothing of a key, and nothing of the guest, stands in the command. */
async function open(
  appliance: Appliance,
  kernel: string,
  mapped: string,
  target: number,
  keys: readonly PlacedKey[],
): Promise<boolean> {
  const tries = keys.flatMap(({ offset, lengths }) =>
    lengths.map(
      (length) =>
        `cryptsetup open --type luks --key-file /dev/$k --keyfile-offset ${offset} --keyfile-size ${length} ` +
        `/dev/${kernel} ${mapped} 2>/dev/null`,
    ),
  );
  if (tries.length === 0) return false;
  const said = await appliance.script(
    `${findDisk(target)}; if ${tries.join(' || ')}; then echo OPENED; fi; true`,
    OPEN_LIMIT_MS,
  );
  return said.includes('OPENED');
}

/** What lay in LUKS volumes: arrays, file systems of several devices, and volume groups. */
async function surveyAnew(appliance: Appliance, disks: number): Promise<BlockDevice[]> {
  await appliance.script(
    'mdadm -As --auto=yes --run >/dev/null 2>&1; btrfs device scan >/dev/null 2>&1; udevadm settle; true',
  );
  await appliance.call(['lvm-scan', 'true']);
  return survey(appliance, disks);
}

/**
 * Gives opened volumes the names of the guest's crypttab: its own programs (initramfs-tools' hook) look them up by these.
 * Nothing may be mounted.
 * @param names by the device that the volume lies on
 */
export async function renameVolumes(
  appliance: Appliance,
  disks: number,
  { devices, opened, closed }: Unlocked,
  names: ReadonlyMap<string, string>,
): Promise<Unlocked> {
  const taken = new Set(devices.map(({ dmName }) => dmName));
  const renames: string[] = [];
  const renamed = opened.map((volume) => {
    const name = names.get(volume.device);
    const old = volume.mapped.replace('/dev/mapper/', '');
    if (name === undefined || taken.has(name) || !/^[A-Za-z0-9_][\w.+-]{0,100}$/.test(name)) return volume;
    taken.add(name);
    renames.push(`dmsetup rename ${old} ${name}`);
    return { ...volume, mapped: `/dev/mapper/${name}` };
  });
  if (renames.length === 0) return { devices, opened, closed };
  await appliance.script(`${renames.join('\n')}\nudevadm settle; true`);
  return { devices: await survey(appliance, disks), opened: renamed, closed };
}

/** For people: which volume it is, and whether a key was tried. */
export function describeClosed({ device, kind, uuid, tried }: ClosedVolume): string {
  if (kind !== 'LUKS') return `${device} is encrypted by ${kind}`;
  const keys =
    tried === 0 ? 'no key was given for it' : tried === 1 ? 'the key given' : `none of the ${tried} keys given`;
  const ends = tried === 0 ? '' : tried === 1 ? ' does not open it' : ' opens it';
  return `${device} is a LUKS volume (UUID ${uuid}); ${keys}${ends}; give it with --luks-key`;
}
