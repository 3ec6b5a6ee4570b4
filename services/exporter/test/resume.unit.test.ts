/** A transfer that is cut anywhere, and whose journal or image suffers, ends with the file of one that was not. */
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageSink } from '../src/transfer/image-sink.js';
import type { TransferResult, TransferTask } from '../src/transfer/messages.js';
import { RateLimit } from '../src/transfer/rate-limit.js';
import { headerLine, parseJournal, recordLine, type JournalHeader } from '../src/transfer/resume/journal-format.js';
import { JournalWriter } from '../src/transfer/resume/journal-writer.js';
import { openImage } from '../src/transfer/resume/open-image.js';
import { noise } from './vmdk-fixture.js';

const CLUSTER = 65_536;
/** Four units of a cluster each. */
const SEGMENT = 4 * CLUSTER;
const signal = new AbortController().signal;

let folder: string;
let serial = 0;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-resume-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

function taskFor(capacityBytes: number, segmentBytes = SEGMENT): TransferTask {
  const file = path.join(folder, `${serial++}`);
  return {
    input: {
      kind: 'ranges',
      url: 'https://localhost/',
      trust: { fingerprints: [], insecure: false },
      connections: 4,
      sizeBytes: capacityBytes,
    },
    path: file,
    capacityBytes,
    segmentBytes,
    stallTimeoutMs: 1,
    bytesPerSecond: null,
    digests: [],
    journal: { path: `${file}.journal`, binding: 'b' },
  };
}

/** Gives the clusters from where the image is continued; ends after `give` of them without finishing, or finishes. */
async function pour(
  task: TransferTask,
  clusters: ReadonlyMap<number, Buffer>,
  give = Infinity,
): Promise<{ startAt: number; result: TransferResult | undefined }> {
  const image = await openImage(task);
  try {
    const sink = new ImageSink(image, task, [], new RateLimit(null, signal), () => {});
    let given = 0;
    for (let at = image.startAt; at < task.capacityBytes; at += CLUSTER) {
      if (given++ >= give) {
        await image.journal?.drain();
        return { startAt: image.startAt, result: undefined };
      }
      const content = clusters.get(at / CLUSTER);
      if (content !== undefined) sink.data(at, content.subarray(0, Math.min(CLUSTER, task.capacityBytes - at)));
      sink.progress(Math.min(at + CLUSTER, task.capacityBytes));
      await sink.pressure();
    }
    return { startAt: image.startAt, result: await sink.finish() };
  } finally {
    await image.journal?.close();
    await image.writer.abandon();
  }
}

const disks = fc
  .record({
    clusters: fc.integer({ min: 1, max: 40 }),
    tail: fc.integer({ min: 0, max: 127 }),
    data: fc.uniqueArray(fc.nat(39), { maxLength: 30 }),
  })
  .map(({ clusters, tail, data }) => ({
    capacityBytes: clusters * CLUSTER - tail * 512,
    content: new Map(data.filter((at) => at < clusters).map((at) => [at, noise(CLUSTER, at + 1)])),
  }));

type Damage = (task: TransferTask, where: number) => Promise<void>;
const journalOf = (task: TransferTask): string => task.journal?.path ?? '';
const damages: Record<string, Damage> = {
  none: async () => {},
  'a journal cut': async (task, where) => {
    const { size } = await stat(journalOf(task));
    await truncate(journalOf(task), Math.floor(where * size));
  },
  'a byte of the journal': async (task, where) => {
    const bytes = await readFile(journalOf(task));
    const at = Math.min(bytes.length - 1, Math.floor(where * bytes.length));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(journalOf(task), bytes);
  },
  'an image cut': async (task, where) => {
    const { size } = await stat(task.path);
    await truncate(task.path, Math.floor(where * size));
  },
};

describe('a disk cut and continued', () => {
  test.each(Object.keys(damages))('with damage: %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(
        disks,
        fc.array(fc.tuple(fc.nat(40), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1, maxLength: 3 }),
        async ({ capacityBytes, content }, cuts) => {
          const [whole, often] = [taskFor(capacityBytes), taskFor(capacityBytes)];
          const { result: wanted } = await pour(whole, content);
          let known = 0;
          for (const [give, where] of cuts) {
            const { startAt } = await pour(often, content, give);
            if (name === 'none') expect(startAt).toBe(known);
            known = Math.min(startAt + give * CLUSTER, capacityBytes);
            await damages[name]?.(often, where);
          }
          const { startAt, result } = await pour(often, content);
          if (name === 'none') expect(startAt).toBe(known);
          expect(startAt).toBeLessThanOrEqual(known);
          expect(result).toMatchObject({ segments: wanted?.segments, imageBytes: wanted?.imageBytes });
          expect((await readFile(often.path)).equals(await readFile(whole.path))).toBe(true);
          await Promise.all([whole, often].flatMap((task) => [rm(task.path), rm(journalOf(task))]));
        },
      ),
      { numRuns: 15 },
    );
  });

  test('over several L2 tables', async () => {
    const capacityBytes = 3 * 2 ** 29;
    const content = new Map([0, 1, 8191, 8192, 16_384, 24_575].map((at) => [at, noise(CLUSTER, at + 1)]));
    const segmentBytes = 64 * 2 ** 20;
    const [whole, often] = [taskFor(capacityBytes, segmentBytes), taskFor(capacityBytes, segmentBytes)];
    await pour(whole, content);
    // A unit has 256 clusters.
    const starts: number[] = [];
    for (const give of [8191, 300, 8000, Infinity]) starts.push((await pour(often, content, give)).startAt / CLUSTER);
    expect(starts).toEqual([0, 7936, 8192, 16_128]);
    expect((await readFile(often.path)).equals(await readFile(whole.path))).toBe(true);
  });

  test('one of a stream has no journal, and begins again', async () => {
    const content = new Map([[0, noise(CLUSTER, 1)]]);
    const task = taskFor(3 * CLUSTER);
    await pour(task, content, 2);
    const nfc: TransferTask = {
      ...task,
      input: { kind: 'nfc', url: '', trust: { fingerprints: [], insecure: false } },
    };
    expect((await pour(nfc, content)).startAt).toBe(0);
    await expect(stat(journalOf(task))).rejects.toThrow('ENOENT');
  });
});

describe('a journal', () => {
  const header: JournalHeader = {
    binding: 'snapshot-7',
    sizeBytes: 1000,
    lastModified: 'Mon',
    capacityBytes: 1000,
    segmentBytes: SEGMENT,
    unitBytes: CLUSTER,
  };
  const lines = (): string[] => {
    const first = headerLine(header);
    const second = recordLine({ unit: 0, next: 2, crc: 7, clusters: Buffer.from([1]) }, first.check);
    const third = recordLine({ unit: 1, next: 2, crc: 0, hash: null }, second.check);
    return [first.text, second.text, third.text];
  };

  const readable = (changed: string[]): number | undefined =>
    parseJournal(Buffer.from(changed.join('')), header)?.records.length;

  test('is read as it was written', () => {
    const text = lines();
    const parsed = parseJournal(Buffer.from(text.join('')), header);
    expect(parsed?.records).toEqual([
      { unit: 0, next: 2, crc: 7, clusters: Buffer.from([1]) },
      { unit: 1, next: 2, crc: 0, hash: null },
    ]);
    const first = text[0]?.length ?? 0;
    expect(parsed?.ends).toEqual([first, first + (text[1]?.length ?? 0), text.join('').length]);
  });

  test.each([
    { binding: 'snapshot-8' },
    { sizeBytes: 1001 },
    { lastModified: 'Tue' },
    { etag: 'x' },
    { capacityBytes: 1001 },
    { segmentBytes: 2 * SEGMENT },
    { unitBytes: 2 * CLUSTER },
  ])('is not read under another %o', (change) => {
    expect(parseJournal(Buffer.from(lines().join('')), { ...header, ...change })).toBeUndefined();
  });

  test('is read up to the first line that is torn, altered or in the wrong place', () => {
    const text = lines();
    expect(readable([text[0] ?? '', text[1] ?? '', (text[2] ?? '').slice(0, -1)])).toBe(1);
    expect(readable([text[0] ?? '', text[2] ?? ''])).toBe(0);
    expect(readable([text[0] ?? '', text[1] ?? '', text[1] ?? ''])).toBe(1);
    expect(readable([text[0] ?? '', (text[1] ?? '').replace('"next":2', '"next":3'), text[2] ?? ''])).toBe(0);
  });

  test('with any byte changed tells nothing that was not written', () => {
    const whole = Buffer.from(lines().join(''));
    const written = parseJournal(whole, header)?.records ?? [];
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const records = parseJournal(bytes, header)?.records ?? [];
        expect(records).toEqual(written.slice(0, records.length));
        expect(records.length).toBeLessThan(written.length);
      }),
    );
  });

  test('tells of a unit only when the image was flushed, and of none when that failed', async () => {
    const file = path.join(folder, 'flushed.journal');
    const flushes: { done(): void; fail(): void }[] = [];
    const flush = async (): Promise<void> =>
      new Promise((resolve, reject) => {
        flushes.push({ done: resolve, fail: () => reject(new Error('no space')) });
      });
    const flushed = async (count: number): Promise<(typeof flushes)[number]> => {
      while (flushes.length < count) await new Promise((resolve) => setImmediate(resolve));
      return flushes[count - 1] ?? { done: () => {}, fail: () => {} };
    };
    const units = async (): Promise<number | undefined> => parseJournal(await readFile(file), header)?.records.length;
    const journal = await JournalWriter.create(file, header, flush);
    journal.add({ unit: 0, next: 2, crc: 7 });
    const first = await flushed(1);
    expect(await units()).toBe(0);
    first.done();
    await journal.drain();
    expect(await units()).toBe(1);
    journal.add({ unit: 1, next: 3, crc: 8 });
    (await flushed(2)).fail();
    await expect(journal.drain()).rejects.toThrow('no space');
    expect(() => journal.pressure()).toThrow('no space');
    await journal.close();
    expect(await units()).toBe(1);
  });
});
