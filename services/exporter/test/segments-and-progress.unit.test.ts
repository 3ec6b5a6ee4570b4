import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { SegmentHasher } from '@hyper2kvm/runtime/content';
import { describe, expect, test } from 'vitest';
import { ProgressMeter, Slots } from '../src/export/index.js';

describe('hashes of segments', () => {
  test('are those of the content with zeros filled in, and null where there is no data', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.tuple(fc.nat(500), fc.uint8Array({ minLength: 1, maxLength: 90 })), { maxLength: 8 }),
        (capacity, segment, pieces) => {
          const disk = Buffer.alloc(capacity);
          const touched = new Set<number>();
          const hasher = new SegmentHasher(capacity, segment);
          let end = 0;
          for (const [gap, bytes] of pieces) {
            const offset = end + (gap % 70);
            const content = Buffer.from(bytes).subarray(0, Math.max(0, capacity - offset));
            if (content.length === 0) break;
            hasher.data(offset, content);
            content.copy(disk, offset);
            end = offset + content.length;
            for (let at = offset; at < end; at++) touched.add(Math.floor(at / segment));
          }
          const wanted = Array.from({ length: Math.ceil(capacity / segment) }, (_, index) =>
            touched.has(index)
              ? createHash('sha256')
                  .update(disk.subarray(index * segment, (index + 1) * segment))
                  .digest('hex')
              : null,
          );
          expect(hasher.finish()).toEqual(wanted);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('refuse data that goes back', () => {
    const hasher = new SegmentHasher(100, 50);
    hasher.data(10, Buffer.alloc(5));
    expect(() => hasher.data(14, Buffer.alloc(1))).toThrow(RangeError);
  });
});

describe('progress', () => {
  const machine = {
    name: 'vm',
    cpus: 1,
    memory_bytes: 1,
    firmware: 'bios' as const,
    secure_boot: false,
    nics: [],
    disks: [1, 2].map((index) => ({ index, name: `d${index}`, capacity_bytes: 1000 })),
  };

  test('is counted over the capacity of all disks, with rate and time left of the last seconds', () => {
    const meter = new ProgressMeter(machine);
    meter.update(1, { state: 'transferring', done_bytes: 100 }, 0);
    meter.update(1, { done_bytes: 600, bytes_downloaded: 50 }, 5_000);
    expect(meter.report()).toMatchObject({ percent_complete: 30, bytes_per_second: 100, eta_seconds: 14 });
    // Long ago counts no more.
    meter.update(1, { done_bytes: 610 }, 60_000);
    meter.update(1, { done_bytes: 620 }, 61_000);
    expect(meter.report().bytes_per_second).toBe(10);
  });

  test('is 100 only when all disks are verified', () => {
    const meter = new ProgressMeter(machine);
    for (const index of [1, 2]) meter.update(index, { state: 'verifying', done_bytes: 1000 }, index);
    expect(meter.percent).toBe(99);
    for (const index of [1, 2]) meter.update(index, { state: 'done' }, 10 + index);
    expect(meter.report()).toMatchObject({ percent_complete: 100, disks: [{ state: 'done' }, { state: 'done' }] });
  });
});

describe('slots', () => {
  test('are never taken by more than there are, and all get their turn', async () => {
    const slots = new Slots(2);
    const { signal } = new AbortController();
    let now = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    };
    await Promise.all(Array.from({ length: 20 }, async () => slots.run(signal, work)));
    expect(most).toBe(2);
  });

  test('one who is stopped while waiting takes none with it', async () => {
    const slots = new Slots(1);
    const stop = new AbortController();
    const gate = new AbortController();
    const held = slots.run(new AbortController().signal, async () => once(gate.signal, 'abort'));
    const waiting = slots.run(stop.signal, async () => 'never');
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    gate.abort();
    await held;
    expect(await slots.run(new AbortController().signal, async () => 'free')).toBe('free');
  });
});
