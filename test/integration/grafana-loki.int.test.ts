/** The queries for Loki of the dashboards, run against a real Loki that has the lines of a job from a real service. */
import { jobCompleted } from '@hyper2kvm/contracts';
import { openBus, createLogger } from '@hyper2kvm/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFile } from 'node:fs/promises';
import { allQueries } from '../support/grafana.js';
import { hasLoki, startLoki, type Loki } from '../support/loki.js';
import { startNats, type NatsServer } from '../support/nats.js';
import { serviceProcesses } from './service-process.js';

const LIMIT_MS = 60_000;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
let loki: Loki;
let nats: NatsServer;
let services: Awaited<ReturnType<typeof serviceProcesses>>;

/** Asked of whoever wants Loki itself: building it takes longer than all other set-up together. */
const why = hasLoki ? '' : ' (skipped: there is no Loki; node scripts/setup.mjs --loki builds it)';

beforeAll(async () => {
  if (!hasLoki) return;
  [loki, nats, services] = await Promise.all([startLoki(), startNats(), serviceProcesses()]);
});
afterAll(async () => {
  await services?.stop();
  await Promise.all([loki?.stop(), nats?.stop()]);
});

it.skipIf(!hasLoki)(`each returns what the services said of the job${why}`, async () => {
  const golden = new URL('../../libs/contracts/test/golden/job.completed.v1.json', import.meta.url);
  const {
    callback_url: _one,
    slack_webhook: _other,
    batch_id: _batch,
    ...data
  } = jobCompleted.schema.parse(JSON.parse(await readFile(golden, 'utf8')));
  await services.start(
    'notifier',
    {
      nats: { servers: nats.servers },
      telemetry: { logs: true },
      // Nobody listens there: the notifier warns.
      notifier: { smtp: { host: '127.0.0.1', port: 1, to: ['ops@example.com'] } },
    },
    { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: loki.logsEndpoint },
  );
  const { bus, close } = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'gateway',
    workerId: 'test',
    logger: createLogger('test', 'error'),
  });
  try {
    await bus.publish(jobCompleted, data.job_id, data, {
      eventId: 'one',
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
    });
  } finally {
    await close();
  }

  const queries = allQueries().filter(({ kind }) => kind === 'loki');
  expect(queries.length).toBeGreaterThan(0);
  for (const { name, expression } of queries) {
    const asked = expression.replaceAll('$job', data.job_id).replaceAll(/\$__(auto|interval)/g, '1m');
    await expect
      .poll(async () => (await loki.query(asked)).length, { timeout: LIMIT_MS, message: name })
      .toBeGreaterThan(0);
  }
  const lines = await loki.query(`{service_name="notifier"} | job_id = "${data.job_id}"`);
  for (const { labels } of lines)
    expect(labels).toMatchObject({ trace_id: TRACE, span_id: expect.stringMatching(/^\w{16}$/) });
});
