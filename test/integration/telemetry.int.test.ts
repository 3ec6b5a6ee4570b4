/** What a service sends over OTLP, which part of it, and what becomes of it where nobody takes it. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { createLogger, Entry, flushTelemetry, startTelemetry, trace, VERSION, withSpan } from '@hyper2kvm/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSpans } from '../support/otlp.js';
import { until } from './gateway-stack.js';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let received: Received[];
/** Of the answers; 0: none is given. */
let status: number;
let server: ReturnType<typeof createServer>;
let endpoint: string;
let lines: Record<string, unknown>[];

beforeEach(async () => {
  received = [];
  lines = [];
  status = 200;
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ path: request.url ?? '', headers: request.headers, body });
      if (status !== 0) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await flushTelemetry();
  trace.disable();
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const logger = () =>
  createLogger('exporter', 'info', { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });

const start = (config: object = {}) =>
  startTelemetry({
    service: 'exporter',
    workerId: 'exporter-7',
    logger: logger(),
    config: {
      otlp_endpoint: endpoint,
      headers: {},
      sample_ratio: 1,
      span_seconds: 60,
      logs: false,
      database_spans: false,
      ...config,
    },
  });

const spans = () => received.filter(({ path }) => path === '/v1/traces').flatMap(({ body }) => readSpans(body));

interface Records {
  readonly resourceLogs: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly object[] }[] }[];
}
const records = () =>
  received
    .filter(({ path }) => path === '/v1/logs')
    .flatMap(({ body }) => (JSON.parse(body) as Records).resourceLogs)
    .flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

/** Below half of all ids, and above it: what a ratio goes by. */
const LOW = '00000001000000000000000000000000';
const HIGH = 'f0000000000000000000000000000000';
const caller = (traceId: string, isRecorded: boolean): string =>
  `00-${traceId}-00f067aa0ba902b7-${isRecorded ? '01' : '00'}`;

/** A request, with something done for it. */
async function request(traceparent?: string): Promise<void> {
  const entry = Entry.span('POST /api/v1/convert', {}, traceparent);
  await entry.run(async () => withSpan('within', {}, async () => {}));
  entry.end(200);
}

describe('which traces are recorded', () => {
  it('those of a caller who records them, whatever the ratio, as children of his span', async () => {
    await start({ sample_ratio: 0 });
    await request(caller(HIGH, true));
    await flushTelemetry();
    expect(spans().map(({ name, traceId, parentId }) => ({ name, traceId, parentId }))).toEqual([
      { name: 'within', traceId: HIGH, parentId: spans()[1]?.spanId },
      { name: 'POST /api/v1/convert', traceId: HIGH, parentId: '00f067aa0ba902b7' },
    ]);
  });

  it('of the others a share, decided by the trace: its root is the request, under the id that the caller knows', async () => {
    await start({ sample_ratio: 0.5 });
    await request(caller(LOW, false));
    await request(caller(HIGH, false));
    await flushTelemetry();
    expect(spans().map(({ name, traceId }) => ({ name, traceId }))).toEqual([
      { name: 'within', traceId: LOW },
      { name: 'POST /api/v1/convert', traceId: LOW },
    ]);
    expect(spans()[1]?.parentId).toBeUndefined();
  });

  it('none with a ratio of 0, nor where OpenTelemetry is switched off', async () => {
    await start({ sample_ratio: 0 });
    await request();
    await flushTelemetry();
    trace.disable();
    vi.stubEnv('OTEL_SDK_DISABLED', 'true');
    await start();
    await request();
    await flushTelemetry();
    expect(received).toEqual([]);
  });

  it("by OpenTelemetry's variable where there is one", async () => {
    vi.stubEnv('OTEL_TRACES_SAMPLER', 'parentbased_always_on');
    await start({ sample_ratio: 0 });
    await request();
    await flushTelemetry();
    expect(spans()).toHaveLength(2);
  });
});

it('tells which worker it was, with the headers of the configuration, which variables replace', async () => {
  await start({ headers: { authorization: 'Bearer of-the-file' } });
  await request();
  await flushTelemetry();
  trace.disable();
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=Bearer%20of-the-variable');
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment=test,host.name=other');
  await start({ headers: { authorization: 'Bearer of-the-file' } });
  await request();
  await flushTelemetry();
  expect(received.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer of-the-file',
    'Bearer of-the-variable',
  ]);
  const resources = received.map(
    ({ body }) =>
      (JSON.parse(body) as { resourceSpans: { resource: { attributes: unknown[] } }[] }).resourceSpans[0]?.resource
        .attributes,
  );
  expect(resources[0]).toEqual([
    attribute('service.name', 'exporter'),
    attribute('service.version', VERSION),
    attribute('service.instance.id', 'exporter-7'),
    attribute('host.name', hostname()),
  ]);
  expect(resources[1]).toEqual(
    expect.arrayContaining([attribute('host.name', 'other'), attribute('deployment.environment', 'test')]),
  );
});

it('sends each line of the log as a record: the same fields, redacted as the line is, in its trace', async () => {
  await start({ logs: true });
  await withSpan('export.requested process', {}, async () => {
    logger().warn(
      { job_id: 'job-1', attempt: 2, password: 'hunter2', server: 'nats://user:hunter2@host:4222' },
      'the disk comes again',
    );
  });
  await flushTelemetry();
  const [line] = lines;
  expect(line).toMatchObject({ level: 'warn', job_id: 'job-1', attempt: 2, trace_id: spans()[0]?.traceId });
  expect(records()).toEqual([
    expect.objectContaining({
      severityNumber: 13,
      severityText: 'WARN',
      body: { stringValue: 'the disk comes again' },
      timeUnixNano: String(BigInt(Date.parse(String(line?.['time']))) * 1_000_000n),
      traceId: line?.['trace_id'],
      spanId: line?.['span_id'],
      attributes: [
        { key: 'job_id', value: { stringValue: 'job-1' } },
        { key: 'attempt', value: { intValue: 2 } },
        { key: 'password', value: { stringValue: '[redacted]' } },
        { key: 'server', value: { stringValue: 'nats://user:[redacted]@host:4222' } },
      ],
    }),
  ]);
  expect(JSON.stringify(received)).not.toContain('hunter2');
});

describe('where nobody takes it', () => {
  it('says so once, drops what does not fit, and says once that it works again', async () => {
    vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '10');
    vi.stubEnv('OTEL_BSP_MAX_QUEUE_SIZE', '20');
    vi.stubEnv('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '10');
    status = 400;
    await start();
    for (let count = 0; count < 50; count += 1) await request();
    await until(
      async () => received.length,
      (count) => count >= 3,
    );
    status = 200;
    await request();
    await until(
      async () => lines.length,
      (count) => count >= 2,
    );
    await flushTelemetry();
    expect(lines.map(({ level, msg }) => `${String(level)}: ${String(msg)}`)).toEqual([
      'warn: traces cannot be delivered: they are dropped until that works again',
      'info: traces are delivered again',
    ]);
    // 51 requests of two spans each.
    expect(spans().length).toBeLessThan(102);
  });

  it('ends all the same when the receiver never answers', { timeout: 20_000 }, async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '600000');
    vi.stubEnv('OTEL_BSP_EXPORT_TIMEOUT', '600000');
    status = 0;
    await start();
    await request();
    await flushTelemetry();
    expect(received).toHaveLength(1);
  });
});
