import { context } from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { BatchLogRecordProcessor, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { VERSION } from '../../version.js';
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

export function processorOfRecords(options: TelemetryOptions, env: NodeJS.ProcessEnv): LogRecordProcessor {
  const exporter = new Told(new OTLPLogExporter(endpointOf('logs', options.config, env)), 'logs', options.logger);
  return new BatchLogRecordProcessor({ exporter, ...limitsOf('OTEL_BLRP', env) });
}

/** Sends each line of the log also as a record, made from the finished line: so it holds no more than the line does. */
export function recordsOfLines(): (text: string) => void {
  const sink = logs.getLogger('hyper2kvm', VERSION);
  return (text) => {
    const line = JSON.parse(text) as { level: string; time: string; msg?: string };
    sink.emit({
      timestamp: new Date(line.time),
      severityNumber: SEVERITIES[line.level] ?? SeverityNumber.UNSPECIFIED,
      severityText: line.level.toUpperCase(),
      body: line.msg ?? '',
      attributes: Object.fromEntries(Object.entries(line).filter(([key]) => !OWN.has(key))),
      context: context.active(),
    });
  };
}
