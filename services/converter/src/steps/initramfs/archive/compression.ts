import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { spawnGuarded } from '@hyper2kvm/runtime';
import { ArchiveError } from './bytes.js';

/** What the kernel unpacks (lib/decompress.c), with the tools of the host. gzip is Node's own. */
export interface Compression {
  readonly name: 'gzip' | 'bzip2' | 'lzma' | 'xz' | 'lzop' | 'lz4' | 'zstd';
  readonly magic: Buffer;
  readonly unpack: readonly [command: string, ...args: string[]];
  /** As the distributions' tools call it: the kernel knows neither xz's CRC64 nor lz4's newer frames. */
  readonly pack: readonly [command: string, ...args: string[]];
}

const COMPRESSIONS: readonly Compression[] = [
  { name: 'gzip', magic: Buffer.from([0x1f, 0x8b]), unpack: ['gzip', '-dc'], pack: ['gzip', '-c'] },
  {
    name: 'zstd',
    magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
    unpack: ['zstd', '-dcq', '--memory=256MB'],
    pack: ['zstd', '-cq', '-9', '-T0'],
  },
  {
    name: 'xz',
    magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
    unpack: ['xz', '-dc', '--memlimit-decompress=512MiB'],
    pack: ['xz', '-c', '--check=crc32', '-4', '-T0'],
  },
  {
    name: 'lz4',
    magic: Buffer.from([0x02, 0x21, 0x4c, 0x18]),
    unpack: ['lz4', '-dcq'],
    pack: ['lz4', '-cq', '-l', '-9'],
  },
  {
    name: 'lzma',
    magic: Buffer.from([0x5d, 0x00, 0x00]),
    unpack: ['xz', '-dc', '--format=lzma', '--memlimit-decompress=512MiB'],
    pack: ['xz', '-c', '--format=lzma', '-4'],
  },
  { name: 'bzip2', magic: Buffer.from('BZh'), unpack: ['bzip2', '-dc'], pack: ['bzip2', '-c'] },
  {
    name: 'lzop',
    magic: Buffer.from([0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a]),
    unpack: ['lzop', '-dc'],
    pack: ['lzop', '-c'],
  },
];

/** By its first bytes; undefined for what the kernel would not unpack either. */
export const compressionOf = (start: Buffer): Compression | undefined =>
  COMPRESSIONS.find(({ magic }) => start.subarray(0, magic.length).equals(magic));

/** The content of a compressed file from an offset on. Whoever stops reading ends the tool. */
export async function* unpacked(
  file: string,
  offset: number,
  { name, unpack }: Compression,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const packed = createReadStream(file, { start: offset });
  if (name === 'gzip') {
    const gunzip = createGunzip();
    // Its failure is the stream's too.
    pipeline(packed, gunzip, { signal }).catch(() => {});
    try {
      yield* gunzip as AsyncIterable<Buffer>;
    } catch (error) {
      signal.throwIfAborted();
      throw new ArchiveError(`gzip: ${error instanceof Error ? error.message : 'failed'}`);
    }
    return;
  }
  const [command, ...args] = unpack;
  const tool = spawnGuarded(command, args, { stdin: 'pipe', signal });
  const said = lastLine(tool.stderr);
  // A tool that ends early closes its pipe: its exit code tells why.
  void pipeline(packed, tool.stdin).catch(() => {});
  try {
    yield* tool.stdout as AsyncIterable<Buffer>;
    const { code } = await tool.exited;
    signal.throwIfAborted();
    if (code !== 0) throw new ArchiveError(`${command} ended with ${code ?? 'a signal'}: ${said()}`);
  } finally {
    packed.destroy();
    await tool.kill();
  }
}

/** Compresses what comes into chunks of a file. @throws ArchiveError when the tool fails */
export async function* packedBy(
  source: AsyncIterable<Buffer>,
  { name, pack }: Compression,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  if (name === 'gzip') {
    const gzip = createGzip();
    const done = pipeline(Readable.from(source), gzip, { signal });
    done.catch(() => {});
    yield* gzip as AsyncIterable<Buffer>;
    return done;
  }
  const [command, ...args] = pack;
  const tool = spawnGuarded(command, args, { stdin: 'pipe', signal });
  const said = lastLine(tool.stderr);
  const fed = pipeline(Readable.from(source), tool.stdin).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    yield* tool.stdout as AsyncIterable<Buffer>;
    const { code } = await tool.exited;
    signal.throwIfAborted();
    if (code !== 0) throw new ArchiveError(`${command} ended with ${code ?? 'a signal'}: ${said()}`);
    const error = await fed;
    if (error !== undefined) throw error;
  } finally {
    await tool.kill();
  }
}

function lastLine(stderr: Readable): () => string {
  let text = '';
  stderr.on('data', (chunk: Buffer) => {
    text = `${text}${chunk.toString('latin1')}`.slice(-500);
  });
  return () => text.trim().split('\n').at(-1) ?? '';
}
