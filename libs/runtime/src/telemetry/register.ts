import type { BaseConfig } from '../config/base.js';
import type { Logger } from './logger.js';

export interface TelemetryOptions {
  readonly service: string;
  readonly workerId: string;
  readonly config: BaseConfig['telemetry'];
  readonly logger: Logger;
}

let flush = async (): Promise<void> => {};

/** Sends what is still waiting, and ends telemetry: for services at shutdown. Takes no longer than a few seconds. */
export const flushTelemetry = (): Promise<void> => flush();

const FLUSH_LIMIT_MS = 3000;

/**
 * Sends traces, and logs where that is wanted, from now on. Loads nothing where no endpoint is named: neither in the configuration
 * nor by one of OpenTelemetry's variables, which win. Once per process.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<void> {
  const { env } = process;
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return;
  const named = [
    options.config.otlp_endpoint,
    env['OTEL_EXPORTER_OTLP_ENDPOINT'],
    env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    env['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'],
  ];
  if (!named.some((one) => one !== undefined && one !== '')) return;
  const { startSdk } = await import('./sdk/start.js');
  const shutdown = await startSdk(options, env);
  flush = async () => {
    flush = async () => {};
    const limit = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_LIMIT_MS).unref());
    await Promise.race([shutdown().catch(() => {}), limit]);
  };
}
