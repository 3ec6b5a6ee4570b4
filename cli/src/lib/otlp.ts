import { hostname } from 'node:os';

/** A span that ended; times in nanoseconds since 1970. */
export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: it is the root. */
  readonly parentId?: string;
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly start: bigint;
  readonly end: bigint;
  /** What went wrong; undefined: nothing. */
  readonly failure: string | undefined;
}

/** A collector that does not answer does not hold the command back for longer. */
const LIMIT_MS = 3000;
const STATUS_ERROR = 2;
const KIND_INTERNAL = 1;

/**
 * Where spans go, by OpenTelemetry's environment variables; undefined: nowhere.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function tracesUrl(env: NodeJS.ProcessEnv): string | undefined {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return undefined;
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  if (own) return own;
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return base ? `${base.replace(/\/$/, '')}/v1/traces` : undefined;
}

/**
 * Sends one span as OTLP/HTTP in JSON, which every collector takes: the whole SDK would be three times as large as hyperctl.
 * A collector that is away is no reason for a command to fail.
 */
export async function sendSpan(url: string, span: EndedSpan, env: NodeJS.ProcessEnv): Promise<void> {
  const { failure } = span;
  const attributes = {
    'host.name': hostname(),
    ...pairs(env['OTEL_RESOURCE_ATTRIBUTES']),
    'service.name': env['OTEL_SERVICE_NAME'] ?? 'hyperctl',
  };
  const body = {
    resourceSpans: [
      {
        resource: {
          attributes: keyValues(attributes),
        },
        scopeSpans: [
          {
            scope: { name: 'hyper2kvm' },
            spans: [
              {
                traceId: span.traceId,
                spanId: span.spanId,
                ...(span.parentId === undefined ? {} : { parentSpanId: span.parentId }),
                name: span.name,
                kind: KIND_INTERNAL,
                attributes: keyValues(span.attributes ?? {}),
                startTimeUnixNano: String(span.start),
                endTimeUnixNano: String(span.end),
                status: failure === undefined ? {} : { code: STATUS_ERROR, message: failure },
              },
            ],
          },
        ],
      },
    ],
  };
  const extra = pairs(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? env['OTEL_EXPORTER_OTLP_HEADERS']);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...extra, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    await response.arrayBuffer();
  } catch {
    // Said by nobody: the trace is missing where it is looked for.
  }
}

const keyValues = (attributes: Readonly<Record<string, string>>) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } }));

/** `a=1,b=two%20words`, as OpenTelemetry writes lists in variables. */
function pairs(text: string | undefined): Record<string, string> {
  const found = (text ?? '').split(',').flatMap((pair): [string, string][] => {
    const [key, ...rest] = pair.split('=');
    const name = key?.trim() ?? '';
    return name === '' || rest.length === 0 ? [] : [[name, decoded(rest.join('=').trim())]];
  });
  return Object.fromEntries(found);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
