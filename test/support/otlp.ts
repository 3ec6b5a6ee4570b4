/** A receiver of OTLP/HTTP traces in JSON, as an OpenTelemetry collector is one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly spans: ReceivedSpan[];
  /** What came, as it came. */
  readonly bodies: string[];
  stop(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}
interface ExportRequest {
  readonly resourceSpans?: {
    readonly resource?: { readonly attributes?: Attribute[] };
    readonly scopeSpans?: { readonly spans?: { readonly name: string; readonly traceId: string }[] }[];
  }[];
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    text(request)
      .then((body) => {
        bodies.push(body);
        for (const resource of (JSON.parse(body) as ExportRequest).resourceSpans ?? []) {
          const name =
            resource.resource?.attributes?.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
          for (const scope of resource.scopeSpans ?? []) {
            for (const span of scope.spans ?? []) spans.push({ service: name, name: span.name, traceId: span.traceId });
          }
        }
        response.setHeader('content-type', 'application/json');
        response.end('{}');
      })
      .catch(() => response.writeHead(400).end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
