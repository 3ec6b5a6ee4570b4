import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { TelemetryOptions } from '../register.js';
import { continuedIds } from './continued-ids.js';
import { endpointOf, limitsOf } from './endpoint.js';
import { Told } from './told.js';

export function startTraces(options: TelemetryOptions, env: NodeJS.ProcessEnv, resource: Resource): TracerProvider {
  const exporter = new Told(new OTLPTraceExporter(endpointOf('traces', options.config, env)), 'traces', options.logger);
  return new TracerProvider({
    resource,
    sampler: samplerOf(options.config.sample_ratio, env),
    idGenerator: continuedIds,
    spanProcessors: [new BatchSpanProcessor({ exporter, ...limitsOf('OTEL_BSP', env) })],
  });
}

const byParentOr = (root: Sampler): Sampler => new ParentBasedSampler({ root });

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration */
function samplerOf(ratio: number, env: NodeJS.ProcessEnv): Sampler {
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
