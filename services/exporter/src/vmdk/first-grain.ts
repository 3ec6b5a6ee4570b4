import { inflateSync } from 'node:zlib';
import { GRAIN_BYTES, MAX_GRAIN_DATA, SECTOR, parseHeader, type VmdkHeader } from './format.js';

/** A stream that can be read at any place. */
export interface StreamReader {
  readonly sizeBytes: number;
  read(offset: number, length: number): Promise<Buffer>;
}

/** What the header of a stream tells. @throws VmdkError */
export async function readStreamHeader(stream: StreamReader): Promise<VmdkHeader> {
  const bytes = Buffer.alloc(SECTOR);
  (await stream.read(0, Math.min(SECTOR, stream.sizeBytes))).copy(bytes);
  return parseHeader(bytes, 0);
}

/**
 * The first 64 KiB of the disk, for a look at its partition table. Checks nothing: whoever uses the disk decodes the whole stream.
 * @returns undefined where the stream does not begin with them
 */
export async function firstGrain(stream: StreamReader): Promise<Buffer | undefined> {
  const { overheadSectors } = await readStreamHeader(stream);
  const at = overheadSectors * SECTOR;
  if (at + 12 > stream.sizeBytes) return undefined;
  const marker = await stream.read(at, 12);
  const length = marker.readUInt32LE(8);
  if (marker.readBigUInt64LE(0) !== 0n || length === 0 || length > MAX_GRAIN_DATA) return undefined;
  if (at + 12 + length > stream.sizeBytes) return undefined;
  try {
    return inflateSync(await stream.read(at + 12, length), { maxOutputLength: GRAIN_BYTES });
  } catch {
    return undefined;
  }
}
