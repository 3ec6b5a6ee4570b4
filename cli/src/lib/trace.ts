import { randomBytes } from 'node:crypto';
import type { Span } from '@opentelemetry/api';

/** The trace that a command is: each request carries it on, so that the services' spans join it. */
export interface CommandTrace {
  readonly traceId: string;
  /** For requests; empty where OpenTelemetry's own instrumentation adds the header. */
  headers(): Record<string, string>;
  /** Runs the command inside its root span. */
  run<T>(fn: () => Promise<T>): Promise<T>;
  /** Ends the span and sends what is waiting (a few seconds at most). */
  end(error?: unknown): Promise<void>;
}

/** Starts the root span of a command. OpenTelemetry is loaded only where an endpoint is named: start-up stays quick. */
export async function startTrace(name: string): Promise<CommandTrace> {
  return process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] === undefined ? unexported() : exported(name);
}

/** https://www.w3.org/TR/trace-context/: a fresh identity, marked as sampled so that the services record it. */
function unexported(): CommandTrace {
  const traceId = randomBytes(16).toString('hex');
  const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
  return { traceId, headers: () => ({ traceparent }), run: (fn) => fn(), end: async () => {} };
}

async function exported(name: string): Promise<CommandTrace> {
  process.env['OTEL_SERVICE_NAME'] ??= 'hyperctl';
  const [{ flushTelemetry }, { context, SpanStatusCode, trace }] = await Promise.all([
    import('@hyper2kvm/runtime/telemetry'),
    import('@opentelemetry/api'),
  ]);
  const span: Span = trace.getTracer('hyper2kvm').startSpan(`hyperctl ${name}`, { root: true });
  const active = trace.setSpan(context.active(), span);
  return {
    traceId: span.spanContext().traceId,
    headers: () => ({}),
    run: (fn) => context.with(active, fn),
    end: async (error) => {
      if (error !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : 'failed' });
      }
      span.end();
      await flushTelemetry();
    },
  };
}
