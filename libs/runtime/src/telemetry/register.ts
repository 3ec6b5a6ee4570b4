// Loaded before everything else: node --import @hyper2kvm/runtime/telemetry <service>
// Does nothing, and loads nothing, unless an OTLP endpoint is named (OTEL_EXPORTER_OTLP_ENDPOINT).
import { register } from 'node:module';

let flush = async (): Promise<void> => {};

/** Sends what is still waiting. For processes that end on purpose: services at shutdown, the CLI at its end. */
export const flushTelemetry = (): Promise<void> => flush();

const FLUSH_LIMIT_MS = 3000;
const serviceName = /(?:services\/|@hyper2kvm\/)(\w+)\//.exec(process.argv[1] ?? '')?.[1];
const isService = serviceName !== undefined;

async function start(): Promise<void> {
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
  const [
    { NodeSDK, resources, tracing },
    { OTLPTraceExporter },
    { HttpInstrumentation },
    { PgInstrumentation },
    { UndiciInstrumentation },
  ] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/instrumentation-http'),
    import('@opentelemetry/instrumentation-pg'),
    import('@opentelemetry/instrumentation-undici'),
  ]);
  const service = process.env['OTEL_SERVICE_NAME'] ?? serviceName ?? 'hyperctl';
  const processor = new tracing.BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 1000 });
  const sdk = new NodeSDK({
    resource: resources.resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [processor],
    instrumentations: [
      // Scrapes and probes would drown everything else.
      new HttpInstrumentation({
        ignoreIncomingRequestHook: (request) => /^\/(health|metrics|status)/.test(request.url ?? ''),
        // Addresses of receivers hold their secrets, and our traces are none of their business.
        ignoreOutgoingRequestHook: ({ headers }) => headers !== undefined && 'webhook-id' in headers,
      }),
      new PgInstrumentation({ requireParentSpan: true }),
      new UndiciInstrumentation({ requireParentforSpans: true }),
    ],
  });
  sdk.start();
  flush = async () => {
    const limit = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_LIMIT_MS).unref());
    await Promise.race([processor.forceFlush().catch(() => {}), limit]);
  };
}

// A service may have the endpoint in its configuration; what is wrong with that file is said when the service itself reads it.
if (process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] === undefined && isService) {
  const { loadConfig } = await import('../config/load.js');
  try {
    const { otlp_endpoint: endpoint } = loadConfig({}).telemetry;
    if (endpoint !== undefined) process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
  } catch {
    // Said later.
  }
}
if (process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined) await start();
