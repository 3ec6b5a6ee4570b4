import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { VmdkDecoder, VmdkError, type VmdkProblem } from '../src/vmdk/index.js';
import {
  GRAIN,
  footerLast,
  grainRecord,
  marker,
  noise,
  rawDisk,
  text,
  vmdkHeader,
  type StreamOptions,
} from './vmdk-fixture.js';

/** The disk as decoded; throws what the decoder throws. */
async function decode(stream: Buffer, pieceBytes = 65_536): Promise<Buffer> {
  let disk = Buffer.alloc(0);
  const decoder = new VmdkDecoder({
    header: ({ capacityBytes }) => {
      disk = Buffer.alloc(Math.min(capacityBytes, 64 * 2 ** 20));
    },
    data: (index, content) => void content.copy(disk, index * GRAIN),
  });
  for (let at = 0; at < stream.length; at += pieceBytes) await decoder.write(stream.subarray(at, at + pieceBytes));
  decoder.end();
  return disk;
}

async function problemOf(stream: Buffer): Promise<VmdkError> {
  const error: unknown = await decode(stream).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof VmdkError)) throw new Error(`expected a VmdkError, got ${String(error)}`);
  expect(error.offset).toBeGreaterThanOrEqual(0);
  expect(error.message).toContain(`(at byte ${error.offset})`);
  return error;
}

const GOOD: StreamOptions = {
  capacity: 20 * GRAIN,
  grains: [0, 1, 7, 19].map((at) => ({ at, content: at % 2 === 0 ? text(at) : noise(GRAIN, at) })),
};
const good = footerLast(GOOD);
const changed = (change: (stream: Buffer) => void): Buffer => {
  const stream = Buffer.from(good);
  change(stream);
  return stream;
};
const FIRST_GRAIN = 128 * 512;

test('the stream that the refused ones are made from is good', async () => {
  expect((await decode(good)).equals(rawDisk(GOOD))).toBe(true);
});

describe('refused, with the kind of problem and its offset', () => {
  const wrongChecksum = deflateSync(text(1));
  wrongChecksum[wrongChecksum.length - 1] = (wrongChecksum.at(-1) ?? 0) ^ 1;
  const withGrain = (record: Buffer): Buffer =>
    Buffer.concat([good.subarray(0, FIRST_GRAIN), record, Buffer.alloc(2048)]);

  // The third grain (7) claims to be grain 8: valid by itself, wrong by the table.
  const moved = Buffer.from(good);
  for (let at = FIRST_GRAIN; at < moved.length; at += 512)
    if (moved.readBigUInt64LE(at) === 7n * 128n && moved.readUInt32LE(at + 8) > 12)
      moved.writeBigUInt64LE(8n * 128n, at);

  const cases: [string, VmdkProblem, Buffer][] = [
    ['nothing', 'empty', Buffer.alloc(0)],
    ['something else', 'not-vmdk', Buffer.alloc(100_000, 1)],
    ['a part of the header', 'truncated', good.subarray(0, 300)],
    ['a sparse VMDK without markers', 'unsupported', changed((s) => s.writeUInt32LE(1, 8))],
    ['a header changed by a text transfer', 'header', changed((s) => s.write('\n', 75))],
    ['another grain size', 'unsupported', changed((s) => s.writeBigUInt64LE(16n, 20))],
    ['a capacity of zero', 'header', changed((s) => s.writeBigUInt64LE(0n, 12))],
    ['a capacity that no disk has', 'header', changed((s) => s.writeBigUInt64LE(2n ** 37n + 1n, 12))],
    ['an endless overhead', 'header', changed((s) => s.writeBigUInt64LE(2n ** 40n, 64))],
    ['a cut within a grain', 'truncated', good.subarray(0, FIRST_GRAIN + 100)],
    ['a cut after a grain', 'truncated', good.subarray(0, FIRST_GRAIN + 512)],
    ['no end-of-stream marker', 'truncated', footerLast({ ...GOOD, endOfStream: false })],
    ['no footer', 'marker', footerLast({ ...GOOD, footer: false })],
    ['a footer of another capacity', 'header', footerLast({ ...GOOD, footerCapacity: 21 * GRAIN })],
    [
      'a flipped bit within a grain',
      'grain',
      changed((s) => s.writeUInt8(s.readUInt8(FIRST_GRAIN + 40) ^ 0x55, FIRST_GRAIN + 40)),
    ],
    ['a wrong checksum', 'grain', withGrain(grainRecord(0, wrongChecksum))],
    ['a grain that is too long', 'grain', withGrain(grainRecord(0, deflateSync(Buffer.alloc(GRAIN + 512, 1))))],
    [
      'a grain that would fill the memory',
      'grain',
      withGrain(grainRecord(0, deflateSync(Buffer.alloc(50 * 2 ** 20, 1)))),
    ],
    ['a grain that is too short', 'grain', withGrain(grainRecord(0, deflateSync(text(1, GRAIN - 512))))],
    ['a grain that claims gigabytes', 'marker', changed((s) => s.writeUInt32LE(2 ** 31, FIRST_GRAIN + 8))],
    ['a grain between two places', 'marker', changed((s) => s.writeBigUInt64LE(5n, FIRST_GRAIN))],
    ['a grain beyond the disk', 'beyond', changed((s) => s.writeBigUInt64LE(20n * 128n, FIRST_GRAIN))],
    [
      'a grain sent twice',
      'duplicate',
      footerLast({ ...GOOD, grains: [3, 3].map((at) => ({ at, content: text(at) })) }),
    ],
    ['grains out of order', 'order', footerLast({ ...GOOD, grains: [5, 3].map((at) => ({ at, content: text(at) })) })],
    ['a grain in another place than the table says', 'tables', moved],
    [
      'a table that names a grain that never came',
      'tables',
      footerLast({ ...GOOD, tableEntry: (at, sector) => (at === 7 ? sector + 1 : sector) }),
    ],
    [
      'tables without end',
      'tables',
      Buffer.concat([
        good.subarray(0, good.length - 512 * 5),
        ...Array.from({ length: 9 }, () => Buffer.concat([marker(4, 1), Buffer.alloc(2048)])),
      ]),
    ],
    [
      'a footer that points at another directory',
      'header',
      changed((s) => s.writeBigUInt64LE(s.readBigUInt64LE(s.length - 1024 + 56) + 1n, s.length - 1024 + 56)),
    ],
    [
      'a grain after the directory',
      'marker',
      Buffer.concat([
        good.subarray(0, good.length - 3 * 512),
        grainRecord(19, deflateSync(text(1))),
        good.subarray(good.length - 3 * 512),
      ]),
    ],
    ['bytes after the end', 'trailing', Buffer.concat([good, Buffer.from('more')])],
    ['endless zeros after the end', 'trailing', Buffer.concat([good, Buffer.alloc(3 * 2 ** 20)])],
  ];
  test.each(cases)('%s', async (_, problem, stream) => {
    expect((await problemOf(stream)).problem).toBe(problem);
  });

  test('a directory-first stream whose first grain slid in front of where grains begin', async () => {
    // Four sectors before it were lost, and with them the table that named it.
    const front = Buffer.concat([vmdkHeader(20 * GRAIN, 1n), Buffer.alloc((128 - 5) * 512)]);
    const stream = Buffer.concat([front, grainRecord(0, deflateSync(text(1)))]);
    const error = await problemOf(stream);
    expect([error.problem, error.offset]).toEqual(['header', 124 * 512]);
  });

  test('a directory-first stream whose tables name a grain that is missing', async () => {
    // One table at sector 2, the directory at sector 1, grains from sector 128 on.
    const directory = Buffer.alloc(512);
    directory.writeUInt32LE(2, 0);
    const table = Buffer.alloc(2048);
    table.writeUInt32LE(128, 0);
    table.writeUInt32LE(200, 4);
    const front = Buffer.concat([vmdkHeader(20 * GRAIN, 1n), directory, table, Buffer.alloc((128 - 6) * 512)]);
    const stream = Buffer.concat([front, grainRecord(0, deflateSync(text(1)))]);
    expect((await problemOf(stream)).problem).toBe('tables');
  });
});

describe('zeros', () => {
  test('that pad the end are passed over', async () => {
    expect((await decode(Buffer.concat([good, Buffer.alloc(4096)]))).equals(rawDisk(GOOD))).toBe(true);
  });
});
