/** Keys of LUKS volumes on their way into the appliance: a tiny disk, since argv, environment and logs can be read. */
import { writeFile } from 'node:fs/promises';
import type { LuksKey } from '@hyper2kvm/contracts';

/** As a slot of the disk holds it. */
export interface PlacedKey {
  /** UUID or device of the volume that it is for; undefined: any. */
  readonly volume: string | undefined;
  /** Of the slot, in bytes. */
  readonly offset: number;
  /** Lengths to try: files often end with a newline that the passphrase has not. */
  readonly lengths: readonly number[];
}

const SLOT_BYTES = 16 * 1024;
const SECTOR = 512;

/** @throws when the file exists */
export async function writeKeyDisk(file: string, keys: readonly LuksKey[]): Promise<PlacedKey[]> {
  const disk = Buffer.alloc(Math.max(SECTOR, keys.length * SLOT_BYTES));
  try {
    const placed = keys.map((key, index): PlacedKey => {
      const bytes = Buffer.from(key.key_base64, 'base64').subarray(0, SLOT_BYTES);
      const offset = index * SLOT_BYTES;
      bytes.copy(disk, offset);
      const lengths = [bytes.length, ...newlineAtEnd(bytes)];
      bytes.fill(0);
      return { volume: key.device, offset, lengths };
    });
    await writeFile(file, disk, { mode: 0o600, flag: 'wx' });
    return placed;
  } finally {
    disk.fill(0);
  }
}

function newlineAtEnd(bytes: Buffer): number[] {
  const end = bytes.toString('latin1').replace(/\r?\n$/, '').length;
  return end === bytes.length || end === 0 ? [] : [end];
}

/** The keys to try on a volume: those that are for it, then those for any. */
export function keysFor(
  volume: { readonly device: string; readonly uuid: string },
  keys: readonly PlacedKey[],
): PlacedKey[] {
  const names = new Set([volume.uuid.toLowerCase(), volume.device.toLowerCase()]);
  const own = keys.filter((key) => key.volume !== undefined && names.has(plain(key.volume)));
  return [...own, ...keys.filter((key) => key.volume === undefined)];
}

const plain = (name: string): string => name.toLowerCase().replace(/^uuid=/, '');
