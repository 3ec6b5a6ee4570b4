import { BatchReport, JobError, JobLogs, Timeline, type HookRequested } from '@hyper2kvm/contracts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { BatchClient, ROOMY } from './gateway-batches-client.js';
import { Gate } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

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
const name = (): string => `vm-${(serial += 1)}`;
const command = (of: string, rest: object = {}) => ({ command: of, ...rest });

/** Hooks and exports in the order in which they ran: `before vm-1`, `export vm-1`, `after vm-1 completed`, `before wave web`. */
class Course {
  readonly ran: string[] = [];
  readonly asked: HookRequested[] = [];
  /** Commands that fail. */
  readonly failing = new Set<string>();
  readonly gates = new Map<string, Gate>();
  readonly behaviour: Behaviour = {
    slots: 20,
    exporting: async ({ vm_name: vm }) => void this.ran.push(`export ${vm}`),
    hook: async (data, { signal }) => {
      const { about, hook } = data;
      this.asked.push(data);
      const what = about.scope === 'wave' ? `wave ${about.wave}` : (about.vm_name ?? '');
      this.ran.push([about.moment, what, ...(about.status === undefined ? [] : [about.status])].join(' '));
      const of = 'command' in hook ? hook.command : hook.url;
      await this.gates.get(of)?.passed(signal);
      if (this.failing.has(of)) throw new JobError('HOOK_FAILED', `${of} ended with 3.`);
      return { output: `${of} ran for ${what}\n` };
    },
  };
}
const work = async (course: Course): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, course.behaviour);
};

it('runs hooks before and after a VM, once each time, and tells what they said, with two gateways', async () => {
  const [client] = [await start(), await start()];
  const course = new Course();
  const gate = new Gate();
  course.gates.set('quiesce', gate);
  await work(course);
  const vm = name();
  const hooks = { before: command('quiesce', { args: ['fast'] }), after: { url: 'https://cmdb.example.com/moved' } };
  const id = await client.convert(vm, { hooks });
  await until(
    async () => course.ran,
    (ran) => ran.length === 1,
  );
  expect(await client.job(id)).toMatchObject({
    status: 'pending',
    waiting_reason: 'its hook before the migration has not ended yet',
  });
  gate.open();
  const job = await client.reaches(id, 'completed');
  await until(
    async () => course.ran,
    (ran) => ran.length === 3,
  );
  expect(course.ran).toEqual([`before ${vm}`, `export ${vm}`, `after ${vm} completed`]);
  expect(course.asked[0]).toMatchObject({
    hook: { command: 'quiesce', args: ['fast'], timeout_seconds: 300 },
    about: { moment: 'before', scope: 'vm', job_id: id, vm_name: vm },
  });
  expect(course.asked[1]?.about).toMatchObject({ moment: 'after', status: 'completed', output_dir: job.output_dir });

  const events = async () =>
    Timeline.parse(await (await client.send('GET', `/api/v1/jobs/${id}/timeline`)).json()).events;
  const told = (await until(events, (lines) => lines.filter(({ event }) => event === 'hook.completed').length === 2))
    .filter(({ event }) => event.startsWith('hook.'))
    .map(({ event, message }) => [event, message.replace(/ after [\d.]+ s$/, '')]);
  expect(told).toEqual([
    ['hook.requested', 'The hook before the migration (command quiesce) is asked for.'],
    ['hook.completed', 'The hook before the migration (command quiesce) ended with 0'],
    ['hook.requested', 'The hook after the migration (call of cmdb.example.com) is asked for.'],
    ['hook.completed', 'The hook after the migration (call of cmdb.example.com) ended with 0'],
  ]);
  const logs = async () => JobLogs.parse(await (await client.send('GET', `/api/v1/jobs/${id}/logs`)).json()).lines;
  const lines = await until(logs, (all) => all.some(({ message }) => message.includes('moved ran for')));
  expect(lines.find(({ message }) => message.includes(`quiesce ran for ${vm}`))).toMatchObject({
    phase: 'hook',
    level: 'debug',
    source: 'quiesce',
  });
});

it('does not move a VM whose hook failed, runs it again with a retry, and moves on where that is wanted', async () => {
  const client = await start();
  const course = new Course();
  course.failing.add('quiesce');
  await work(course);
  const vm = name();
  const id = await client.convert(vm, { hooks: { before: command('quiesce'), after: command('report') } });
  const failed = await client.reaches(id, 'failed');
  expect(failed.failure).toMatchObject({
    code: 'HOOK_FAILED',
    message: 'The hook before the migration failed: quiesce ended with 3.',
  });
  await until(
    async () => course.ran,
    (ran) => ran.includes(`after ${vm} failed`),
  );
  course.failing.clear();
  expect((await client.send('POST', `/api/v1/jobs/${id}/retry`)).status).toBe(202);
  await client.reaches(id, 'completed');
  await until(
    async () => course.ran,
    (ran) => ran.length === 5,
  );
  expect(course.ran).toEqual([
    `before ${vm}`,
    `after ${vm} failed`,
    `before ${vm}`,
    `export ${vm}`,
    `after ${vm} completed`,
  ]);
  const rounds = await stack.db.query('SELECT moment, round FROM hooks WHERE job_id = $1 ORDER BY queued_at', [id]);
  expect(rounds.rows).toEqual([
    { moment: 'before', round: 1 },
    { moment: 'after', round: 1 },
    { moment: 'before', round: 2 },
    { moment: 'after', round: 2 },
  ]);

  course.failing.add('quiesce').add('report');
  const other = await client.convert(name(), {
    hooks: { before: command('quiesce', { on_failure: 'continue' }), after: command('report') },
  });
  await client.reaches(other, 'completed');
  await until(
    async () => (await client.send('GET', `/api/v1/jobs/${other}/timeline`)).text(),
    (text) => text.includes('command report) failed: report ended with 3.'),
  );
  expect((await client.job(other)).status).toBe('completed');
});

it('withdraws the hook of a job that is cancelled while it runs, and while it waits', async () => {
  const client = await start();
  const vm = name();
  // Nobody is there to run it, but somebody to look at the VM.
  const course = new Course();
  course.gates.set('quiesce', new Gate());
  await work(course);
  const running = await client.convert(vm, { hooks: { before: command('quiesce'), after: command('report') } });
  await until(
    async () => course.ran,
    (ran) => ran.length === 1,
  );
  expect((await client.send('DELETE', `/api/v1/jobs/${running}`)).status).toBe(200);
  await until(
    async () => course.ran,
    (ran) => ran.includes(`after ${vm} cancelled`),
  );
  await stopWorkers();
  const { batch_id: batch } = await client.create({
    options: { hooks: { before: command('late') } },
    waves: [
      { name: 'one', vms: [name()] },
      { name: 'two', vms: [name()], hooks: { before: command('late') } },
    ],
  });
  const waiting = async () =>
    (await stack.db.query("SELECT id FROM hooks WHERE batch_id = $1 AND status = 'queued'", [batch])).rows;
  await until(waiting, (rows) => rows.length === 2);
  await client.ask('DELETE', batch);
  await client.batchIs(batch, 'cancelled');
  expect(await waiting()).toEqual([]);
  await until(
    async () =>
      (await stack.db.query('SELECT count(*)::int AS n FROM outbox WHERE published_at IS NULL')).rows[0] as {
        n: number;
      },
    ({ n }) => n === 0,
  );
  const next = new Course();
  await work(next);
  const last = await client.convert(name(), { hooks: { before: command('quiesce') } });
  await client.reaches(last, 'completed');
  expect(next.ran.filter((what) => what.startsWith('before'))).toHaveLength(1);
  expect(course.ran.filter((what) => what.startsWith('export'))).toEqual([]);
});

it('runs the hooks of a wave around all its VMs, refuses them all when it fails, and counts hooks as under way', async () => {
  const client = await start();
  const course = new Course();
  course.failing.add('open-web');
  const gate = new Gate();
  course.gates.set('open', gate);
  await work(course);
  const [one, two, three] = [name(), name(), name()];
  const { batch_id: id, jobs } = await client.create({
    name: 'Spring',
    max_parallel: 1,
    options: { hooks: { before: command('quiesce') } },
    waves: [
      { name: 'databases', vms: [one, two], hooks: { before: command('open'), after: command('close') } },
      {
        name: 'web',
        after: ['databases'],
        vms: [three],
        hooks: { before: command('open-web'), after: command('close') },
      },
    ],
  });
  await until(
    async () => course.ran,
    (ran) => ran.length === 1,
  );
  const why = 'the hook before wave databases has not ended yet';
  expect((await client.batch(id)).waves[0]).toMatchObject({ status: 'waiting', reason: why });
  expect((await client.job(jobs[0]?.job_id ?? '')).waiting_reason).toBe(why);
  gate.open();
  const done = await client.batchIs(id, 'completed');
  expect(done.totals).toMatchObject({ completed: 2, failed: 1 });
  const closed = `after wave web`;
  await until(
    async () => course.ran,
    (ran) => ran.includes(closed),
  );
  expect(course.ran.slice(0, 5)).toEqual([
    'before wave databases',
    `before ${one}`,
    `export ${one}`,
    `before ${two}`,
    `export ${two}`,
  ]);
  // After one wave and before the next: side by side.
  expect(course.ran.slice(5).toSorted()).toEqual(['after wave databases', closed, 'before wave web'].toSorted());
  expect(course.asked[0]?.about).toEqual({
    moment: 'before',
    scope: 'wave',
    batch_id: id,
    batch_name: 'Spring',
    wave: 'databases',
  });
  const web = await client.job(jobs[2]?.job_id ?? '');
  expect(web.failure).toMatchObject({
    code: 'HOOK_FAILED',
    message: 'The hook before wave web failed: open-web ended with 3.',
  });

  course.failing.clear();
  await client.send('POST', `/api/v1/jobs/${web.job_id}/retry`);
  await client.reaches(web.job_id, 'completed');
  await client.batchIs(id, 'completed');
  await until(
    async () => course.ran.length,
    (count) => count === 12,
  );
  expect(course.ran.slice(8)).toEqual(['before wave web', `before ${three}`, `export ${three}`, closed]);
  const report = async (): Promise<BatchReport> =>
    BatchReport.parse(await (await client.send('GET', `/api/v1/batches/${id}/report`)).json());
  const { hooks } = await until(report, (all) => all.hooks.every(({ status }) => status === 'completed'));
  expect(hooks.map(({ wave, moment, output }) => [wave, moment, output])).toEqual([
    ['databases', 'before', 'open ran for wave databases\n'],
    ['databases', 'after', 'close ran for wave databases\n'],
    ['web', 'before', 'open-web ran for wave web\n'],
    ['web', 'after', 'close ran for wave web\n'],
  ]);
});
