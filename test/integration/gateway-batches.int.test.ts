import { BatchDetail, BatchList, BatchReport, jobCompleted, JobError } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { BatchClient, completions, factsOf, ROOMY } from './gateway-batches-client.js';
import { Gate } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { machine, startWorkers, type Behaviour } from './gateway-workers.js';

let stack: Stack;
let gateways: Gateway[] = [];
let stopWorkers: () => Promise<void> = async () => {};
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

const start = async (): Promise<BatchClient> => {
  const gateway = await stack.gateway(ROOMY);
  gateways.push(gateway);
  return new BatchClient(gateway);
};
const work = async (behaviour: Behaviour): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, { slots: 30, ...behaviour });
};
/** Names that no other test uses. */
const names = (count: number, word = 'vm'): string[] => Array.from({ length: count }, () => `${word}-${(serial += 1)}`);
const gone = (name: string): JobError => new JobError('SOURCE_INVALID', `${name} cannot be read.`);

/** What workers do, as it is seen from outside. */
class Site {
  readonly started: string[] = [];
  readonly ended: string[] = [];
  readonly failing = new Set<string>();
  readonly #running = new Set<string>();
  most = 0;
  /** Which VMs were through when this one began. */
  readonly before = new Map<string, readonly string[]>();
  readonly behaviour: Behaviour = {
    exporting: async ({ vm_name: name }) => {
      this.started.push(name);
      this.before.set(name, [...this.ended]);
      this.#running.add(name);
      this.most = Math.max(this.most, this.#running.size);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (!this.failing.has(name)) return;
      this.#end(name);
      throw gone(name);
    },
    converting: async ({ vm_name: name }) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      this.#end(name);
    },
  };
  #end(name: string): void {
    this.#running.delete(name);
    this.ended.push(name);
  }
}

it('moves wave after wave, never more VMs at a time than allowed, and tells its end once though a gateway is killed', async () => {
  const [one, two] = [await start(), await start()];
  const site = new Site();
  const [databases, web, last] = [names(5, 'db'), names(12, 'web'), names(3, 'last')];
  const { batch_id: id, jobs } = await one.create({
    name: 'Spring',
    max_parallel: 3,
    waves: [
      { name: 'last', after: ['web', 'databases'], vms: last },
      { name: 'web', after: ['databases'], vms: web },
      { name: 'databases', vms: databases },
    ],
  });
  expect(jobs.map(({ vm_name: name }) => name)).toEqual([...last, ...web, ...databases]);
  const waiting = await until(
    async () => two.batch(id),
    ({ waves }) => waves.some(({ status }) => status === 'running'),
  );
  expect(waiting).toMatchObject({ name: 'Spring', status: 'running', max_parallel: 3, totals: { total: 20 } });
  expect(waiting.waves.map(({ name, status, reason }) => [name, status, reason])).toEqual([
    ['last', 'waiting', 'wave last waits for wave web (12 of 12 left)'],
    ['web', 'waiting', 'wave web waits for wave databases (5 of 5 left)'],
    ['databases', 'running', null],
  ]);
  await work(site.behaviour);
  await until(
    async () => site.started.length,
    (count) => count > 8,
  );
  await gateways[0]?.kill('SIGKILL');
  const done = await two.batchIs(id, 'completed');
  expect(done).toMatchObject({ percent_complete: 100, eta_seconds: null, totals: { completed: 20 } });
  expect(site.most).toBeLessThanOrEqual(3);
  expect(site.started).toHaveLength(20);
  for (const name of web) expect(site.before.get(name)).toEqual(expect.arrayContaining(databases));
  for (const name of last) expect(site.before.get(name)).toEqual(expect.arrayContaining([...databases, ...web]));
  await gateways[1]?.kill('SIGTERM');
  expect(await completions(stack.nats.servers, id)).toMatchObject([
    { batch_id: id, name: 'Spring', completed: 20, failed: 0, cancelled: 0 },
  ]);
  // Rules of notifications choose jobs by it.
  expect(await factsOf(stack.nats.servers, jobCompleted, jobs[0]?.job_id ?? '')).toMatchObject([
    { batch_name: 'Spring' },
  ]);
});

it('holds a wave back while a VM of the one before failed, and begins anew with each retry', async () => {
  const client = await start();
  const site = new Site();
  const [bad = '', good = '', web = ''] = names(3);
  site.failing.add(bad);
  await work(site.behaviour);
  const { batch_id: id } = await client.create({
    waves: [
      { name: 'databases', vms: [bad, good] },
      { name: 'web', after: ['databases'], vms: [web] },
    ],
  });
  const why = 'wave web waits for wave databases: 1 of its VMs failed; retry or cancel it';
  const held = await client.whenBatch(id, ({ reason }) => reason === why);
  expect(held).toMatchObject({ status: 'running', totals: { completed: 1, failed: 1, pending: 1 } });
  expect((await client.jobOf(id, web)).waiting_reason).toBe(why);

  const failed = await client.jobOf(id, bad);
  expect((await client.send('POST', `/api/v1/jobs/${failed.job_id}/retry`)).status).toBe(202);
  await client.reaches(failed.job_id, 'failed');
  expect(site.started).not.toContain(web);
  site.failing.clear();
  site.failing.add(web);
  expect((await client.send('POST', `/api/v1/jobs/${failed.job_id}/retry`)).status).toBe(202);
  expect((await client.batchIs(id, 'completed')).totals).toMatchObject({ completed: 2, failed: 1 });
  expect(await completions(stack.nats.servers, id)).toHaveLength(1);

  site.failing.clear();
  const again = await client.jobOf(id, web);
  expect((await client.send('POST', `/api/v1/jobs/${again.job_id}/retry`)).status).toBe(202);
  await client.reaches(again.job_id, 'completed');
  await client.batchIs(id, 'completed');
  await until(
    () => completions(stack.nats.servers, id),
    (told) => told.length === 2,
  );
  expect(await completions(stack.nats.servers, id)).toMatchObject([
    { completed: 2, failed: 1 },
    { completed: 3, failed: 0 },
  ]);
});

it('stops after failures, goes on when resumed, and counts anew', async () => {
  const client = await start();
  const site = new Site();
  const vms = names(8);
  for (const name of vms.slice(0, 6)) site.failing.add(name);
  await work(site.behaviour);
  const { batch_id: id } = await client.create({ vms, max_parallel: 1, stop_after_failures: 2 });
  const stopped = await client.batchIs(id, 'stopped');
  expect(stopped.reason).toBe(`the batch stopped after 2 failures: hyperctl batches resume ${id}`);
  expect(site.started).toEqual(vms.slice(0, 2));
  expect((await client.jobOf(id, vms[5] ?? '')).waiting_reason).toBe(stopped.reason);

  expect((await client.ask('POST', `${id}/resume`)).status).toBe('running');
  await client.batchIs(id, 'stopped');
  expect(site.started).toEqual(vms.slice(0, 4));
  expect((await client.refused(client.send('POST', '/api/v1/batches/batch-unknown/resume'))).code).toBe(
    'BATCH_NOT_FOUND',
  );

  // Without the limit the rest goes through; VMs are let in side by side.
  await client.ask('PATCH', id, { stop_after_failures: null, max_parallel: 4, priority: 'high' });
  await client.ask('POST', `${id}/resume`);
  const done = await client.batchIs(id, 'completed');
  expect(done).toMatchObject({ totals: { failed: 6, completed: 2 }, max_parallel: 4, stop_after_failures: null });
  expect((await client.jobOf(id, vms[7] ?? '')).priority).toBe('high');
  for (const path of [`${id}/resume`, id])
    expect((await client.refused(client.send(path === id ? 'DELETE' : 'POST', `/api/v1/batches/${path}`))).code).toBe(
      'STATE_CONFLICT',
    );
});

it('is cancelled as a whole: what runs, and what waits', async () => {
  const client = await start();
  const gate = new Gate();
  await work({ exporting: (_data, { signal }) => gate.passed(signal) });
  const wishes = { notify_email: 'ops@example.com', slack_webhook: 'https://chat.example.com/hooks/secret' };
  const { batch_id: id, jobs } = await client.create({ vms: names(6), max_parallel: 2, ...wishes });
  await client.whenBatch(id, ({ totals }) => totals.exporting === 2);
  expect((await client.job(jobs[5]?.job_id ?? '')).waiting_reason).toBe('2 of 2 VMs of the batch are under way');
  const answer = await client.ask('DELETE', id);
  expect(answer).toMatchObject({ status: 'cancelled', totals: { cancelled: 6 } });
  await client.batchIs(id, 'cancelled');
  expect(await completions(stack.nats.servers, id)).toMatchObject([{ completed: 0, cancelled: 6, ...wishes }]);
  // They are the batch's: its jobs have none of their own.
  expect(await client.job(jobs[0]?.job_id ?? '')).toMatchObject({ notify_email: null, slack_webhook: null });
  expect((await client.refused(client.send('DELETE', `/api/v1/batches/${id}`))).code).toBe('STATE_CONFLICT');
  const list = BatchList.parse(await (await client.send('GET', '/api/v1/batches?status=cancelled')).json());
  expect(list.batches.map(({ batch_id }) => batch_id)).toEqual([id]);
});

it('lets nobody in before his time, and gives his place to others', async () => {
  const client = await start();
  await work({});
  const [later = '', sooner = '', rests = ''] = names(3);
  const at = new Date(Date.now() + 3600_000).toISOString();
  const { batch_id: id } = await client.create({
    max_parallel: 1,
    vms: [
      { vm_name: later, options: { not_before: at } },
      { vm_name: sooner, options: { window: 'daily 00:00-24:00 Europe/Berlin' } },
      { vm_name: rests, options: { auto_convert: false } },
    ],
  });
  const { totals, percent_complete: percent } = await client.whenBatch(
    id,
    (batch) => batch.totals.completed === 1 && batch.totals.exported === 1,
  );
  expect(totals).toMatchObject({ pending: 1, completed: 1, exported: 1 });
  expect(percent).toBe(66);
  const waiting = await client.jobOf(id, later);
  expect(waiting).toMatchObject({ status: 'pending', not_before: at });
  expect(waiting.waiting_reason).toMatch(/^it does not start before /);
  const idle = BatchDetail.parse(await (await client.send('GET', `/api/v1/batches/${id}`)).json());
  expect([idle.reason, idle.waves.map(({ status, reason }) => [status, reason])]).toEqual([
    null,
    [['running', waiting.waiting_reason]],
  ]);
  await client.send('DELETE', `/api/v1/jobs/${waiting.job_id}`);
  await client.batchIs(id, 'completed');
  expect(await completions(stack.nats.servers, id)).toMatchObject([{ completed: 2, cancelled: 1 }]);

  const report = BatchReport.parse(await (await client.send('GET', `/api/v1/batches/${id}/report`)).json());
  expect(report.vms.map(({ vm_name: name, status }) => [name, status])).toEqual([
    [later, 'cancelled'],
    [sooner, 'completed'],
    [rests, 'exported'],
  ]);
  expect(report.vms[1]).toMatchObject({ export_seconds: 445, conversion_seconds: 272, capacity_bytes: 10 * 1024 ** 3 });
  const csv = await client.send('GET', `/api/v1/batches/${id}/report?format=csv`);
  expect(csv.headers.get('content-type')).toMatch(/^text\/csv/);
  expect(csv.headers.get('content-disposition')).toBe(`attachment; filename="${id}.csv"`);
  expect((await csv.text()).trim().split('\r\n')).toHaveLength(4);
});

it('refuses a plan as a whole, naming the field, and writes nothing', async () => {
  const client = await start();
  const before = await stack.db.query(
    'SELECT (SELECT count(*) FROM jobs) AS jobs, (SELECT count(*) FROM batches) AS all',
  );
  const [a, b] = names(2);
  for (const [body, detail] of [
    [{ vms: [a, { vm_name: b, options: { priority: 'urgent' } }] }, /^vms\.1\.options\.priority: /],
    [{ vms: [a, { vm_name: b, options: { window: 'Sat' } }] }, /^vms\.1\.options\.window: "Sat" has no times/],
    [
      { waves: [{ name: 'w', vms: [a, { vm_name: b, options: { target: 'mars' } }] }] },
      /^waves\.0\.vms\.1\.options\.target: /,
    ],
    [{ vms: [a], options: { target: 'mars' } }, /^options\.target: there is no target mars/],
    [{ vms: [a], slack_webhook: 'http://169.254.169.254/x' }, /^slack_webhook: 169\.254\.169\.254 is a link-local/],
    [
      { vms: [a, { vm_name: b, options: { callback_url: 'http://[fe80::1]:80/' } }] },
      /^vms\.1\.options\.callback_url: \[fe80::1\] is a link-local/,
    ],
    [{ vms: [a, a] }, /^vms\.1: .* is named twice/],
    [{ vms: [a, { vm_name: b, vcenter: { server: 'vc2' } }] }, /^vms\.1\.vcenter\.username is missing/],
  ] as const) {
    const problem = await client.refused(client.send('POST', '/api/v1/batches', body));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    expect(problem.detail).toMatch(detail);
  }
  const after = await stack.db.query(
    'SELECT (SELECT count(*) FROM jobs) AS jobs, (SELECT count(*) FROM batches) AS all',
  );
  expect(after.rows).toEqual(before.rows);
});

it('does not lock an account: many VMs with one wrong password are one failed login', async () => {
  const client = await start();
  let asked = 0;
  const passwords = new Sealer(Buffer.from(stack.key, 'base64'));
  await work({
    describe: ({ source, vm_name: name }) => {
      const right = source.kind === 'vsphere' && passwords.open(source.password_sealed) === 'right';
      if (right) return machine(name);
      asked += 1;
      throw new JobError('VCENTER_LOGIN', 'vCenter refused the login.');
    },
  });
  const vms = names(40);
  const vcenter = { server: 'vc.example.com', username: 'mover', password: 'wrong' };
  const { batch_id: id } = await client.create({ vcenter, vms });
  expect(await client.batchIs(id, 'completed')).toMatchObject({ totals: { failed: 40 } });
  expect(asked).toBe(1);
  expect(await client.jobOf(id, vms[7] ?? '')).toMatchObject({ failure: { code: 'VCENTER_LOGIN' } });
  // The right one is another login, and not held up by it.
  const { batch_id: other } = await client.create({ vcenter: { ...vcenter, password: 'right' }, vms });
  expect(await client.batchIs(other, 'completed')).toMatchObject({ totals: { completed: 40 } });
  expect(asked).toBe(1);
});
