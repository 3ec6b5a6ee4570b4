import { createReadStream } from 'node:fs';
import { ArchiveError, ByteReader } from './bytes.js';
import { compressionOf, unpacked, type Compression } from './compression.js';
import { cpioEntries, TRAILER, type CpioEntry } from './cpio.js';

/** An initramfs with all firmware has 1 GiB. */
const LIMIT_BYTES = 4 * 1024 ** 3;
/** The largest content that is kept: a module and its kernel's indexes have some MB. */
const KEPT_LIMIT_BYTES = 32 * 1024 * 1024;
const ALL_KEPT_LIMIT_BYTES = 256 * 1024 * 1024;
const TIME_LIMIT_MS = 300_000;

/** Where the part lies that the distribution's tool made; microcode comes before it, uncompressed. */
export interface MainPart {
  readonly offset: number;
  /** Undefined for a plain archive. */
  readonly compression?: Compression;
}

export interface Archive {
  /** Of all parts, in their order; folders too. */
  readonly paths: readonly string[];
  /** The content of the files that were asked for. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly main: MainPart;
}

/**
 * What an initramfs holds. Nothing is unpacked to the disk and nothing is followed; memory is bounded by the names.
 * @param wanted files whose content is kept, where that is not absurdly large
 * @throws ArchiveError for what the kernel could not unpack, or what is absurdly large
 */
export async function readArchive(
  file: string,
  signal: AbortSignal,
  wanted: (path: string) => boolean = () => false,
): Promise<Archive> {
  const paths: string[] = [];
  const files = new Map<string, Buffer>();
  let kept = 0;
  const main = await walkArchive(file, signal, async (entry) => {
    if (entry.path === TRAILER) return;
    paths.push(entry.path);
    if (!wanted(entry.path) || entry.size > KEPT_LIMIT_BYTES) return;
    kept += entry.size;
    if (kept > ALL_KEPT_LIMIT_BYTES) throw new ArchiveError(`${entry.path} and others are too large`);
    const pieces: Buffer[] = [];
    for await (const piece of entry.content()) pieces.push(piece);
    files.set(entry.path, Buffer.concat(pieces));
  });
  return { paths, files, main };
}

/** Visits all entries of all parts, trailers included. @throws ArchiveError */
export async function walkArchive(
  file: string,
  signal: AbortSignal,
  visit: (entry: CpioEntry) => Promise<void>,
): Promise<MainPart> {
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  try {
    return await walk(file, AbortSignal.any([signal, limit]), visit);
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new ArchiveError(`it was not unpacked within ${TIME_LIMIT_MS / 1000} s`);
    throw error;
  }
}

async function walk(file: string, signal: AbortSignal, visit: (entry: CpioEntry) => Promise<void>): Promise<MainPart> {
  const plain = new ByteReader(createReadStream(file) as AsyncIterable<Buffer>, LIMIT_BYTES);
  let offset = 0;
  let start: Buffer;
  try {
    offset = await walkPlain(plain, visit);
    start = await plain.peek(16);
    if (start.length === 0) return { offset };
    offset = plain.position;
  } finally {
    await plain.close();
  }
  const compression = compressionOf(start);
  if (compression === undefined) {
    throw new ArchiveError(`at byte ${offset} it is neither cpio nor compressed in a way that Linux knows`);
  }
  const reader = new ByteReader(unpacked(file, offset, compression, signal), LIMIT_BYTES);
  try {
    for await (const entry of cpioEntries(reader)) await visit(entry);
    if ((await reader.peek(1)).length > 0) throw new ArchiveError(`there is no cpio at byte ${reader.position} of it`);
    return { offset, compression };
  } finally {
    await reader.close();
  }
}

/** Gives the offset of the last archive. */
async function walkPlain(reader: ByteReader, visit: (entry: CpioEntry) => Promise<void>): Promise<number> {
  await reader.skipZeros();
  let last = reader.position;
  let ended = false;
  for await (const entry of cpioEntries(reader)) {
    if (ended) last = reader.position - entry.head.length;
    ended = entry.path === TRAILER;
    await visit(entry);
  }
  return last;
}
