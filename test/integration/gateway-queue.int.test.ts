import type { ExportRequested } from '@hyper2kvm/contracts';
import { JOB_QUESTIONS } from '@hyper2kvm/gateway';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { machine, startWorkers } from './gateway-workers.js';

let stack: Stack;
let client: Client;
let scansBefore = 0;
let stopWorkers: () => Promise<void> = async () => {};

beforeAll(async () => {
  stack = await startStack();
  // One makes the tables; what it asked while they were small is none of the test's.
  await (await stack.gateway()).kill('SIGKILL');
  await insertMany();
  await stack.db.query('ANALYZE jobs');
  scansBefore = await sequentialScans();
  client = new Client(await stack.gateway());
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
});
afterAll(async () => {
  await stack?.stop();
});

const LOCAL = { source: { kind: 'disks', disks: [{ path: '/images/a.vmdk' }] } };
const EXPORT = { auto_convert: false };

const MANY = 10_000;
/** On 40 hosts, over three lanes, some with a schedule; none of them was let out. */
const insertMany = (): Promise<unknown> =>
  stack.db.query(
    `INSERT INTO jobs (id, vm_name, vm_ref, vcenter_server, status, phase, created_at, updated_at, queued_at, admitted_at,
       requested_by, priority, options, source, machine, host, source_files, total_bytes, instance_uuid, not_before)
     SELECT 'job-many' || lpad(n::text, 8, '0'), 'vm-' || n, 'vm-' || n, 'VC.example.com:443', 'pending', 'export', at, at, at, at,
       'local', (ARRAY['high', 'normal', 'low'])[1 + n % 3],
       jsonb_build_object('auto_convert', false, 'priority', (ARRAY['high', 'normal', 'low'])[1 + n % 3])
         || CASE WHEN n % 10 = 0 THEN '{"window": "daily 00:00-24:00 UTC"}'::jsonb ELSE '{}'::jsonb END,
       '{"kind": "vsphere", "server": "vc.example.com", "username": "u", "password_sealed": "v1.a.b.c", "tls": {"insecure": false}}',
       CASE WHEN n % 4 > 0 THEN $2::jsonb END, CASE WHEN n % 4 > 0 THEN 'esx' || n % 40 END,
       CASE WHEN n % 4 > 0 THEN '["a.vmdk", "b.vmdk"]'::jsonb ELSE '[]'::jsonb END, CASE WHEN n % 4 > 0 THEN 1e10 ELSE 0 END,
       NULL, CASE WHEN n % 50 = 0 THEN now() + interval '1 hour' END
     FROM generate_series(1, $1::int) AS n, LATERAL (SELECT now() - n * interval '1 second' AS at) AS time`,
    [MANY, JSON.stringify(machine('many'))],
  );

const sequentialScans = async (): Promise<number> => {
  // What a connection counted is seen when it has been idle for a second.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { rows } = await stack.db.query<{ scans: string }>(
    "SELECT seq_scan AS scans FROM pg_stat_user_tables WHERE relname = 'jobs'",
  );
  return Number(rows[0]?.scans);
};
/** How often an index was used that only the metrics ask. */
const figuresAsked = async (): Promise<number> => {
  const { rows } = await stack.db.query<{ scans: string }>(
    "SELECT idx_scan AS scans FROM pg_stat_user_indexes WHERE indexrelname = 'idx_jobs_uncleared'",
  );
  return Number(rows[0]?.scans);
};
const count = async (where: string): Promise<number> =>
  Number((await stack.db.query<{ n: string }>(`SELECT count(*) AS n FROM jobs WHERE ${where}`)).rows[0]?.n);

it('with 10,000 waiting jobs no pass and no question reads them all', async () => {
  let [describes, exports] = [0, 0];
  stopWorkers = await startWorkers(
    stack.nats.servers,
    {
      slots: 4,
      exporting: async () => void (exports += 1),
      describe: ({ vm_name: name }) => {
        describes += 1;
        return { ...machine(name), host: `esx${Number(name.split('-')[1]) % 40}` };
      },
    },
    ['exporter'],
  );
  await until(
    async () => exports,
    (done) => done >= 100,
    60_000,
  );
  for (const n of [1, 2, 3, 9_998, 9_999, 10_000]) await client.job(`job-many${String(n).padStart(8, '0')}`);
  await stopWorkers();
  stopWorkers = async () => {};
  expect((await sequentialScans()) - scansBefore).toBe(0);
  // Few VMs were looked at beyond those that were exported, which are asked for twice.
  const looked = await count(
    "status = 'pending' AND released_at IS NULL AND machine IS NOT NULL AND id LIKE 'job-many%'",
  );
  expect(looked).toBeLessThan(7500);
  expect(describes).toBeLessThan(2.5 * exports + 50);
  // The oldest of the highest lane first, but for the guard's.
  const { rows } = await stack.db.query<{ priority: string; n: string }>(
    `SELECT priority, count(*) AS n FROM (SELECT priority FROM jobs WHERE released_at IS NOT NULL AND id LIKE 'job-many%'
       ORDER BY released_at, queued_at LIMIT 96) AS first GROUP BY priority`,
  );
  const share = Object.fromEntries(rows.map(({ priority, n }) => [priority, Number(n)]));
  expect(share['high']).toBeGreaterThanOrEqual(80);
  expect(share['normal']).toBeGreaterThanOrEqual(4);
  expect(share['low']).toBeGreaterThanOrEqual(4);
}, 120_000);

it('with 10,000 jobs scrapes are answered from indexes, and few of them ask the database', async () => {
  // As autovacuum leaves it: with no figures of the table its plans are others.
  await stack.db.query('VACUUM ANALYZE jobs');
  for (const question of JOB_QUESTIONS) {
    const { rows } = await stack.db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${question}`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/ using idx_jobs_| on idx_jobs_/);
    expect(plan).not.toContain('Seq Scan');
  }
  const asked = await figuresAsked();
  const began = Date.now();
  const scrapes = await Promise.all(
    Array.from({ length: 3 }, async () => {
      let text = '';
      for (let n = 0; n < 10; n += 1) text = await (await client.send('GET', '/metrics')).text();
      return text;
    }),
  );
  const seconds = (Date.now() - began) / 1000;
  for (const text of scrapes) expect(text).toMatch(/^hyper2kvm_jobs\{status="pending"\} 9\d{3}$/m);
  // What a connection counted is seen when it has been idle for a second.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const more = (await figuresAsked()) - asked;
  expect(more).toBeGreaterThan(0);
  // At most once in two seconds, not thirty times.
  expect(more).toBeLessThanOrEqual(Math.ceil(seconds / 2) + 1);
});

it('the position of each job is the number of those that start before it', async () => {
  const { rows } = await stack.db.query<{ id: string; place: string }>(
    `SELECT id, place FROM (
       SELECT id, row_number() OVER (ORDER BY array_position(ARRAY['high', 'normal', 'low'], priority), queued_at, id) AS place
       FROM jobs WHERE status = 'pending' AND (not_before IS NULL OR not_before <= now())) AS queue
     WHERE place % 1999 = 1`,
  );
  expect(rows.length).toBeGreaterThan(4);
  for (const { id, place } of rows) expect([id, (await client.job(id)).queue_position]).toEqual([id, Number(place)]);
  const later = await client.job('job-many00010000');
  expect(later.waiting_reason).toContain('it does not start before');
});

it('exports wait for a slot of an exporter in the order of their lanes: a high job that comes last starts next', async () => {
  // Another, where nothing waits.
  await stack.stop();
  stack = await startStack();
  client = new Client(await stack.gateway());
  const gates = new Map<string, Gate>();
  const started: string[] = [];
  const gateOf = (name: string): Gate => {
    const gate = gates.get(name) ?? new Gate();
    gates.set(name, gate);
    return gate;
  };
  stopWorkers = await startWorkers(
    stack.nats.servers,
    {
      slots: 1,
      exporting: async ({ vm_name: name }: ExportRequested, { signal }) => {
        started.push(name);
        await gateOf(name).passed(signal);
      },
    },
    ['exporter'],
  );
  const ids = new Map<string, string>();
  const ask = async (name: string, priority: string): Promise<string> => {
    const id = await client.convert(name, { ...EXPORT, priority }, LOCAL);
    ids.set(name, id);
    return id;
  };
  const first = await ask('first', 'low');
  await client.reaches(first, 'exporting');
  // Nothing is measured yet: no start is promised.
  expect(await client.job(first)).toMatchObject({ queue_position: null, waiting_reason: null });
  for (const name of ['n1', 'n2', 'n3']) await ask(name, 'normal');
  const low = await ask('l1', 'low');
  const n3 = await client.when(
    ids.get('n3') ?? '',
    (job) => job.waiting_reason === '1 of 1 slots of the exporters are taken; 1 job is ahead',
  );
  expect(n3).toMatchObject({ queue_position: 3, estimated_start: null });
  expect((await client.job(low)).queue_position).toBe(4);
  const high = await ask('h1', 'high');
  expect((await client.job(high)).queue_position).toBe(1);
  // It is let out before the first ends, although one that waits is out already.
  await until(
    async () =>
      (
        await stack.db.query('SELECT 1 FROM outbox WHERE job_id = $1 AND kind = $2 AND published_at IS NOT NULL', [
          high,
          'command',
        ])
      ).rowCount,
    (left) => left === 1,
  );
  for (const name of ['first', 'h1', 'n1', 'n2', 'n3', 'l1']) {
    await until(
      async () => started.at(-1),
      (last) => last === name,
    );
    gateOf(name).open();
    await client.reaches(ids.get(name) ?? '', 'exported');
  }
  expect(started).toEqual(['first', 'h1', 'n1', 'n2', 'n3', 'l1']);
  // From what these took: 445 s each, by the fact of the stand-in.
  const gate = gateOf('m1');
  const running = await ask('m1', 'normal');
  await client.reaches(running, 'exporting');
  await ask('m2', 'normal');
  const waiting = await client.when(await ask('m3', 'normal'), (job) => job.estimated_start !== null);
  const seconds = (Date.parse(waiting.estimated_start ?? '') - Date.now()) / 1000;
  expect(Math.abs(seconds - 2 * 445)).toBeLessThan(60);
  gate.open();
  for (const name of ['m2', 'm3']) gateOf(name).open();
  await client.reaches(ids.get('m3') ?? '', 'exported');
});
