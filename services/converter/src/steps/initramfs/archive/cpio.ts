/**
 * cpio in the format `newc`, the only one that the kernel unpacks (Documentation/driver-api/early-userspace/
 * buffer-format): a header of 110 characters, the name, the content, each padded to 4 bytes; the last entry is called
 * TRAILER!!!, and zeros or another archive may follow.
 */
import { ArchiveError, type ByteReader } from './bytes.js';

export const TRAILER = 'TRAILER!!!';
const HEADER_BYTES = 110;
/** PATH_MAX, with which the kernel skips an entry. */
const NAME_LIMIT_BYTES = 4096;
/** The largest known images have 20,000. */
const ENTRIES_LIMIT = 300_000;
const MAGIC = /^07070[12]$/;
const ARCHIVE_ALIGNMENT = 512;

export interface CpioEntry {
  /** Without leading `./` or `/`. */
  readonly path: string;
  readonly links: number;
  readonly size: number;
  /** Header and name with their padding, as they are. */
  readonly head: Buffer;
  /** The content, without padding; what is not read is skipped. */
  content(): AsyncGenerator<Buffer>;
}

export const isCpio = (start: Buffer): boolean => MAGIC.test(start.subarray(0, 6).toString('latin1'));

export const padding = (length: number, to = 4): Buffer => Buffer.alloc((to - (length % to)) % to);

/**
 * The entries of the archives that follow each other, trailers included, up to the first byte that belongs to none.
 * @throws ArchiveError
 */
export async function* cpioEntries(reader: ByteReader): AsyncGenerator<CpioEntry> {
  let count = 0;
  let start = reader.position;
  while (isCpio(await reader.peek(6))) {
    count += 1;
    if (count > ENTRIES_LIMIT) throw new ArchiveError(`it has more than ${ENTRIES_LIMIT} entries`);
    const { entry, end } = await readHead(reader, start);
    let read = false;
    const content = async function* (): AsyncGenerator<Buffer> {
      read = true;
      yield* reader.pieces(entry.size);
    };
    yield { ...entry, content };
    if (!read) await reader.skip(entry.size);
    if (reader.position !== end) throw new ArchiveError(`the content of ${entry.path} was read in part`);
    // Positions count from the archive's start, wherever that lies in the file.
    await reader.skip(Math.min(padding(end - start).length, (await reader.peek(3)).length));
    if (entry.path !== TRAILER) continue;
    await reader.skipZeros();
    start = reader.position;
  }
}

async function readHead(
  reader: ByteReader,
  start: number,
): Promise<{ entry: Omit<CpioEntry, 'content'>; end: number }> {
  const at = reader.position;
  const header = await reader.take(HEADER_BYTES);
  const field = (index: number): number => {
    const text = header.toString('latin1', 6 + index * 8, 14 + index * 8);
    if (!/^[0-9a-fA-F]{8}$/.test(text)) throw new ArchiveError(`the entry at byte ${at} has no valid header`);
    return Number.parseInt(text, 16);
  };
  const [links, size, nameBytes] = [field(4), field(6), field(11)];
  if (nameBytes < 1 || nameBytes > NAME_LIMIT_BYTES) {
    throw new ArchiveError(`the entry at byte ${at} has a name of ${nameBytes} bytes`);
  }
  const name = await reader.take(nameBytes);
  const pad = padding(reader.position - start);
  const head = Buffer.concat([header, name, pad]);
  await reader.skip(pad.length);
  // The name ends with a zero byte, which counts.
  const path = name
    .toString('utf8', 0, nameBytes - 1)
    .replace(/\0.*$/s, '')
    .replace(/^(?:\.?\/)+/, '');
  return { entry: { path, links, size, head }, end: reader.position + size };
}

export interface NewEntry {
  readonly path: string;
  /** With the file's type: 0o40755 is a folder. */
  readonly mode: number;
  readonly content: Buffer;
}

/** One entry, padded. @param inode only to be told apart; files without further links never meet others' */
export function encodeEntry({ path, mode, content }: NewEntry, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const seconds = path === TRAILER ? 0 : Math.floor(Date.now() / 1000);
  // inode, mode, owner, group, links, time, size, device (2), device of a special file (2), length of the name, checksum
  const fields = [inode, mode, 0, 0, 1, seconds, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`;
  const head = Buffer.concat([Buffer.from(header), name]);
  return Buffer.concat([head, padding(head.length), content, padding(content.length)]);
}

/** The end of an archive that has this many bytes so far. */
export function encodeTrailer(length: number): Buffer {
  const trailer = encodeEntry({ path: TRAILER, mode: 0, content: Buffer.alloc(0) }, 0);
  return Buffer.concat([trailer, padding(length + trailer.length, ARCHIVE_ALIGNMENT)]);
}
