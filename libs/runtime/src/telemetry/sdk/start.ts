import { hostname } from 'node:os';
import { trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { envDetector, resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { VERSION } from '../../version.js';
import { alsoTo } from '../logger.js';
import type { TelemetryOptions } from '../register.js';
import { recordsOfLines, processorOfRecords } from './logs.js';
import { continuedIds } from './continued-ids.js';
import { processorOfSpans, samplerOf } from './traces.js';

/**
 * OpenTelemetry's SDK, told all that it would look for by itself. Without instrumentations: our own spans say more and cost less.
 * Without its metrics: services serve theirs at /metrics.
 * @returns what sends the rest and ends it
 */
export async function startSdk(options: TelemetryOptions, env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  // A variable for one signal names an endpoint of that signal alone.
  const isSent = (signal: 'TRACES' | 'LOGS', isWanted: boolean): boolean =>
    isWanted &&
    [
      options.config.otlp_endpoint,
      env['OTEL_EXPORTER_OTLP_ENDPOINT'],
      env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`],
    ].some((one) => one !== undefined && one !== '');
  const logsBy = env['OTEL_LOGS_EXPORTER'];
  const sendsTraces = isSent('TRACES', env['OTEL_TRACES_EXPORTER'] !== 'none');
  const sendsLogs = isSent('LOGS', logsBy === undefined ? options.config.logs : logsBy === 'otlp');
  const sdk = new NodeSDK({
    resource: resourceOf(options),
    // Variables say more of it, or something else; nothing is looked for on the machine.
    resourceDetectors: [envDetector],
    sampler: samplerOf(options.config.sample_ratio, env),
    idGenerator: continuedIds,
    spanProcessors: sendsTraces ? [processorOfSpans(options, env)] : [],
    logRecordProcessors: sendsLogs ? [processorOfRecords(options, env)] : [],
    metricReaders: [],
    instrumentations: sendsTraces && options.config.database_spans ? [await databaseSpans()] : [],
    // The runtime's own, which works without an SDK, too. So does its context manager, which is there already.
    textMapPropagator: null,
  });
  sdk.start();
  if (sendsLogs) alsoTo(recordsOfLines());
  return async () => {
    alsoTo(undefined);
    await sdk.shutdown();
    trace.disable();
    logs.disable();
  };
}

/** https://opentelemetry.io/docs/specs/semconv/resource/ */
function resourceOf({ service, workerId }: TelemetryOptions): Resource {
  return resourceFromAttributes({
    'service.name': service,
    'service.version': VERSION,
    'service.instance.id': workerId,
    'host.name': hostname(),
  });
}

/** Made before the driver is loaded, which the gateway does when it connects. */
async function databaseSpans(): Promise<Instrumentation> {
  const { PgInstrumentation } = await import('@opentelemetry/instrumentation-pg');
  return new PgInstrumentation({ requireParentSpan: true });
}
