import {
  JobError,
  jobLog,
  jobReprioritised,
  RetentionReport,
  verifyRequested,
  type CleanupRequested,
} from '@hyper2kvm/contracts';
import { createLogger, forgetSubject, oldestUnhandled, openBus, type Bus, type CommandQueue } from '@hyper2kvm/runtime';
import { AckPolicy } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from './gateway-client.js';
import { copyJobs } from './gateway-rows.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

const POLICY = { jobs_days: 90, artifacts_days: 30, audit_days: 365, messages_days: 7 };
const PATH = '/api/v1/retention';
let stack: Stack;
let gateways: Gateway[];
let client: Client;
let bus: Bus;
let queue: CommandQueue;
let close: (() => Promise<void>) | undefined;
let stop: (() => Promise<void>) | undefined;
const cleanups: CleanupRequested[] = [];
let convertible = false;

beforeAll(async () => {
  stack = await startStack();
  const retention = { gateway: { retention: POLICY } };
  gateways = [await stack.gateway(retention), await stack.gateway(retention)];
  client = new Client(gateways[0] as Gateway);
  stop = await startWorkers(stack.nats.servers, {
    converting: async ({ vm_name: vm }) => {
      if (vm.startsWith('fails') && !convertible)
        throw new JobError('GUEST_UNSUPPORTED', 'because of the test', { retryable: false });
      return Promise.resolve();
    },
    cleaning: async (data) => {
      cleanups.push(data);
      return Promise.resolve();
    },
  });
  const nats = { servers: stack.nats.servers, replicas: 1 };
  ({ bus, close, queue } = await openBus({
    nats,
    service: 'test',
    workerId: 'test',
    logger: createLogger('test', 'error'),
  }));
});
afterAll(async () => {
  await stop?.();
  await close?.();
  await stack?.stop();
});

const plan = async (): Promise<RetentionReport> => RetentionReport.parse(await (await client.send('GET', PATH)).json());
const run = async (gateway = gateways[0] as Gateway, body: object = { dry_run: false }): Promise<RetentionReport> => {
  const response = await new Client(gateway).send('POST', `${PATH}/run`, body);
  expect(response.status).toBe(200);
  return RetentionReport.parse(await response.json());
};
/** A job that ended, and seems to have ended so many days ago. */
async function job(vm: string, status: 'completed' | 'failed' | 'exported', days: number): Promise<string> {
  const id = await client.convert(vm, { auto_convert: status !== 'exported' });
  await client.reaches(id, status);
  await until(
    async () =>
      (await stack.db.query('SELECT 1 FROM outbox WHERE job_id = $1 AND published_at IS NULL', [id])).rowCount,
    (waiting) => waiting === 0,
  );
  await age(id, days);
  return id;
}
const age = (id: string, days: number): Promise<unknown> =>
  stack.db.query(`UPDATE jobs SET completed_at = completed_at - $2 * interval '1 day' WHERE id = $1`, [id, days]);
const there = async (id: string): Promise<boolean> =>
  (await stack.db.query('SELECT 1 FROM jobs WHERE id = $1', [id])).rowCount === 1;
const told = async (subject: string): Promise<boolean> =>
  bus.jsm.streams.getMessage('FACTS', { last_by_subj: subject }).then(
    () => true,
    () => false,
  );
const idsOf = (list: { job_id: string }[]): string[] => list.map((one) => one.job_id).toSorted();

it('shows what would go, then has old jobs and exported images go, and everything else stay', async () => {
  const old = await job('old', 'completed', 100);
  const young = await job('young', 'completed', 80);
  const resting = await job('resting', 'exported', 100);
  const failedLong = await job('fails-long-ago', 'failed', 100);
  const failed = await job('fails', 'failed', 40);
  const failedNow = await job('fails-now', 'failed', 20);
  const kept = await job('kept', 'completed', 40);
  await stack.db.query(`UPDATE jobs SET result = result || '{"artifact_kept": true}' WHERE id = $1`, [kept]);
  const waiting = await job('waiting', 'completed', 100);
  await stack.db.query(
    `INSERT INTO outbox (id, job_id, kind, type, data, available_at)
     VALUES (gen_random_uuid(), $1, 'fact', 'job.retried.v1', '{}', now() + interval '1 day')`,
    [waiting],
  );
  const batched = [await job('batched', 'completed', 100), await job('batched-too', 'completed', 10)];
  await stack.db.query(
    `INSERT INTO batches (id, requested_by, waves, completed_at, created_at, updated_at)
     SELECT 'batch-aaaaaa', 'local', '[]', now() - interval '95 days', now(), now()`,
  );
  await stack.db.query(`UPDATE jobs SET batch_id = 'batch-aaaaaa' WHERE id = ANY ($1)`, [batched]);

  const before = await plan();
  expect(before).toMatchObject({ policy: POLICY, enabled: false, dry_run: true, last_run_at: null });
  expect(idsOf(before.jobs)).toEqual([old]);
  expect(idsOf(before.artifacts)).toEqual([failedLong, failed, kept].toSorted());
  expect(before.artifacts.find((one) => one.job_id === failed)).toMatchObject({
    vm_name: 'fails',
    folder: `/work/${failed}`,
    bytes: 2000,
  });
  expect(await run(gateways[0], {})).toEqual(before);
  expect(await there(old)).toBe(true);
  expect(cleanups).toEqual([]);

  const [everything, output] = [await told(`job.created.${old}`), await told(`job.completed.${young}`)];
  expect([everything, output]).toEqual([true, true]);
  const done = await run();
  expect(done).toMatchObject({ dry_run: false, jobs: before.jobs, artifacts: before.artifacts });
  expect(done.last_run_at).not.toBeNull();
  expect(await there(old)).toBe(false);
  const left = await stack.db.query(
    `SELECT (SELECT count(*) FROM job_events WHERE job_id = $1) + (SELECT count(*) FROM job_attempts WHERE job_id = $1)
       + (SELECT count(*) FROM outbox WHERE job_id = $1) AS rows`,
    [old],
  );
  expect(left.rows).toEqual([{ rows: '0' }]);
  for (const subject of ['job.created', 'export.completed', 'conversion.completed', 'job.completed'])
    expect(await told(`${subject}.${old}`), subject).toBe(false);
  expect(await bus.buckets.claims.get(`export.${old}`)).toBeNull();
  for (const id of [young, resting, failedLong, failed, failedNow, kept, waiting, ...batched]) {
    expect(await there(id), id).toBe(true);
    expect(await told(`job.created.${id}`)).toBe(true);
  }

  // The images go through a worker, which need not ask the source again.
  await until(
    () => Promise.resolve(cleanups.length),
    (count) => count === 3,
  );
  expect(idsOf(cleanups)).toEqual(idsOf(before.artifacts));
  expect(cleanups.every((data) => data.remove_files && data.files_only === true)).toBe(true);
  for (const id of [failedLong, failed]) await client.when(id, (one) => one.cleanup?.status === 'completed');
  expect((await client.job(failedNow)).cleanup).toBeNull();
  expect(await client.job(failed)).toMatchObject({ export: { status: 'completed' }, conversion: { status: 'failed' } });

  // What has no images any more may go as a whole; what failed may be tried again, from the export on.
  expect(idsOf((await run()).jobs)).toEqual([failedLong]);
  convertible = true;
  expect((await client.send('POST', `/api/v1/jobs/${failed}/retry`)).status).toBe(202);
  await client.reaches(failed, 'completed');
  const { rows } = await stack.db.query('SELECT export_attempt FROM jobs WHERE id = $1', [failed]);
  expect(rows).toEqual([{ export_attempt: 2 }]);

  // A batch goes with all of its jobs; the hooks of its VMs go with these, each by itself.
  await age(batched[1] ?? '', 90);
  await stack.db.query(
    `INSERT INTO hooks (id, batch_id, job_id, scope, moment, hook, status, queued_at, spent)
     SELECT 'hook-' || id, batch_id, id, 'vm', 'after', '{"command": "x"}', 'completed', now(), true
     FROM jobs WHERE batch_id = 'batch-aaaaaa'`,
  );
  await stack.db.query('CREATE TABLE kept (id text)');
  await stack.db.query(
    `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN INSERT INTO kept SELECT job_id FROM hooks WHERE batch_id IS NULL; RETURN OLD; END $$`,
  );
  await stack.db.query('CREATE TRIGGER keep BEFORE DELETE ON batches FOR EACH ROW EXECUTE FUNCTION keep()');
  expect(idsOf((await run()).jobs)).toEqual(batched.toSorted());
  expect((await stack.db.query('SELECT id FROM batches')).rowCount).toBe(0);
  expect((await stack.db.query('SELECT id FROM kept ORDER BY id')).rows).toEqual(
    batched.toSorted().map((id) => ({ id })),
  );
  expect((await stack.db.query('SELECT id FROM hooks')).rowCount).toBe(0);
  // Nobody was stranded by what was deleted.
  await client.reaches(await client.convert('afterwards'), 'completed');
});

it('lets two gateways do it at the same time, each thing once', async () => {
  const model = await job('model', 'completed', 0);
  await copyJobs(stack.db, model, 60, `jsonb_build_object('completed_at', now() - interval '200 days')`);
  const [one, other] = await Promise.all(gateways.map((gateway) => run(gateway)));
  const removed = [...idsOf(one?.jobs ?? []), ...idsOf(other?.jobs ?? [])];
  expect(removed).toHaveLength(60);
  expect(new Set(removed).size).toBe(60);
  expect(await there(model)).toBe(true);
});

it('forgets messages, answers and the audit by their age', async () => {
  await run();
  await stack.db.query(
    `INSERT INTO outbox (id, job_id, kind, type, data, published_at)
     SELECT gen_random_uuid(), 'job-aaaaaa', 'fact', 'x', '{}', now() - days * interval '1 day' FROM unnest('{1,8}'::int[]) AS days`,
  );
  await stack.db.query(
    `INSERT INTO inbox SELECT 'gateway', 'event-' || days, now() - days * interval '1 day' FROM unnest('{1,8,9}'::int[]) AS days`,
  );
  await stack.db.query(
    `INSERT INTO idempotency_keys (caller, key, fingerprint_sealed, owner, created_at)
     SELECT 'somebody', days, 'x', 'y', now() - days * interval '1 day' FROM unnest('{1,8}'::int[]) AS days`,
  );
  await stack.db.query(
    `INSERT INTO audit (time, caller, action, method, path, status)
     SELECT now() - days * interval '1 day', 'somebody', 'x', 'POST', '/', 200 FROM unnest('{300,400}'::int[]) AS days`,
  );
  expect(await plan()).toMatchObject({ messages: 4, audit_entries: 1 });
  expect(await run()).toMatchObject({ messages: 4, audit_entries: 1 });
  expect(await plan()).toMatchObject({ messages: 0, audit_entries: 0 });
  const { rows } = await stack.db.query("SELECT event_id FROM inbox WHERE event_id LIKE 'event-%'");
  expect(rows).toEqual([{ event_id: 'event-1' }]);
});

it('leaves nothing of an id in NATS, not even what waits where nobody takes it, and nothing of others out', async () => {
  const fence = { attempt: 1, generation: 0, lane: 'normal' as const, pool: 'nowhere', folder: '/work/x' };
  for (const id of ['job-lonely01', 'job-lonely02']) {
    await queue.send(verifyRequested, { ...fence, job_id: id }, { eventId: `e-${id}` });
    await bus.publish(jobReprioritised, id, { job_id: id, vm_name: 'vm', priority: 'low' });
    await bus.publish(jobLog, id, {
      job_id: id,
      time: new Date().toISOString(),
      level: 'info',
      phase: 'verify',
      message: 'a',
    });
    await bus.setBandwidth('job', id, 1_000_000);
  }
  expect(await forgetSubject(bus, 'job-lonely01')).toBe(5);
  expect(await forgetSubject(bus, 'job-lonely01')).toBe(0);
  expect(await forgetSubject(bus, 'job-lonely02')).toBe(5);
});

it('knows the oldest fact that may come again', async () => {
  for (const vm of ['told', 'told-too']) await job(vm, 'exported', 0);
  expect(await oldestUnhandled(bus, 'somebody')).toBeUndefined();
  await bus.jsm.consumers.add('FACTS', {
    durable_name: 'somebody-job-created',
    filter_subject: 'job.created.>',
    ack_policy: AckPolicy.Explicit,
  });
  const consumer = await bus.js.consumers.get('FACTS', 'somebody-job-created');
  const [first, second] = [await consumer.next(), await consumer.next()];
  const sent = await bus.jsm.streams.getMessage('FACTS', { seq: first?.seq ?? 0 });
  expect(await oldestUnhandled(bus, 'somebody')).toEqual(sent.time);
  await first?.ackAck();
  const next = await bus.jsm.streams.getMessage('FACTS', { seq: second?.seq ?? 0 });
  expect(await oldestUnhandled(bus, 'somebody')).toEqual(next.time);
  await second?.ackAck();
  expect(await oldestUnhandled(bus, 'somebody')).toBeUndefined();
});

it('does it by itself once a day where that is enabled', async () => {
  const [old, older] = [await job('by-itself', 'completed', 100), await job('next-day', 'completed', 0)];
  await stack.db.query('UPDATE retention SET last_run_at = NULL');
  const config = { gateway: { retention: { ...POLICY, enabled: true } } };
  const first = await stack.gateway(config);
  await until(
    async () => there(old),
    (still) => !still,
  );
  await age(older, 100);
  await first.kill('SIGTERM');
  const second = await stack.gateway(config);
  const report = RetentionReport.parse(await (await new Client(second).send('GET', PATH)).json());
  expect(report).toMatchObject({ enabled: true, dry_run: true });
  expect(idsOf(report.jobs)).toContain(older);
  await second.kill('SIGTERM');
  expect(await there(older)).toBe(true);
});
