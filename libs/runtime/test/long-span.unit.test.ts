import { addEvent, setSpanSeconds, trace, traceparent, withLongSpan, withSpan } from '@hyper2kvm/runtime';
import { SpanStatusCode } from '@opentelemetry/api';
import * as tracing from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const ended = new tracing.InMemorySpanExporter();
const record = (sampler: tracing.Sampler = new tracing.AlwaysOnSampler()): void => {
  trace.disable();
  trace.setGlobalTracerProvider(
    new tracing.TracerProvider({ sampler, spanProcessors: [new tracing.SimpleSpanProcessor({ exporter: ended })] }),
  );
};

beforeAll(() => setSpanSeconds(60));
beforeEach(() => {
  vi.useFakeTimers();
  record();
});
afterEach(() => {
  vi.useRealTimers();
  ended.reset();
});
afterAll(() => trace.disable());

const spans = (name: string): tracing.ReadableSpan[] => ended.getFinishedSpans().filter((span) => span.name === name);

/** The exporter of this test has timers of its own, which end at once. */
const timersLeft = async (): Promise<number> => {
  await vi.advanceTimersByTimeAsync(1);
  return vi.getTimerCount();
};

describe('a long span', () => {
  it('is one span where its work is short', async () => {
    const result = await withLongSpan('work', { a: 1 }, async (span) => {
      span.setAttributes({ b: 2 });
      await vi.advanceTimersByTimeAsync(30_000);
      return 'done';
    });
    expect(result).toBe('done');
    const [only, ...more] = spans('work');
    expect(more).toEqual([]);
    expect(only?.attributes).toEqual({ a: 1, b: 2, 'hyper2kvm.elapsed_seconds': 30 });
    expect(only?.links).toEqual([]);
    expect(await timersLeft()).toBe(0);
  });

  it('is seen in pieces of one parent, each linked to the one before; its children belong to the first', async () => {
    await withSpan('root', {}, async () =>
      withLongSpan('work', { 'job.id': 'job-1' }, async () => {
        await withSpan('early', {}, async () => vi.advanceTimersByTimeAsync(130_000));
        // What is over so far is known before the work ends.
        expect(spans('work')).toHaveLength(2);
        addEvent('seen', { where: 'third piece' });
        await withSpan('late', {}, async () => {});
      }),
    );
    const [root] = spans('root');
    const pieces = spans('work');
    const [first, second, third] = pieces;
    expect(pieces.map(({ attributes }) => attributes['hyper2kvm.piece'])).toEqual([undefined, 2, 3]);
    expect(pieces.map(({ attributes }) => attributes['hyper2kvm.continued'])).toEqual([true, true, undefined]);
    expect(pieces.map(({ attributes }) => attributes['hyper2kvm.elapsed_seconds'])).toEqual([60, 120, 130]);
    expect(pieces.map(({ attributes }) => attributes['job.id'])).toEqual(['job-1', 'job-1', 'job-1']);
    const ids = pieces.map((piece) => piece.spanContext().spanId);
    expect(new Set(ids).size).toBe(3);
    for (const piece of pieces) expect(piece.parentSpanContext?.spanId).toBe(root?.spanContext().spanId);
    expect(pieces.map(({ links }) => links.map((link) => link.context.spanId))).toEqual([[], [ids[0]], [ids[1]]]);
    for (const child of [...spans('early'), ...spans('late')])
      expect(child.parentSpanContext?.spanId).toBe(first?.spanContext().spanId);
    expect([first, second, third].map((piece) => piece?.events.map(({ name }) => name))).toEqual([[], [], ['seen']]);
  });

  it('ends with the error that ended its work, in its last piece', async () => {
    const failing = withLongSpan('work', {}, async () => {
      await vi.advanceTimersByTimeAsync(61_000);
      throw Object.assign(new Error('no room at https://u:geheim@host/x'), { code: 'DISK_FULL' });
    });
    await expect(failing).rejects.toThrow('no room');
    const [first, last] = spans('work');
    expect(first?.status.code).toBe(SpanStatusCode.UNSET);
    expect(last?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no room at https://u:[redacted]@host/x' });
    expect(last?.attributes['error.type']).toBe('DISK_FULL');
    expect(JSON.stringify([last?.events, last?.status])).not.toContain('geheim');
    expect(await timersLeft()).toBe(0);
  });

  it('did not fail where its work was merely stopped', async () => {
    const stopped = Object.assign(new Error('the work was stopped: shutdown'), { name: 'WorkStopped' });
    await expect(withLongSpan('work', {}, () => Promise.reject(stopped))).rejects.toBe(stopped);
    expect(spans('work')[0]).toMatchObject({ status: { code: SpanStatusCode.UNSET }, events: [{ name: 'stopped' }] });
  });

  it('stays one trace where it is the root', async () => {
    await withLongSpan('work', {}, async () => vi.advanceTimersByTimeAsync(61_000));
    const [first, second] = spans('work');
    expect(second?.spanContext().traceId).toBe(first?.spanContext().traceId);
    expect(second?.parentSpanContext?.spanId).toBe(first?.spanContext().spanId);
  });

  it('has no timer where nothing is recorded, and still has an identity for what follows', async () => {
    record(new tracing.AlwaysOffSampler());
    const parent = await withLongSpan('work', {}, async () => {
      expect(vi.getTimerCount()).toBe(0);
      addEvent('seen');
      return traceparent();
    });
    expect(parent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(ended.getFinishedSpans()).toEqual([]);
  });

  it('links to what led to it, and leaves out what is not valid', async () => {
    const before = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await withLongSpan('work', {}, async () => {}, { links: [before, null, 'nonsense'] });
    expect(spans('work')[0]?.links.map((link) => link.context.traceId)).toEqual(['a'.repeat(32)]);
  });
});
