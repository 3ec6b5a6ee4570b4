import { hostname } from 'node:os';
import { trace } from '@opentelemetry/api';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { VERSION } from '../../version.js';
import type { TelemetryOptions } from '../register.js';
import { pairs } from './pairs.js';
import { startLogs } from './logs.js';
import { startTraces } from './traces.js';

/**
 * The parts of OpenTelemetry's SDK that services use. Not its package for Node: with its instrumentations it takes four times
 * the CPU to load, and sends metrics besides, which services serve at /metrics.
 * @returns what sends the rest and ends it
 */
export async function startSdk(options: TelemetryOptions, env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  const resource = resourceOf(options, env);
  const ends: (() => Promise<void>)[] = [];
  // A variable for one signal names an endpoint of that signal alone.
  const isSent = (signal: 'TRACES' | 'LOGS', isWanted: boolean): boolean =>
    isWanted &&
    [
      options.config.otlp_endpoint,
      env['OTEL_EXPORTER_OTLP_ENDPOINT'],
      env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`],
    ].some((one) => one !== undefined && one !== '');
  const logsBy = env['OTEL_LOGS_EXPORTER'];
  if (isSent('TRACES', env['OTEL_TRACES_EXPORTER'] !== 'none')) {
    const provider = startTraces(options, env, resource);
    trace.setGlobalTracerProvider(provider);
    ends.push(() => provider.shutdown());
    if (options.config.database_spans) await instrumentDatabase();
  }
  if (isSent('LOGS', logsBy === undefined ? options.config.logs : logsBy === 'otlp')) {
    ends.push(await startLogs(options, env, resource));
  }
  return async () => {
    await Promise.allSettled(ends.map((end) => end()));
  };
}

/** https://opentelemetry.io/docs/specs/semconv/resource/ */
function resourceOf({ service, workerId }: TelemetryOptions, env: NodeJS.ProcessEnv): Resource {
  return resourceFromAttributes({
    'service.name': service,
    'service.version': VERSION,
    'service.instance.id': workerId,
    'host.name': hostname(),
    ...pairs(env['OTEL_RESOURCE_ATTRIBUTES']),
    ...(env['OTEL_SERVICE_NAME'] ? { 'service.name': env['OTEL_SERVICE_NAME'] } : {}),
  });
}

/** Before the driver is loaded, which the gateway does when it connects. */
async function instrumentDatabase(): Promise<void> {
  const [{ registerInstrumentations }, { PgInstrumentation }] = await Promise.all([
    import('@opentelemetry/instrumentation'),
    import('@opentelemetry/instrumentation-pg'),
  ]);
  registerInstrumentations({ instrumentations: [new PgInstrumentation({ requireParentSpan: true })] });
}
