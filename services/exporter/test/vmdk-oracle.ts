/**
 * Reads a streamOptimized VMDK the other way round than the decoder: not in the order of the stream, but from directory and
 * tables to the grains, as QEMU does; and it demands that every byte belongs to something. Several mutations together may make a
 * valid stream of another disk (a grain is lost, and its entry too): this is what tells such a stream.
 */
import { inflateSync } from 'node:zlib';
import { GRAIN } from './vmdk-fixture.js';

const SECTOR = 512;
const AT_END = 0xffff_ffff_ffff_ffffn;

/** The disk's content that is not zeros; undefined when the stream is not what the format says. */
export function byTheBook(stream: Buffer): Map<number, Buffer> | undefined {
  try {
    return read(stream);
  } catch (error) {
    if (error instanceof RangeError || (error instanceof Error && 'errno' in error)) return undefined;
    throw error;
  }
}

function read(stream: Buffer): Map<number, Buffer> | undefined {
  const owned = new Set<number>([0]);
  const own = (sector: number, count: number): void => {
    for (let at = sector; at < sector + count; at++) owned.add(at);
  };
  const field = (sector: number, at: number): number => Number(stream.readBigUInt64LE(sector * SECTOR + at));
  const capacity = field(0, 12) * SECTOR;
  const grains = Math.ceil(capacity / GRAIN);
  const tables = Math.ceil(grains / 512);
  const directorySectors = Math.ceil((tables * 4) / SECTOR);
  own(field(0, 28), Math.min(field(0, 36), 2048));
  let directory = field(0, 56);
  let end: number | undefined;
  if (stream.readBigUInt64LE(56) === AT_END) {
    // Padding of zeros may follow; the footer lies before the end-of-stream marker.
    end = Math.floor(stream.length / SECTOR) - 1;
    while (end > 2 && stream.readUInt32LE((end - 1) * SECTOR) !== 0x56_4d_44_4b) end--;
    directory = field(end - 1, 56);
    own(end - 2, 2);
    own(directory - 1, 1);
  }
  for (const first of [directory, field(0, 48)]) if (first !== 0) own(first, directorySectors);
  const found = new Map<number, Buffer>();
  for (let grain = 0; grain < grains; grain++) {
    const table = stream.readUInt32LE(directory * SECTOR + Math.floor(grain / 512) * 4);
    if (table === 0) continue;
    if (grain % 512 === 0) own(end === undefined ? table : table - 1, end === undefined ? 4 : 5);
    const at = stream.readUInt32LE(table * SECTOR + (grain % 512) * 4);
    if (at <= 1) continue;
    if (field(at, 0) !== grain * 128) return undefined;
    const size = stream.readUInt32LE(at * SECTOR + 8);
    own(at, Math.ceil((12 + size) / SECTOR));
    const whole = inflateSync(stream.subarray(at * SECTOR + 12, at * SECTOR + 12 + size), { maxOutputLength: GRAIN });
    const content = whole.subarray(0, Math.min(GRAIN, capacity - grain * GRAIN));
    if (content.some((byte) => byte !== 0)) found.set(grain, content);
  }
  const copy = field(0, 48);
  if (copy !== 0) for (let i = 0; i < tables; i++) own(stream.readUInt32LE(copy * SECTOR + i * 4), 4);
  for (let sector = 0; sector * SECTOR < stream.length; sector++)
    if (!owned.has(sector) && stream.subarray(sector * SECTOR, (sector + 1) * SECTOR).some((byte) => byte !== 0))
      return undefined;
  return found;
}
