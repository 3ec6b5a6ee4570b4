import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { combinations, counter, histogram, registry, scraped } from '../src/telemetry/metrics.js';
import { sharedState } from '../src/telemetry/shared-state.js';

/** Lines of samples, without help and type. */
const samples = async (name: string): Promise<string[]> =>
  (await registry.getSingleMetricAsString(name)).split('\n').filter((line) => !line.startsWith('#'));

const define = (): ReturnType<typeof counter<'way' | 'end'>> =>
  counter<'way' | 'end'>('test_counted_total', 'Of a test', { way: ['a', 'b'], end: ['x', 'y'] });

/** A question that takes `ms`, and says how often it was asked. */
const question = (ms: number) => {
  let asked = 0;
  const ask = async (): Promise<number> => {
    asked += 1;
    const number = asked;
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (number === 2 && ms === 1) throw new Error('away');
    return number;
  };
  return { ask, asked: () => asked };
};

describe('metrics', () => {
  it('start at 0 for every combination that is known, and are made once', async () => {
    define().inc({ way: 'a', end: 'y' });
    define().inc({ way: 'a', end: 'y' });
    expect(await samples('test_counted_total')).toEqual([
      'test_counted_total{way="a",end="x"} 0',
      'test_counted_total{way="a",end="y"} 2',
      'test_counted_total{way="b",end="x"} 0',
      'test_counted_total{way="b",end="y"} 0',
    ]);
    expect(combinations({ way: ['a'], end: 'any' })).toEqual([]);
    histogram<'way'>('test_seconds', 'Of a test', { way: ['a'] }, { buckets: [1] });
    expect(await samples('test_seconds')).toContain('test_seconds_count{way="a"} 0');
  });

  it('that are read at a scrape have no sample where they cannot be read', async () => {
    let known = true;
    const answer = (): number => {
      if (!known) throw new Error('away');
      return 7;
    };
    scraped('test_one', 'Of a test', [], (put) => put(answer()));
    scraped('test_many', 'Of a test', ['kind'], async (put) => {
      put(1, { kind: 'read before the failure' });
      put(answer(), { kind: 'b' });
    });
    expect(await samples('test_one')).toEqual(['test_one 7']);
    expect(await samples('test_many')).toHaveLength(2);
    known = false;
    expect(await samples('test_one')).toEqual([]);
    expect(await samples('test_many')).toEqual([]);
    expect(await registry.metrics()).toContain('# TYPE test_one gauge');
    vi.useFakeTimers();
    scraped('test_deaf', 'Of a test', [], () => new Promise(() => {}));
    const scrape = samples('test_deaf');
    await vi.advanceTimersByTimeAsync(3000);
    vi.useRealTimers();
    expect(await scrape).toEqual([]);
  });
});

describe('shared state', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is asked for once by all who want it at the same time, and soon after', async () => {
    const { ask, asked } = question(10);
    const state = sharedState(ask);
    const both = Promise.all([state(), state()]);
    await vi.advanceTimersByTimeAsync(10);
    expect(await both).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(1990);
    expect(await state()).toBe(1);
    await vi.advanceTimersByTimeAsync(20);
    void state();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked()).toBe(2);
  });

  it('rests the longer the longer its answer takes', async () => {
    const { ask, asked } = question(1000);
    const state = sharedState(ask);
    void state();
    await vi.advanceTimersByTimeAsync(1000 + 24_000);
    await state();
    expect(asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(2000);
    void state();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked()).toBe(2);
  });

  it('is given up by who waits, and not asked again meanwhile; what comes late serves the next', async () => {
    const { ask, asked } = question(3000);
    const state = sharedState(ask);
    const first = state();
    const refused = expect(first).rejects.toThrow('no answer within 2000 ms');
    await vi.advanceTimersByTimeAsync(2500);
    await refused;
    const second = state();
    await vi.advanceTimersByTimeAsync(500);
    expect(await second).toBe(1);
    expect(asked()).toBe(1);
  });

  it('forgets a failure at once, and what never answers after a while', async () => {
    const { ask, asked } = question(1);
    const state = sharedState(ask, { freshMs: 0 });
    void state();
    await vi.advanceTimersByTimeAsync(100);
    const failing = expect(state()).rejects.toThrow('away');
    await vi.advanceTimersByTimeAsync(1);
    await failing;
    const third = state();
    await vi.advanceTimersByTimeAsync(1);
    expect(await third).toBe(3);
    expect(asked()).toBe(3);

    let hung = 0;
    const deaf = sharedState(() => new Promise<never>(() => (hung += 1)));
    deaf().catch(() => {});
    await vi.advanceTimersByTimeAsync(21_000);
    deaf().catch(() => {});
    await vi.advanceTimersByTimeAsync(0);
    expect(hung).toBe(2);
  });
});
