import {
  JobDetail,
  JobError,
  VmList,
  WorkerHeartbeat,
  type ExportRequested,
  type InventoryVm,
} from '@hyper2kvm/contracts';
import { openBus, createLogger, Sealer } from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

const PASSWORD = 'canary-Pa55word!';
const vcenter = { server: 'vc.example.com', username: 'automation@vsphere.local', password: PASSWORD };
let stack: Stack;
let gateway: Gateway;
let client: Client;
let stopWorkers: () => Promise<void> = async () => {};

beforeAll(async () => {
  stack = await startStack();
  gateway = await stack.gateway({ retry_policy: { retry_delay: 0.2 } });
  client = new Client(gateway);
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
});
afterAll(async () => {
  await stack?.stop();
});
const work = async (behaviour: Behaviour): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, behaviour, ['exporter']);
};

const inventory = (count: number): InventoryVm[] =>
  Array.from({ length: count }, (_, n) => ({
    moref: `vm-${n}`,
    name: `web-${n}`,
    inventory_path: `/DC1/vm/web-${n}`,
    folder: '/DC1/vm',
    cpus: 2,
    memory_bytes: 2 ** 31,
    disks: 1,
    capacity_bytes: 2 ** 33,
    template: false,
  }));
const list = (body: object): Promise<Response> => client.send('POST', '/api/v1/inventory/vms', body);

it('lists the VMs of a vCenter page by page, with the filter, and the password sealed', async () => {
  const seen: unknown[] = [];
  await work({
    vms: (request) => {
      seen.push(request);
      return inventory(25);
    },
  });
  const names: string[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const filter = { name: 'web-*', power_state: 'poweredOff', tags: ['env:test'] };
    const response = await list({ vcenter, filter, limit: 10, ...(cursor === undefined ? {} : { cursor }) });
    expect(response.status).toBe(200);
    const page = VmList.parse(await response.json());
    expect(page.total).toBe(25);
    names.push(...page.vms.map((vm) => vm.name));
    cursor = page.next_cursor;
  }
  expect(names).toEqual(inventory(25).map((vm) => vm.name));
  expect(seen).toMatchObject(
    [0, 10, 20].map((offset) => ({
      offset,
      limit: 10,
      filter: { name: 'web-*', power_state: 'poweredOff', tags: ['env:test'], templates: false },
      source: { kind: 'vsphere', server: 'vc.example.com' },
    })),
  );
  const [{ source }] = seen as [{ source: { password_sealed: string } }];
  expect(new Sealer(Buffer.from(stack.key, 'base64')).open(source.password_sealed)).toBe(PASSWORD);
  expect(gateway.log()).not.toContain(PASSWORD);
});

it('passes the errors of the vCenter on, and names what is wrong with a question', async () => {
  expect(await client.refused(list({ vcenter }))).toMatchObject({ code: 'NO_WORKER', status: 503 });
  await work({
    vms: () => {
      throw new JobError('VCENTER_LOGIN', 'the password was refused');
    },
  });
  expect(await client.refused(list({ vcenter }))).toMatchObject({ code: 'VCENTER_LOGIN', status: 401 });
  // It answered before; the login that came with this request says nothing of it.
  const health = async () => (await client.send('GET', '/health')).json();
  expect(await health()).toMatchObject({ vsphere_connection: 'ok' });
  await stopWorkers();
  await work({
    vms: () => {
      throw new JobError('VCENTER_UNREACHABLE', 'no answer');
    },
  });
  const mistyped = { vcenter: { ...vcenter, server: 'vcentre.example.com' } };
  expect(await client.refused(list(mistyped))).toMatchObject({ code: 'VCENTER_UNREACHABLE' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await health()).toMatchObject({ vsphere_connection: 'ok' });
  expect(await client.refused(list({ vcenter }))).toMatchObject({ code: 'VCENTER_UNREACHABLE' });
  await until(health, (answer) => (answer as { vsphere_connection: string }).vsphere_connection === 'failed');
  for (const [body, field] of [
    [{ vcenter: { server: 'vc' } }, 'vcenter.username'],
    [{ vcenter, filter: { colour: 1 } }, 'colour'],
    [{ vcenter, limit: 501 }, 'limit'],
    [{ vcenter, cursor: Buffer.from('[-5]').toString('base64url') }, 'cursor'],
  ] as const)
    expect(await client.refused(list(body))).toMatchObject({
      code: 'BAD_REQUEST',
      detail: expect.stringContaining(field),
    });
});

/** Every limit that the bus tells, as `<scope> <id> <limit>`. */
async function watchLimits(): Promise<{ seen: string[]; close: () => Promise<void> }> {
  const stop = new AbortController();
  const { bus, close } = await openBus({
    nats: { servers: stack.nats.servers, replicas: 1 },
    service: 'watcher',
    workerId: 'watcher-1',
    logger: createLogger('watcher', 'error'),
  });
  const seen: string[] = [];
  bus.watchBandwidth(({ scope, id, bytesPerSecond }) => seen.push(`${scope} ${id} ${bytesPerSecond}`), stop.signal);
  return {
    seen,
    close: async () => {
      stop.abort();
      await close();
    },
  };
}

it('limits a job while it runs, and the attempts after that', async () => {
  const gate = new Gate();
  const options: ExportRequested['options'][] = [];
  await work({
    exporting: async (data) => {
      options.push(data.options);
      await gate.passed();
      if (options.length === 1) throw new JobError('EXPORT_TRANSFER', 'the line broke');
    },
  });
  const { seen, close } = await watchLimits();
  try {
    const asked = { transport: 'nfc', source_power: 'off', bandwidth_bytes_per_second: 1_000_000 };
    const id = await client.convert('limited', { ...asked, auto_convert: false });
    expect(await client.reaches(id, 'exporting')).toMatchObject({
      source_power: 'off',
      bandwidth_bytes_per_second: 1_000_000,
    });
    const patch = (limit: unknown): Promise<Response> =>
      client.send('PATCH', `/api/v1/jobs/${id}`, { bandwidth_bytes_per_second: limit });
    const response = await patch(2_000_000);
    expect(response.status).toBe(200);
    expect(JobDetail.parse(await response.json()).bandwidth_bytes_per_second).toBe(2_000_000);
    await until(
      async () => seen,
      (all) => all.includes(`job ${id} 2000000`),
    );
    expect(await client.refused(patch(5))).toMatchObject({ code: 'BAD_REQUEST' });
    gate.open();
    await client.reaches(id, 'exported');
    expect(options).toEqual([asked, { ...asked, bandwidth_bytes_per_second: 2_000_000 }]);

    expect(JobDetail.parse(await (await patch(null)).json()).bandwidth_bytes_per_second).toBeNull();
    await until(
      async () => seen,
      (all) => all.includes(`job ${id} null`),
    );
    await client.send('DELETE', `/api/v1/jobs/${id}`);
    expect(await client.refused(patch(null))).toMatchObject({ code: 'STATE_CONFLICT', status: 409 });
    expect(
      await client.refused(client.send('PATCH', '/api/v1/jobs/job-abc123', { bandwidth_bytes_per_second: null })),
    ).toMatchObject({ code: 'JOB_NOT_FOUND' });
  } finally {
    await close();
  }
});

it('limits all exports of a worker, and lists the workers there are where the name is wrong', async () => {
  await work({});
  const { seen, close } = await watchLimits();
  try {
    const patch = (id: string, limit: number | null): Promise<Response> =>
      client.send('PATCH', `/api/v1/workers/${id}`, { bandwidth_bytes_per_second: limit });
    const response = await patch('exporter-1', 50_000_000);
    expect(response.status).toBe(200);
    expect(WorkerHeartbeat.parse(await response.json())).toMatchObject({
      worker_id: 'exporter-1',
      bandwidth_bytes_per_second: 50_000_000,
    });
    await until(
      async () => seen,
      (all) => all.includes('worker exporter-1 50000000'),
    );
    expect(WorkerHeartbeat.parse(await (await patch('exporter-1', null)).json())).not.toHaveProperty(
      'bandwidth_bytes_per_second',
    );
    await until(
      async () => seen,
      (all) => all.includes('worker exporter-1 null'),
    );
    expect(await client.refused(patch('exporter-2', null))).toMatchObject({
      code: 'NOT_FOUND',
      detail: expect.stringContaining('exporter-1'),
    });
    expect(await client.refused(patch('a.b', null))).toMatchObject({ code: 'BAD_REQUEST' });
  } finally {
    await close();
  }
});
