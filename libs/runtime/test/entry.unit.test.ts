import { Entry, trace, traceparent } from '@hyper2kvm/runtime';
import { AlwaysOnSampler, InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it } from 'vitest';

afterEach(() => trace.disable());

const caller = (flags: '00' | '01'): string => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`;

describe('a request from outside', () => {
  it.each(['00', '01'] as const)("goes on in its caller's trace where no telemetry is set up (flags %s)", (flags) => {
    const entry = Entry.span('POST /x', {}, caller(flags));
    expect(entry.run(() => traceparent())).toBe(caller(flags));
    entry.end(200);
    expect(Entry.silent(caller(flags)).run(() => traceparent())).toBe(caller(flags));
    expect(Entry.span('POST /x', {}, undefined).run(() => traceparent())).toBeUndefined();
  });

  it('is a span below its caller where that one is recorded', () => {
    const exporter = new InMemorySpanExporter();
    const spanProcessors = [new SimpleSpanProcessor({ exporter })];
    trace.setGlobalTracerProvider(new TracerProvider({ sampler: new AlwaysOnSampler(), spanProcessors }));
    const entry = Entry.span('POST /x', { 'http.route': '/x' }, caller('01'));
    expect(entry.run(() => traceparent())).toMatch(/^00-a{32}-(?!b{16})[0-9a-f]{16}-01$/);
    entry.end(503);
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({
      name: 'POST /x',
      parentSpanContext: { spanId: 'b'.repeat(16) },
      attributes: { 'http.route': '/x', 'http.response.status_code': 503 },
    });
  });
});
