import { randomUUID } from 'node:crypto';
import { JobError, type ExportRequested, type Machine } from '@hyper2kvm/contracts';
import { dataSourceOptions } from '@hyper2kvm/gateway';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startPostgres, startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { machine, startWorkers, type Behaviour } from './gateway-workers.js';

const LIMITS = { gateway: { export_limits: { disks_per_host: 4, disks_per_vcenter: 6 } } };
let stack: Stack;
let gateways: Gateway[] = [];
let stopWorkers: () => Promise<void> = async () => {};
let serial = 0;

beforeAll(async () => {
  stack = await startStack();
});
beforeEach(() => {
  stopWorkers = async () => {};
});
afterEach(async () => {
  await stopWorkers();
  for (const gateway of gateways) await gateway.kill('SIGKILL');
  gateways = [];
});
afterAll(async () => {
  await stack?.stop();
});

/** A VM's name tells its host and its disks. */
const vm = (host: string, disks: number): string => `${(serial += 1)}.${host}.${disks}`;
const hostOf = (name: string): string => name.split('.')[1] ?? '';
const disksOf = (name: string): number => Number(name.split('.')[2]);
function describe({ vm_name: name }: { vm_name: string }): Machine {
  const disks = Array.from({ length: disksOf(name) }, (_, n) => ({
    index: n + 1,
    name: `${name}_${n}.vmdk`,
    capacity_bytes: 1024 ** 3,
  }));
  return { ...machine(name), host: hostOf(name), disks };
}
const start = async (sections: Record<string, unknown> = LIMITS): Promise<Client> => {
  const gateway = await stack.gateway(sections);
  gateways.push(gateway);
  return new Client(gateway);
};
const work = async (behaviour: Behaviour): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, { slots: 30, describe, ...behaviour });
};

/** Exports that wait at a gate of their own each. */
class Held {
  readonly started: string[] = [];
  readonly #gates = new Map<string, Gate>();
  gate(name: string): Gate {
    const gate = this.#gates.get(name) ?? new Gate();
    this.#gates.set(name, gate);
    return gate;
  }
  readonly exporting = async (
    { vm_name: name }: ExportRequested,
    { signal }: { signal: AbortSignal },
  ): Promise<void> => {
    this.started.push(name);
    await this.gate(name).passed(signal);
  };
}

const count = (names: string[]): number => names.reduce((sum, name) => sum + Math.min(disksOf(name), 3), 0);

it('never exports more disks of a host or a vCenter than allowed, with two gateways that release at once', async () => {
  const running: string[] = [];
  const most = { host: 0, vcenter: 0 };
  await work({
    exporting: async ({ vm_name: name }) => {
      running.push(name);
      most.vcenter = Math.max(most.vcenter, count(running));
      most.host = Math.max(most.host, count(running.filter((one) => hostOf(one) === hostOf(name))));
      await new Promise((resolve) => setTimeout(resolve, 60));
      running.splice(running.indexOf(name), 1);
    },
  });
  const clients = await Promise.all([start(), start()]);
  const names = Array.from({ length: 40 }, (_, n) => vm(n % 3 === 0 ? 'esx-b' : 'esx-a', (n % 4) + 1));
  const ids = await Promise.all(
    names.map(async (name, n) =>
      clients[n % 2]?.convert(name, { priority: n % 5 === 0 ? 'high' : 'normal', auto_convert: false }),
    ),
  );
  for (const id of ids) await clients[0]?.reaches(id ?? '', 'exported');
  // Reached, so that the limit was what held them; and never passed.
  expect(most).toEqual({ host: 4, vcenter: 6 });
  const commands = await stack.db.query(
    "SELECT job_id FROM outbox WHERE type = 'export.requested.v1' AND job_id = ANY ($1)",
    [ids],
  );
  expect(commands.rowCount).toBe(ids.length);
});

it('two gateways do not give the same room away twice', async () => {
  const held = new Held();
  await work({ exporting: held.exporting });
  const [one, two] = [await start(), await start()];
  // Each release takes so long that the other gateway comes by while it is not committed.
  await stack.db.query(`
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$`);
  await stack.db.query(`
    CREATE TRIGGER slow BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.type = 'export.requested.v1')
    EXECUTE FUNCTION slow()`);
  const names = [vm('twice', 3), vm('twice', 3), vm('aside', 1)];
  const sleeping = async (): Promise<number | null> =>
    (await stack.db.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowCount;
  try {
    const first = await one.convert(names[0] ?? '', { priority: 'low' });
    await until(sleeping, (count) => count === 1);
    // It goes before the first, so that a gateway that does not see the first being released would release this one.
    const second = await two.convert(names[1] ?? '', { priority: 'high' });
    await one.reaches(first, 'exporting');
    await until(sleeping, (count) => count === 0);
    // Behind it: when this one runs, the second has been looked at by whoever released it.
    const third = await two.convert(names[2] ?? '');
    await one.reaches(third, 'exporting');
    expect(held.started).not.toContain(names[1]);
    const waiting = await one.job(second);
    expect(waiting).toMatchObject({ status: 'pending', waiting_reason: expect.stringContaining('3 of 4 disks') });
    for (const name of names) held.gate(name).open();
    for (const id of [first, second, third]) await one.reaches(id, 'completed');
  } finally {
    await stack.db.query('DROP FUNCTION slow CASCADE');
  }
});

it('keeps the order of a host, says why a job waits, and goes on as there is room', async () => {
  const held = new Held();
  await work({ exporting: held.exporting });
  const client = await start();
  const [large, next, small, urgent, elsewhere] = [vm('h', 5), vm('h', 3), vm('h', 1), vm('h', 1), vm('other', 1)];
  const ids = new Map<string, string>();
  for (const name of [large, next, small]) ids.set(name, await client.convert(name));
  ids.set(urgent, await client.convert(urgent, { priority: 'high' }));
  ids.set(elsewhere, await client.convert(elsewhere));
  const id = (name: string): string => ids.get(name) ?? '';
  await until(
    async () => held.started.length,
    (count) => count === 3,
  );
  expect(new Set(held.started)).toEqual(new Set([large, urgent, elsewhere]));
  expect((await client.job(id(large))).waiting_reason).toBeNull();
  expect(await client.job(id(next))).toMatchObject({
    status: 'pending',
    queue_position: 1,
    waiting_reason: '4 of 4 disks of host h are being exported',
  });
  expect((await client.job(id(small))).waiting_reason).toBe(
    '4 of 4 disks of host h are being exported; 1 job is ahead',
  );
  const status = (await (await client.send('GET', '/status')).json()) as { queue_depth: { normal: number } };
  expect(status.queue_depth.normal).toBe(2);

  // Room for one disk, which the small one does not get: the larger was first.
  held.gate(urgent).open();
  const told = await client.when(id(next), (job) => job.waiting_reason?.startsWith('3 of 4') === true);
  expect(told.waiting_reason).toBe('3 of 4 disks of host h are being exported; this job takes 3');
  held.gate(large).open();
  await client.reaches(id(small), 'exporting');
  await client.reaches(id(next), 'exporting');
  const { rows } = await stack.db.query<{ vm_name: string }>(
    'SELECT vm_name FROM jobs WHERE id = ANY ($1) ORDER BY released_at, created_at',
    [[id(next), id(small)]],
  );
  expect(rows.map((row) => row.vm_name)).toEqual([next, small]);
  for (const name of ids.keys()) held.gate(name).open();
  for (const one of ids.values()) await client.reaches(one, 'completed');
});

it('a job that would fit says that a larger one keeps its place before it', async () => {
  const held = new Held();
  await work({ exporting: held.exporting });
  const client = await start();
  const running = [vm('esx-a', 3), vm('esx-b', 2)];
  const ids: string[] = [];
  for (const name of running) ids.push(await client.convert(name, { auto_convert: false }));
  for (const id of ids) await client.reaches(id, 'exporting');
  const [large, small] = [vm('esx-c', 2), vm('esx-d', 1)];
  for (const name of [large, small]) ids.push(await client.convert(name, { auto_convert: false }));
  expect((await client.job(ids.at(-1) ?? '')).waiting_reason).toBe(
    '5 of 6 disks of vCenter vc.example.com are being exported; 1 job is ahead',
  );
  for (const name of [...running, large, small]) held.gate(name).open();
  for (const id of ids) await client.reaches(id, 'exported');
});

it('tells a follower of a waiting job how the queue before it moves', async () => {
  const held = new Held();
  await work({ exporting: held.exporting });
  const client = await start();
  const names = [vm('f', 3), vm('f', 3), vm('f', 3)];
  const ids: string[] = [];
  for (const name of names) ids.push(await client.convert(name));
  await client.reaches(ids[0] ?? '', 'exporting');
  const response = await client.send('GET', `/api/v1/jobs/${ids[2]}/events`);
  const reasons: (string | null)[] = [];
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk as Uint8Array);
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks.filter((one) => one.includes('event: job'))) {
      const { waiting_reason: reason } = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}') as {
        waiting_reason: string | null;
      };
      if (reasons.at(-1) !== reason) reasons.push(reason);
    }
    if (reasons.length === 1) held.gate(names[0] ?? '').open();
    if (reasons.length === 2) held.gate(names[1] ?? '').open();
    if (reasons.length === 3) held.gate(names[2] ?? '').open();
  }
  expect(reasons).toEqual([
    '3 of 4 disks of host f are being exported; 1 job is ahead',
    '3 of 4 disks of host f are being exported; this job takes 3',
    null,
  ]);
});

it('a retry waits for room like any other job', async () => {
  const held = new Held();
  let attempts = 0;
  const [broken, other] = [vm('r', 3), vm('r', 3)];
  await work({
    exporting: async (data, job) => {
      if (data.vm_name === other) return held.exporting(data, job);
      attempts += 1;
      if (attempts > 1) return;
      // Not before the other one waits for its room.
      await held.gate(broken).passed();
      throw new JobError('EXPORT_TRANSFER', 'the line broke');
    },
  });
  const client = await start({ ...LIMITS, retry_policy: { retry_delay: 0.2 } });
  const id = await client.convert(broken);
  await client.reaches(id, 'exporting');
  const second = await client.convert(other);
  held.gate(broken).open();
  await client.reaches(second, 'exporting');
  const waiting = await client.when(id, (job) => job.waiting_reason !== null);
  expect(waiting).toMatchObject({ status: 'pending', error: 'the line broke', retry_count: 1 });
  expect(attempts).toBe(1);
  held.gate(other).open();
  await client.reaches(id, 'completed');
  expect(attempts).toBe(2);
});

it('a retry takes no room before its time', async () => {
  let attempts = 0;
  const [broken, other] = [vm('t', 3), vm('t', 3)];
  await work({
    exporting: async (data) => {
      if (data.vm_name === other) return;
      attempts += 1;
      if (attempts === 1) throw new JobError('EXPORT_TRANSFER', 'the line broke');
    },
  });
  const client = await start({ ...LIMITS, retry_policy: { retry_delay: 3600 } });
  const id = await client.convert(broken);
  await client.when(id, (job) => job.next_retry_at !== null);
  await client.reaches(await client.convert(other), 'completed');
  const { next_retry_at: at, ...told } = await client.job(id);
  expect(told).toMatchObject({ status: 'pending', waiting_reason: `it is tried again at ${at}`, queue_position: 1 });
  expect(attempts).toBe(1);
  await stack.db.query('UPDATE jobs SET next_retry_at = now() WHERE id = $1', [id]);
  await client.reaches(id, 'completed');
});

it('what one gateway took in is released by another when the first is gone', async () => {
  const held = new Held();
  await work({ exporting: held.exporting });
  const [one, two] = [await start(), await start()];
  const names = [vm('k', 3), vm('k', 3)];
  const ids: string[] = [];
  for (const name of names) ids.push(await one.convert(name));
  await two.reaches(ids[0] ?? '', 'exporting');
  expect((await two.job(ids[1] ?? '')).waiting_reason).not.toBeNull();
  await gateways[0]?.kill('SIGKILL');
  for (const name of names) held.gate(name).open();
  for (const id of ids) await two.reaches(id, 'completed');
});

it('a job that is cancelled while it waits was never begun: its place goes to the next, and nothing is cleared away', async () => {
  const held = new Held();
  const cleaned: string[] = [];
  await work({ exporting: held.exporting, cleaning: async ({ job_id }) => void cleaned.push(job_id) });
  const client = await start();
  const names = [vm('c', 3), vm('c', 3), vm('c', 1)];
  const ids: string[] = [];
  for (const name of names) ids.push(await client.convert(name));
  await client.reaches(ids[0] ?? '', 'exporting');
  const response = await client.send('DELETE', `/api/v1/jobs/${ids[1]}`);
  expect(await response.json()).toMatchObject({ status: 'cancelled', phase: 'export', cleanup: null });
  await client.reaches(ids[2] ?? '', 'exporting');
  for (const name of names) held.gate(name).open();
  await client.reaches(ids[2] ?? '', 'completed');
  expect(held.started).not.toContain(names[1]);
  expect(cleaned).toEqual([]);
});

it('jobs of before there were limits keep their place in the queue', async () => {
  const postgres = await startPostgres();
  const options = dataSourceOptions({ url: postgres.url, poolSize: 2 });
  const [first] = options.migrations as (new () => object)[];
  const before = await new DataSource({ ...options, migrations: first === undefined ? [] : [first] }).initialize();
  try {
    await before.runMigrations();
    for (const status of ['pending', 'exporting', 'completed'])
      await before.query(
        `INSERT INTO jobs (id, vm_name, vcenter_server, status, phase, created_at, updated_at, requested_by, options,
           source, machine, total_bytes)
         VALUES ($1, 'vm', 'vc', $2, 'export', now(), now(), 'local', '{}', '{"kind": "vsphere"}', '{"host": "esx01"}', 1)`,
        [`job-${randomUUID().slice(0, 8)}`, status],
      );
  } finally {
    await before.destroy();
  }
  const after = await new DataSource(options).initialize();
  try {
    await after.runMigrations();
    const rows = await after.query<object[]>(
      'SELECT status, host, released_at IS NOT NULL AS released FROM jobs ORDER BY status',
    );
    expect(rows).toEqual([
      { status: 'completed', host: 'esx01', released: false },
      { status: 'exporting', host: 'esx01', released: true },
      { status: 'pending', host: 'esx01', released: true },
    ]);
    await after.undoLastMigration();
    await after.runMigrations();
  } finally {
    await after.destroy();
    await postgres.stop();
  }
});

it('goes on in the trace of the request, however late a job is released', async () => {
  const held = new Held();
  await work({ exporting: held.exporting });
  const client = await start();
  const [first, second] = [vm('traced', 3), vm('traced', 3)];
  const running = await client.convert(first);
  await client.reaches(running, 'exporting');
  const waiting = await client.convert(second);
  const trace = randomUUID().replaceAll('-', '');
  await stack.db.query('UPDATE jobs SET traceparent = $2 WHERE id = $1', [waiting, `00-${trace}-00f067aa0ba902b7-01`]);
  for (const name of [first, second]) held.gate(name).open();
  await client.reaches(waiting, 'completed');
  const { rows } = await stack.db.query<{ traceparent: string | null }>(
    "SELECT traceparent FROM outbox WHERE job_id = $1 AND type = 'export.requested.v1'",
    [waiting],
  );
  expect(rows).toEqual([{ traceparent: expect.stringContaining(trace) }]);
});
