import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerReader, type AnswerHead } from '../src/net/http-answer.js';
import { RangeContent } from '../src/transfer/inputs/range-content.js';
import { RangeWindow, type Range } from '../src/transfer/inputs/range-window.js';
import { TokenBucket } from '../src/transfer/rate-limit.js';
import { noise } from './vmdk-fixture.js';

const CLUSTER = 65_536;

describe('ranges', () => {
  test('cover the disk once, come in its order, and are never more than the window under way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          size: fc.integer({ min: 1, max: 500 }),
          startAt: fc.nat(200),
          range: fc.integer({ min: 1, max: 60 }),
          limit: fc.integer({ min: 1, max: 9 }),
          lanes: fc.integer({ min: 1, max: 6 }),
        }),
        fc.scheduler(),
        async ({ size, startAt, range, limit, lanes }, scheduler) => {
          const window = new RangeWindow<string>(startAt, size, range, limit);
          let underWay = 0;
          let most = 0;
          const fetchers = Array.from({ length: lanes }, async () => {
            for (;;) {
              const next: Range | undefined = await window.next();
              if (next === undefined) return;
              most = Math.max(most, ++underWay);
              await scheduler.schedule(Promise.resolve());
              window.put(next, `${next.start}-${next.end}`);
            }
          });
          const taken: string[] = [];
          const reader = (async () => {
            for (;;) {
              const next = await window.take();
              if (next === undefined) return;
              underWay--;
              taken.push(next.content);
            }
          })();
          await scheduler.waitFor(Promise.all([...fetchers, reader]));
          const wanted: string[] = [];
          for (let at = startAt; at < size; at += range) wanted.push(`${at}-${Math.min(at + range, size)}`);
          expect(taken).toEqual(wanted);
          expect(most).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('end for everybody with the first failure', async () => {
    const window = new RangeWindow<string>(0, 100, 10, 1);
    await window.next();
    const waiting = [window.next(), window.take()];
    window.fail(new Error('first'));
    window.fail(new Error('second'));
    for (const promise of waiting) await expect(promise).rejects.toThrow('first');
    await expect(window.next()).rejects.toThrow('first');
  });

  test('give the clusters that hold data, whatever pieces they come in, also from a buffer used before', () => {
    const piece = fc.record({ length: fc.integer({ min: 1, max: 40_000 }), zero: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(fc.array(piece, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 3 }),
        (uses) => {
          const content = new RangeContent(20 * 40_000);
          for (const [use, pieces] of uses.entries()) {
            const bytes = Buffer.concat(
              pieces.map(({ length, zero }, at) =>
                zero ? Buffer.alloc(length) : noise(length + 4, at + use * 50 + 1).subarray(0, length),
              ),
            );
            content.begin(bytes.length);
            let from = 0;
            for (const { length } of pieces) expect(content.push(bytes.subarray(from, (from += length)))).toBe(true);
            expect(content.push(Buffer.alloc(1))).toBe(false);
            const found = new Map([...content.data()].map(([at, cluster]) => [at, Buffer.from(cluster)]));
            for (let at = 0; at < bytes.length; at += CLUSTER) {
              const wanted = bytes.subarray(at, at + CLUSTER);
              if (wanted.some((byte) => byte !== 0)) expect(found.get(at)?.equals(wanted)).toBe(true);
              else expect(found.has(at)).toBe(false);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a rate limit', () => {
  test('lets no more through than the rate and a tenth of a second of it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000_000, max: 100_000_000 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 65_536 }), fc.nat(50)), { minLength: 20, maxLength: 200 }),
        (rate, steps) => {
          let now = 0;
          const bucket = new TokenBucket(rate, () => now);
          let taken = 0;
          for (const [bytes, idle] of steps) {
            now += idle;
            now += bucket.delay();
            expect(bucket.delay()).toBeLessThan(1e-6);
            bucket.take(bytes);
            taken += bytes;
            // What came last is the debt.
            expect(taken - bytes).toBeLessThanOrEqual((now / 1000) * rate + Math.max(rate / 10, 65_536) + 1);
          }
        },
      ),
    );
  });

  test('is the rate over a long time, and changes at once', () => {
    let now = 0;
    const bucket = new TokenBucket(1_000_000, () => now);
    const through = (ms: number): number => {
      const end = now + ms;
      let taken = 0;
      while (now < end) {
        bucket.take(16_384);
        taken += 16_384;
        now += bucket.delay();
      }
      return taken;
    };
    expect(through(10_000) / 10_000_000).toBeCloseTo(1, 1);
    bucket.setRate(4_000_000);
    expect(through(10_000) / 40_000_000).toBeCloseTo(1, 1);
    bucket.setRate(null);
    bucket.take(1e12);
    expect(bucket.delay()).toBe(0);
  });
});

const read = (
  bytes: Buffer,
  cuts: readonly number[] = [],
): { head: AnswerHead | undefined; body: string; reader: AnswerReader } => {
  let head: AnswerHead | undefined;
  const body: Buffer[] = [];
  const reader = new AnswerReader(
    (told) => {
      head = told;
    },
    (piece) => void body.push(Buffer.from(piece)),
  );
  const ends = [...new Set([...cuts.map((cut) => cut % bytes.length), bytes.length])].toSorted((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    if (end > from) reader.push(bytes.subarray(from, end));
    from = end;
  }
  return { head, body: Buffer.concat(body).toString('latin1'), reader };
};

describe('an HTTP answer', () => {
  const text = 'the body, with\r\nline\r\n\r\nbreaks';
  const answers: [string, string, boolean][] = [
    [
      'of a known length',
      `HTTP/1.1 206 Partial Content\r\nContent-Length: ${text.length}\r\nETag: "x"\r\n\r\n${text}`,
      true,
    ],
    [
      'after 100 Continue',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
      true,
    ],
    [
      'in chunks',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n${text.slice(0, 5)}\r\n${(text.length - 5).toString(16)}\r\n${text.slice(5)}\r\n0\r\nTrailer: a\r\n\r\n`,
      true,
    ],
    ['until the end', `HTTP/1.0 200 OK\r\n\r\n${text}`, false],
    ['that closes', `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`, false],
  ];

  test.each(answers)('%s is read in whatever pieces it comes', (_, answer, reusable) => {
    const bytes = Buffer.from(answer, 'latin1');
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (cuts) => {
        const { body, reader, head } = read(bytes, cuts);
        expect(body).toBe(text);
        reader.end();
        expect(reader.complete).toBe(true);
        expect(reader.reusable).toBe(reusable);
        expect(head?.status).toBeGreaterThanOrEqual(200);
      }),
    );
  });

  test.each(answers.filter(([name]) => name !== 'until the end'))('%s is not complete before its end', (_, answer) => {
    const bytes = Buffer.from(answer, 'latin1');
    for (let length = 1; length < bytes.length; length++)
      expect(() => read(bytes.subarray(0, length)).reader.end()).toThrow('the connection broke');
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['another encoding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a chunk without size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a chunk that goes on', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
    ['more than its answer', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab'],
    ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(70_000)}`],
  ])('with %s is refused', (_, answer) => {
    expect(() => read(Buffer.from(answer, 'latin1'))).toThrow();
  });
});
