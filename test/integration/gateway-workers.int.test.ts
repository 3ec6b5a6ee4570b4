import { Status, Worker, WorkerList } from '@hyper2kvm/contracts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

let stack: Stack;
let client: Client;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  stack = await startStack();
  client = new Client(await stack.gateway());
});
afterEach(async () => {
  for (const id of ['exporter-1', 'converter-1']) await client.send('POST', `/api/v1/workers/${id}/resume`);
  await stop?.();
  stop = undefined;
});
afterAll(async () => {
  await stack?.stop();
});

const start = async (behaviour: Behaviour = {}): Promise<void> => {
  stop = await startWorkers(stack.nats.servers, behaviour);
};
const tell = async (id: string, what: string): Promise<Worker> => {
  const response = await client.send('POST', `/api/v1/workers/${id}/${what}`);
  expect(response.status).toBe(202);
  return Worker.parse(await response.json());
};
const worker = async (id: string): Promise<Worker> =>
  Worker.parse(await (await client.send('GET', `/api/v1/workers/${id}`)).json());

it('shows exporters and converters as the seed shows its daemon, and names them where another is asked for', async () => {
  await start();
  const { workers } = WorkerList.parse(await (await client.send('GET', '/api/v1/workers')).json());
  expect(workers.map((one) => one.worker_id)).toEqual(['exporter-1', 'converter-1']);
  expect(workers[1]).toMatchObject({
    status: 'running',
    paused: false,
    uptime_hours: 0,
    queue_depth: 0,
    active_conversions: 0,
    disk_space_gb: 500,
  });
  for (const [method, path] of [
    ['GET', '/api/v1/workers/gateway'],
    ['POST', '/api/v1/workers/nobody/pause'],
  ] as const) {
    const problem = await client.refused(client.send(method, path));
    expect(problem).toMatchObject({ code: 'NOT_FOUND', status: 404 });
    expect(problem.detail).toContain('there are: exporter-1, converter-1');
  }
});

it('has a paused worker take nothing until it is resumed, and counts what waits for it', async () => {
  await start();
  expect(await tell('exporter-1', 'pause')).toMatchObject({ status: 'paused', paused: true });
  const job = await client.convert('waits');
  await client.when(job, ({ waiting_reason: reason }) => reason === 'no exporter is running that takes work');
  await until(
    async () => worker('exporter-1'),
    (one) => one.queue_depth === 1 && one.status === 'paused',
  );
  expect(await worker('converter-1')).toMatchObject({ status: 'running', queue_depth: 0 });
  // Whether it was let into the queue or is held back before: it waits once.
  const status = Status.parse(await (await client.send('GET', '/status')).json());
  expect(status.queue_depth).toEqual({ high: 0, normal: 1, low: 0 });
  // A scrape may see what another one was told a moment ago.
  const metrics = await until(
    async () => (await client.send('GET', '/metrics')).text(),
    (text) => /^hypervisord_queue_depth\{priority="normal"\} 1$/m.test(text),
  );
  expect(metrics).toMatch(/^hyper2kvm_queue_depth 0$/m);
  expect((await client.job(job)).status).toBe('pending');
  expect(await tell('exporter-1', 'resume')).toMatchObject({ status: 'running', paused: false });
  await client.reaches(job, 'completed');
});

it('has a draining converter end its conversion and begin no other', async () => {
  const gate = new Gate();
  const begun: string[] = [];
  await start({
    converting: async ({ vm_name: vm }, work) => {
      begun.push(vm);
      await gate.passed(work.signal);
    },
  });
  const first = await client.convert('held');
  await client.reaches(first, 'converting');
  const told = await tell('converter-1', 'drain');
  expect(told).toMatchObject({ status: 'draining', paused: true, active_conversions: 1 });
  const second = await client.convert('next');
  await client.reaches(second, 'exported');
  gate.open();
  await client.reaches(first, 'completed');
  await until(
    async () => worker('converter-1'),
    (one) => one.status === 'drained' && one.active_conversions === 0 && one.queue_depth === 1,
  );
  expect(begun).toEqual(['held']);
  expect((await client.job(second)).status).toBe('exported');
  await tell('converter-1', 'resume');
  await client.reaches(second, 'completed');
});
