import type { TelemetryOptions } from '../register.js';

/** Bursts wait in the process, and no more than that: what comes beyond is dropped. */
const QUEUE = 8192;
const BATCH = 1024;
const DELAY_MS = 2000;

/** What the exporter is told; what it is not told it takes from OpenTelemetry's variables by itself. */
export function endpointOf(
  signal: 'traces' | 'logs',
  { otlp_endpoint: base, headers }: TelemetryOptions['config'],
  env: NodeJS.ProcessEnv,
): { url?: string; headers?: Record<string, string> } {
  const upper = signal.toUpperCase();
  const isSet = (name: string): boolean =>
    [`OTEL_EXPORTER_OTLP_${name}`, `OTEL_EXPORTER_OTLP_${upper}_${name}`].some((one) => (env[one] ?? '') !== '');
  return {
    ...(isSet('ENDPOINT') || base === undefined ? {} : { url: `${base.replace(/\/$/, '')}/v1/${signal}` }),
    ...(isSet('HEADERS') ? {} : { headers: { ...headers } }),
  };
}

/** @param prefix of the variables: OTEL_BSP for spans, OTEL_BLRP for records of logs */
export function limitsOf(prefix: string, env: NodeJS.ProcessEnv) {
  const number = (name: string, fallback: number): number => {
    const value = Number(env[`${prefix}_${name}`] ?? Number.NaN);
    return Number.isFinite(value) && value > 0 ? value : fallback;
  };
  return {
    maxQueueSize: number('MAX_QUEUE_SIZE', QUEUE),
    maxExportBatchSize: number('MAX_EXPORT_BATCH_SIZE', BATCH),
    scheduledDelayMillis: number('SCHEDULE_DELAY', DELAY_MS),
    exportTimeoutMillis: number('EXPORT_TIMEOUT', 30_000),
  };
}
