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

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration */
function samplerOf(ratio: number, env: NodeJS.ProcessEnv): Sampler {
  const arg = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? 1);
  const inVariable = new TraceIdRatioBasedSampler(Number.isFinite(arg) ? arg : 1);
  switch (env['OTEL_TRACES_SAMPLER']) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return inVariable;
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: inVariable });
    default:
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}
