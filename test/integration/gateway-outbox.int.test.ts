import { JobDetail, type JobStatus } from '@hyper2kvm/contracts';
import { connect } from 'nats';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

let stack: Stack;
let stopWorkers: () => Promise<void> = async () => {};
let gateways: Gateway[] = [];
let serial = 0;

beforeAll(async () => {
  stack = await startStack();
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
  for (const gateway of gateways) await gateway.kill('SIGKILL');
  gateways = [];
});
afterAll(async () => {
  await stack?.stop();
});

const newGate = (): { gate: Promise<void>; release: () => void } => {
  const abort = new AbortController();
  const gate = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()));
  return { gate, release: () => abort.abort() };
};
const start = async (): Promise<Gateway> => {
  const gateway = await stack.gateway();
  gateways.push(gateway);
  return gateway;
};
const work = async (behaviour: Behaviour): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, behaviour);
};
async function convert(gateway: Gateway): Promise<string> {
  const response = await fetch(`${gateway.url}/api/v1/convert`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ vm_name: `vm-${(serial += 1)}`, vcenter: { server: 'vc', username: 'u', password: 'p' } }),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { job_id: string }).job_id;
}
const reaches = async (gateway: Gateway, id: string, status: JobStatus): Promise<JobDetail> =>
  until(
    async () => JobDetail.parse(await (await fetch(`${gateway.url}/api/v1/jobs/${id}`)).json()),
    (job) => job.status === status,
    60_000,
  );

/** The event ids of the gateway's own facts, by job, in the order in which the server got them. */
async function watchFacts(): Promise<{ seen: Map<string, string[]>; close: () => Promise<void> }> {
  const connection = await connect({ servers: stack.nats.servers });
  const seen = new Map<string, string[]>();
  connection.subscribe('job.>', {
    callback: (_, message) => {
      const [, kind, id = ''] = message.subject.split('.');
      if (kind === 'progress' || kind === 'log') return;
      seen.set(id, [...(seen.get(id) ?? []), message.headers?.get('ce-id') ?? '']);
    },
  });
  await connection.flush();
  return { seen, close: async () => connection.drain() };
}
const outboxEmpty = async (): Promise<unknown> =>
  until(
    async () => stack.db.query('SELECT 1 FROM outbox WHERE published_at IS NULL'),
    (left) => left.rowCount === 0,
    60_000,
  );
const facts = async (id: string): Promise<string[]> => {
  const { rows } = await stack.db.query<{ id: string }>(
    "SELECT id FROM outbox WHERE job_id = $1 AND kind = 'fact' ORDER BY seq",
    [id],
  );
  return rows.map((row) => row.id);
};

it('two gateways share the work: each message goes out once', async () => {
  await work({});
  const [one, two] = await Promise.all([start(), start()]);
  const { seen, close } = await watchFacts();
  const ids = await Promise.all(Array.from({ length: 30 }, async (_, n) => convert(n % 2 === 0 ? one : two)));
  for (const [n, id] of ids.entries()) await reaches(n % 2 === 0 ? two : one, id, 'completed');
  await outboxEmpty();
  await close();
  for (const id of ids) {
    expect(seen.get(id)).toHaveLength(2);
    expect(seen.get(id)).toEqual(await facts(id));
  }
});

it('PostgreSQL restarted while a job runs: the gateway stays up, says so, and the job ends right', async () => {
  const { gate, release } = newGate();
  await work({ exporting: async () => gate });
  const gateway = await start();
  const id = await convert(gateway);
  await reaches(gateway, id, 'exporting');
  await stack.postgres.whileDown(async () => {
    release();
    const health = await fetch(`${gateway.url}/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: 'unhealthy', database: 'failed', nats: 'ok' });
    const answer = await fetch(`${gateway.url}/api/v1/jobs`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });
  await reaches(gateway, id, 'completed');
});

it('NATS killed while a job runs: the gateway stays up, says so, and the job ends right', async () => {
  const { gate, release } = newGate();
  await work({ exporting: async () => gate });
  const gateway = await start();
  const id = await convert(gateway);
  await reaches(gateway, id, 'exporting');
  await stack.nats.kill('SIGKILL');
  expect(await (await fetch(`${gateway.url}/health`)).json()).toMatchObject({ status: 'unhealthy', nats: 'failed' });
  const list = await fetch(`${gateway.url}/api/v1/jobs`);
  expect(list.status).toBe(200);
  await stack.nats.start();
  release();
  await reaches(gateway, id, 'completed');
});
