/** A service's traces and logs, taken by a real OpenTelemetry collector; and the collector's configuration in deploy/grafana. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOtelcol, validate, type Otelcol, type ReceivedLog } from '../support/otelcol.js';
import type { ReceivedSpan } from '../support/otlp.js';
import { until } from './gateway-stack.js';
import { jobId, startNotifierStack, type NotifierStack } from './notifier-stack.js';

const DEPLOYED = fileURLToPath(new URL('../../deploy/grafana/otel-collector.yaml', import.meta.url));

let collector: Otelcol;
let stack: NotifierStack;
let lines: () => Record<string, unknown>[];

beforeAll(async () => {
  [collector, stack] = await Promise.all([startOtelcol(), startNotifierStack()]);
  const child = await stack.notifier({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_BLRP_SCHEDULE_DELAY: '100',
    HYPER2KVM_TELEMETRY__LOGS: 'true',
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
});
afterAll(async () => {
  await stack?.close();
  await collector?.stop();
});

const told = (what: string) => lines().filter(({ msg }) => String(msg).startsWith(what));
const isOfJob = ({ attributes }: ReceivedLog): boolean => attributes['job_id'] === jobId(1);

it('traces and logs of a job come together: each record has the trace, and says what the line says', async () => {
  let status = 503;
  const receiver = await stack.receiver(() => status);
  await stack.tell('failed', 'one', { callback_url: receiver.url });
  const records = await until(
    async () => (await collector.logs()).filter(isOfJob),
    (found) => found.length > 0,
  );
  status = 200;
  for (const { body, traceId, spanId, attributes } of records)
    expect(lines()).toContainEqual(
      expect.objectContaining({ msg: body, trace_id: traceId, span_id: spanId, service: 'notifier', ...attributes }),
    );
  const isWithin = ({ traceId, spanId }: ReceivedSpan): boolean =>
    records.some((record) => record.traceId === traceId && record.spanId === spanId);
  await until(
    async () => (await collector.spans()).filter(isWithin),
    (found) => found.length > 0,
  );
  // The path of a receiver's address is its secret.
  expect(JSON.stringify([await collector.spans(), await collector.logs()])).not.toContain('secret-path');
});

it('a collector that is away disturbs nobody: mails go on, one warning, and one line when it is back', async () => {
  await collector.down();
  for (const at of [2, 3, 4]) {
    await stack.tell('completed', `away-${at}`, { notify_email: 'lee@example.com' }, at);
    await until(
      async () => stack.mailbox.mails.filter(({ raw }) => raw.includes(`vm-${at}`)),
      (mails) => mails.length > 0,
    );
  }
  await until(
    async () => told('traces cannot be delivered'),
    (found) => found.length > 0,
  );
  await stack.tell('completed', 'still-away', { notify_email: 'lee@example.com' }, 5);
  await collector.up();
  await stack.tell('completed', 'back', { notify_email: 'lee@example.com' }, 6);
  await until(
    async () => told('traces are delivered again'),
    (found) => found.length > 0,
  );
  expect(told('traces cannot be delivered')).toHaveLength(1);
});

it("the configuration in deploy/grafana is one that the collector takes, and a pipeline to nowhere isn't", async () => {
  expect(await validate(DEPLOYED)).toBe('');
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-otelcol-'));
  try {
    const bad = path.join(folder, 'bad.yaml');
    const text = await readFile(DEPLOYED, 'utf8');
    await writeFile(bad, text.replace('exporters: [otlp_http/loki]', 'exporters: [otlp_http/nowhere]'));
    expect(await validate(bad)).toContain('otlp_http/nowhere');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
