import { context } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { VERSION } from '../../version.js';
import { alsoTo } from '../logger.js';
import type { TelemetryOptions } from '../register.js';
import { endpointOf, limitsOf } from './endpoint.js';
import { Told } from './told.js';

const SEVERITIES: Record<string, SeverityNumber> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

/** What a record has a place of its own for. */
const OWN = new Set(['level', 'time', 'msg', 'service', 'trace_id', 'span_id']);

/**
 * Sends each line of the log also as a record, made from the finished line: so it holds no more than the line does.
 * @returns what sends the rest and ends it
 */
export async function startLogs(
  options: TelemetryOptions,
  env: NodeJS.ProcessEnv,
  resource: Resource,
): Promise<() => Promise<void>> {
  const exporter = new Told(new OTLPLogExporter(endpointOf('logs', options.config, env)), 'logs', options.logger);
  const provider = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter, ...limitsOf('OTEL_BLRP', env) })],
  });
  const sink = provider.getLogger('hyper2kvm', VERSION);
  alsoTo((text) => {
    const line = JSON.parse(text) as { level: string; time: string; msg?: string };
    sink.emit({
      timestamp: new Date(line.time),
      severityNumber: SEVERITIES[line.level] ?? SeverityNumber.UNSPECIFIED,
      severityText: line.level.toUpperCase(),
      body: line.msg ?? '',
      attributes: Object.fromEntries(Object.entries(line).filter(([key]) => !OWN.has(key))),
      context: context.active(),
    });
  });
  return async () => {
    alsoTo(undefined);
    await provider.shutdown();
  };
}
