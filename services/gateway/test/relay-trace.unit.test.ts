import { context, contextFrom, trace, traceparent } from '@hyper2kvm/runtime';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { RelayTraces } from '../src/outbox/trace.js';
import type { WaitingRow } from '../src/outbox/rows.js';

const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
beforeEach(() => exporter.reset());
afterAll(() => trace.disable());

const PARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const row = (type: string, kind: WaitingRow['kind'] = 'command'): WaitingRow => ({
  id: 'row-1',
  jobId: 'job-1',
  kind,
  type,
  data: {},
  traceparent: PARENT,
  createdAt: new Date(),
});
const send = (traces: RelayTraces, one: WaitingRow, action: () => Promise<void>): Promise<void> =>
  context.with(contextFrom(one.traceparent), () => traces.send(one, action));

describe('a message that leaves', () => {
  it('is one span in its trace, which what receives it goes on from; refusals before are its events', async () => {
    const traces = new RelayTraces();
    const one = row('export.requested.v1');
    const before = Date.now();
    for (const words of ['no answer', 'no room'])
      await expect(send(traces, one, () => Promise.reject(new Error(words)))).rejects.toThrow(words);
    expect(exporter.getFinishedSpans()).toEqual([]);
    let sent: string | undefined;
    await send(traces, one, async () => {
      sent = traceparent();
    });
    const [span, ...more] = exporter.getFinishedSpans();
    expect(more).toEqual([]);
    expect(span?.name).toBe('outbox publish export.requested');
    expect(span?.parentSpanContext?.spanId).toBe('b'.repeat(16));
    expect(sent).toContain(span?.spanContext().spanId);
    expect(span?.attributes).toMatchObject({ 'job.id': 'job-1' });
    expect(span?.events.map(({ name, attributes }) => [name, attributes?.['error']])).toEqual([
      ['refused', 'no answer'],
      ['refused', 'no room'],
    ]);
    const [seconds, nano] = span?.startTime ?? [0, 0];
    const began = seconds * 1000 + nano / 1e6;
    expect([began >= before, began <= Date.now()]).toEqual([true, true]);
    // It was told once.
    await send(traces, one, async () => {});
    expect(exporter.getFinishedSpans().at(-1)?.events).toEqual([]);
  });

  it.each([
    ['export.requested.v1', 'cancel', 'outbox cancel export.requested', 'job.id'],
    ['batch.completed.v1', 'fact', 'outbox publish batch.completed', 'batch.id'],
    ['hook.requested.v1', 'command', 'outbox publish hook.requested', 'hook.id'],
  ] as const)('%s as %s is "%s"', async (type, kind, name, key) => {
    await send(new RelayTraces(), row(type, kind), async () => {});
    expect(exporter.getFinishedSpans().map((span) => [span.name, span.attributes[key]])).toEqual([[name, 'job-1']]);
  });

  it('has none where it only tells of a job', async () => {
    await send(new RelayTraces(), row('job.log.v1', 'fact'), async () => {});
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
