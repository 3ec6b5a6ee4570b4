import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addToArchive, ArchiveError, readArchive } from '../src/steps/initramfs/archive/index.js';

let folder: string;
let image: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hyper2kvm-initramfs-'));
  image = path.join(folder, 'image');
});

afterEach(() => rmSync(folder, { recursive: true }));

const NONE = new AbortController().signal;
const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

/** As the kernel's documentation has it, by hand: inode, mode, uid, gid, links, mtime, size, devices, length of the name. */
function entry(name: string, content: string | Buffer = '', fields: Record<number, number> = {}): Buffer {
  const body = Buffer.from(content);
  const values = [1, 0o100644, 0, 0, 1, 0, body.length, 8, 1, 0, 0, Buffer.byteLength(name) + 1, 0];
  for (const [index, value] of Object.entries(fields)) values[Number(index)] = value;
  const header = `070701${values.map((value) => value.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([pad(Buffer.from(`${header}${name}\0`)), pad(body)]);
}
const TRAILER = entry('TRAILER!!!');
const archive = (...entries: Buffer[]): Buffer => Buffer.concat([...entries, TRAILER]);
const SIZE = 6;
const NAME_SIZE = 11;
const LINKS = 4;

const pack = (tool: string, args: string[], input: Buffer): Buffer =>
  execFileSync(tool, args, { input, maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'ignore'] });

const main = archive(
  entry('.'),
  entry('lib/modules/6.1/kernel/a.ko', 'x'.repeat(1001)),
  entry('conf/modules', 'a\nb\n'),
);
const early = archive(entry('kernel/x86/microcode/GenuineIntel.bin', Buffer.alloc(70_001, 1)));

const WAYS: Record<string, (bytes: Buffer) => Buffer> = {
  plain: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  'gzip in two members': (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 300)), gzipSync(bytes.subarray(300))]),
  zstd: (bytes) => pack('zstd', ['-q', '-c'], bytes),
  xz: (bytes) => pack('xz', ['-c', '--check=crc32'], bytes),
  lzma: (bytes) => pack('xz', ['-c', '--format=lzma'], bytes),
  bzip2: (bytes) => pack('bzip2', ['-c'], bytes),
  'lz4, legacy frames': (bytes) => pack('lz4', ['-l', '-c'], bytes),
};

describe.each(Object.entries(WAYS))('%s', (_, way) => {
  test('is listed, with microcode and padding before it and another archive within', async () => {
    const within = Buffer.concat([main, Buffer.alloc(512), archive(entry('etc/second'))]);
    writeFileSync(image, Buffer.concat([early, Buffer.alloc(1000), way(within)]));
    const { paths, files } = await readArchive(image, NONE, (name) => name === 'conf/modules');
    expect(paths).toEqual([
      'kernel/x86/microcode/GenuineIntel.bin',
      '.',
      'lib/modules/6.1/kernel/a.ko',
      'conf/modules',
      'etc/second',
    ]);
    expect([...files]).toEqual([['conf/modules', Buffer.from('a\nb\n')]]);
  });

  test('gets entries: what was there is carried over, files are replaced', async () => {
    writeFileSync(image, Buffer.concat([early, Buffer.alloc(56), way(main)]));
    const target = path.join(folder, 'target');
    const before = await readArchive(image, NONE);
    const added = [
      { path: 'lib/modules/6.1/kernel/b.ko', mode: 0o100644, content: Buffer.from('driver') },
      { path: 'conf/modules', mode: 0o100644, content: Buffer.from('c\n') },
    ];
    await addToArchive(image, before, added, target, NONE);
    const after = await readArchive(target, NONE, (name) => name === 'conf/modules');
    expect(after.paths).toEqual([
      ...before.paths.filter((name) => name !== 'conf/modules'),
      ...added.map((each) => each.path),
    ]);
    expect(after.files.get('conf/modules')?.toString()).toBe('c\n');
    expect(after.main).toEqual(before.main);
    expect(readFileSync(target).subarray(0, before.main.offset)).toEqual(
      readFileSync(image).subarray(0, before.main.offset),
    );
  });
});

test('what cpio(1) writes is read, and what we write cpio(1) unpacks', async () => {
  const root = path.join(folder, 'root');
  mkdirSync(path.join(root, 'lib/ä'), { recursive: true });
  writeFileSync(path.join(root, 'lib/ä/driver.ko'), Buffer.alloc(5001, 7));
  const made = execFileSync('sh', ['-c', 'find . | LC_ALL=C sort | cpio -o -H newc --quiet'], { cwd: root });
  writeFileSync(image, gzipSync(made));
  const before = await readArchive(image, NONE);
  expect(before.paths).toEqual(['.', 'lib', 'lib/ä', 'lib/ä/driver.ko']);
  const target = path.join(folder, 'target');
  const added = { path: 'lib/new.ko', mode: 0o100600, content: Buffer.from('odd') };
  await addToArchive(image, before, [added], target, NONE);
  const out = path.join(folder, 'out');
  mkdirSync(out);
  execFileSync('sh', ['-c', `gzip -dc '${target}' | cpio -id --quiet`], { cwd: out });
  expect(readFileSync(path.join(out, 'lib/new.ko'), 'utf8')).toBe('odd');
  expect(readFileSync(path.join(out, 'lib/ä/driver.ko'))).toEqual(Buffer.alloc(5001, 7));
});

const refused = async (bytes: Buffer): Promise<void> => {
  writeFileSync(image, bytes);
  await expect(readArchive(image, NONE)).rejects.toThrow(ArchiveError);
};

describe('hostile', () => {
  test.each([
    ['cut off in a header', main.subarray(0, 200)],
    ['cut off in a content', main.subarray(0, 500)],
    ['a content of 4 GiB that is not there', archive(entry('a', 'b', { [SIZE]: 0xffffffff }))],
    ['a name of 4 GiB', archive(entry('a', '', { [NAME_SIZE]: 0xffffffff }))],
    ['a name of no bytes', archive(entry('a', '', { [NAME_SIZE]: 0 }))],
    ['digits that are none', Buffer.from(`070701${'-0000001'.repeat(13)}a\0`)],
    ['no archive at all', Buffer.from('#!/bin/sh\n'.repeat(50))],
    ['a compressed text', gzipSync(Buffer.from('no cpio\n'))],
    ['gzip cut off', gzipSync(main).subarray(0, 60)],
    ['zstd cut off', pack('zstd', ['-q', '-c'], main).subarray(0, 60)],
    ['zstd with a wrong byte', Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), Buffer.alloc(500, 0xff)])],
  ])('%s is refused', async (_, bytes) => refused(bytes));

  test('more entries than any image has are refused', async () => {
    const one = entry('a');
    await refused(gzipSync(archive(Buffer.alloc(one.length * 300_001, one))));
  });

  test('a bomb is not held in memory: half a gibibyte in 16 KB', async () => {
    // Zeros compress a thousandfold; the reader goes past them piece by piece.
    const zeros = pack('sh', ['-c', 'cat; head -c 536870912 /dev/zero | zstd -q -c'], Buffer.alloc(0));
    const start = pack('zstd', ['-q', '-c'], entry('bomb', '', { [SIZE]: 2 ** 29 }));
    writeFileSync(image, Buffer.concat([start, zeros, pack('zstd', ['-q', '-c'], TRAILER)]));
    const before = process.memoryUsage().rss;
    expect((await readArchive(image, NONE)).paths).toEqual(['bomb']);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 ** 2);
  }, 60_000);

  test('names lead nowhere: they are told as they are, without being followed', async () => {
    writeFileSync(image, archive(entry('../../etc/passwd', 'x'), entry('/etc/shadow', 'x'), entry('./a\0b', 'x')));
    expect((await readArchive(image, NONE)).paths).toEqual(['../../etc/passwd', 'etc/shadow', 'a']);
  });

  test('a file with several names is not replaced: the kernel would change what it shares', async () => {
    writeFileSync(image, archive(entry('modules.dep', '', { [LINKS]: 2 }), entry('other', 'x', { [LINKS]: 2 })));
    const added = [{ path: 'modules.dep', mode: 0o100644, content: Buffer.from('') }];
    const target = path.join(folder, 'target');
    await expect(addToArchive(image, await readArchive(image, NONE), added, target, NONE)).rejects.toThrow(
      'has further names',
    );
  });
});

test('ends with its signal', async () => {
  writeFileSync(image, gzipSync(main));
  await expect(readArchive(image, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
});
