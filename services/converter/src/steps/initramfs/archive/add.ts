import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ArchiveError, ByteReader } from './bytes.js';
import { packedBy, unpacked } from './compression.js';
import { cpioEntries, encodeEntry, encodeTrailer, padding, TRAILER, type CpioEntry, type NewEntry } from './cpio.js';
import type { Archive } from './read.js';

const LIMIT_BYTES = 4 * 1024 ** 3;
/** Above what the tools hand out: they count from 1 or take the file system's numbers. */
const FIRST_INODE = 0x7f000000;

/**
 * Writes an initramfs again with more in its last archive: all else is carried over as it is, compressed in the same way.
 * Files that are there already are replaced, folders are left.
 * @param archive what `readArchive` said of the file
 * @throws ArchiveError where that cannot be done
 */
export async function addToArchive(
  file: string,
  archive: Pick<Archive, 'main'>,
  entries: readonly NewEntry[],
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const { offset, compression } = archive.main;
  const source =
    compression === undefined
      ? (createReadStream(file, { start: offset }) as AsyncIterable<Buffer>)
      : unpacked(file, offset, compression, signal);
  const main = withEntries(new ByteReader(source, LIMIT_BYTES), entries);
  const packed = compression === undefined ? main : packedBy(main, compression, signal);
  await pipeline(Readable.from(both(file, offset, packed)), createWriteStream(target), { signal });
}

async function* both(file: string, offset: number, main: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (offset > 0) yield* createReadStream(file, { end: offset - 1 }) as AsyncIterable<Buffer>;
  yield* main;
}

async function* withEntries(reader: ByteReader, entries: readonly NewEntry[]): AsyncGenerator<Buffer> {
  const replaced = new Set(entries.map(({ path }) => path));
  let length = 0;
  let trailer: Buffer | undefined;
  try {
    for await (const entry of cpioEntries(reader)) {
      if (replaced.has(entry.path)) {
        if (entry.links > 1) throw new ArchiveError(`${entry.path} has further names`);
        continue;
      }
      // Of several archives the last one gets the entries; what ends those before stays.
      if (trailer !== undefined) yield trailer;
      length += trailer?.length ?? 0;
      trailer = undefined;
      if (entry.path === TRAILER) trailer = entry.head;
      else
        for await (const piece of whole(entry)) {
          length += piece.length;
          yield piece;
        }
    }
    if (trailer === undefined) throw new ArchiveError('it has no end');
    for (const [index, entry] of entries.entries()) {
      const bytes = encodeEntry(entry, FIRST_INODE + index);
      length += bytes.length;
      yield bytes;
    }
    yield encodeTrailer(length);
  } finally {
    await reader.close();
  }
}

async function* whole(entry: CpioEntry): AsyncGenerator<Buffer> {
  yield entry.head;
  yield* entry.content();
  yield padding(entry.size);
}
