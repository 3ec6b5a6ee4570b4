import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { TelemetryOptions } from '../register.js';
import { endpointOf, limitsOf } from './endpoint.js';
import { Told } from './told.js';

export function processorOfSpans(options: TelemetryOptions, env: NodeJS.ProcessEnv): SpanProcessor {
  const exporter = new Told(new OTLPTraceExporter(endpointOf('traces', options.config, env)), 'traces', options.logger);
  return new BatchSpanProcessor({ exporter, ...limitsOf('OTEL_BSP', env) });
}

const byParentOr = (root: Sampler): Sampler => new ParentBasedSampler({ root });

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration */
export function samplerOf(ratio: number, env: NodeJS.ProcessEnv): Sampler {
  const arg = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? 1);
  const byVariable = new TraceIdRatioBasedSampler(Number.isFinite(arg) ? arg : 1);
  const named: Readonly<Record<string, Sampler>> = {
    always_on: new AlwaysOnSampler(),
    always_off: new AlwaysOffSampler(),
    traceidratio: byVariable,
    parentbased_always_on: byParentOr(new AlwaysOnSampler()),
    parentbased_always_off: byParentOr(new AlwaysOffSampler()),
    parentbased_traceidratio: byParentOr(byVariable),
  };
  return named[env['OTEL_TRACES_SAMPLER'] ?? ''] ?? byParentOr(new TraceIdRatioBasedSampler(ratio));
}
