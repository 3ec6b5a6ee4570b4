import { randomBytes } from 'node:crypto';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { isSampled } from '../src/lib/sampling.js';

const IDS = Array.from({ length: 500 }, () => randomBytes(16).toString('hex'));

describe('which traces are recorded', () => {
  it.each([0, 0.1, 0.5, 0.999, 1])('is decided by the id as the services do, at a ratio of %d', (ratio) => {
    const sampler = new TraceIdRatioBasedSampler(ratio);
    const env = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: String(ratio) };
    const decided = IDS.map((id) => isSampled(id, env));
    expect(decided).toEqual(
      IDS.map((id) => sampler.shouldSample(ROOT_CONTEXT, id).decision === SamplingDecision.RECORD_AND_SAMPLED),
    );
    if (ratio === 0.5) expect(new Set(decided).size).toBe(2);
  });

  it('is all of them, unless a variable says otherwise', () => {
    const id = IDS[0] ?? '';
    expect(isSampled(id, {})).toBe(true);
    expect(isSampled(id, { OTEL_TRACES_SAMPLER: 'always_on' })).toBe(true);
    expect(isSampled(id, { OTEL_TRACES_SAMPLER: 'always_off' })).toBe(false);
    expect(isSampled(id, { OTEL_TRACES_SAMPLER: 'parentbased_always_off' })).toBe(false);
    // A ratio that cannot be read is none.
    expect(isSampled(id, { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'half' })).toBe(true);
  });
});
