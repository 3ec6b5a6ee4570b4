/** A receiver of OTLP/HTTP traces in JSON, as an OpenTelemetry collector is one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

type Value = string | number | boolean | readonly Value[] | undefined;
export type Attributes = Readonly<Record<string, Value>>;

export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: it has none. */
  readonly parentId: string | undefined;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer' | undefined;
  /** In milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly time: number; readonly attributes: Attributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string | undefined;
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly spans: ReceivedSpan[];
  /** What came, as it came. */
  readonly bodies: string[];
  /** Once a span came for which this holds. @throws with the names that came, after `ms` */
  until(holds: (span: ReceivedSpan) => boolean, ms?: number): Promise<ReceivedSpan>;
  stop(): Promise<void>;
}

interface RawValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly RawValue[] };
}
interface RawAttribute {
  readonly key: string;
  readonly value: RawValue;
}
interface RawSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind?: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly RawAttribute[];
  readonly events?: readonly {
    readonly name: string;
    readonly timeUnixNano: string;
    readonly attributes?: readonly RawAttribute[];
  }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}
interface ExportRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly RawAttribute[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly RawSpan[] }[];
  }[];
}

/** https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
const KINDS = [undefined, 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const STATUSES = ['unset', 'ok', 'error'] as const;

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    text(request)
      .then((body) => {
        bodies.push(body);
        spans.push(...readSpans(body));
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
    until: async (holds, ms = 20_000) => {
      for (const deadline = Date.now() + ms; ; await sleep(50)) {
        const found = spans.find(holds);
        if (found !== undefined) return found;
        if (Date.now() > deadline)
          throw new Error(`no such span within ${ms / 1000} s; there are ${spans.map(({ name }) => name).join(', ')}`);
      }
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The spans of one request of OTLP in JSON. */
export function readSpans(body: string): ReceivedSpan[] {
  return ((JSON.parse(body) as ExportRequest).resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource?.attributes)['service.name'] ?? '');
    return (scopeSpans ?? []).flatMap((scope) => (scope.spans ?? []).map((span) => readSpan(service, span)));
  });
}

const readSpan = (service: string, span: RawSpan): ReceivedSpan => ({
  service,
  name: span.name,
  traceId: span.traceId,
  spanId: span.spanId,
  parentId: span.parentSpanId === undefined || span.parentSpanId === '' ? undefined : span.parentSpanId,
  kind: KINDS[span.kind ?? 0],
  start: Number(span.startTimeUnixNano) / 1e6,
  end: Number(span.endTimeUnixNano) / 1e6,
  attributes: valuesOf(span.attributes),
  events: (span.events ?? []).map(({ name, timeUnixNano, attributes }) => ({
    name,
    time: Number(timeUnixNano) / 1e6,
    attributes: valuesOf(attributes),
  })),
  links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
  status: STATUSES[span.status?.code ?? 0] ?? 'unset',
  statusMessage: span.status?.message,
});

const valuesOf = (attributes: readonly RawAttribute[] = []): Attributes =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));

function valueOf(value: RawValue): Value {
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(valueOf);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue;
}
