// Jobs that exist, changed: one or many at once, through two gateways, with workers that hold them.
import {
  ConvertAccepted,
  JobError,
  QueueAnswer,
  type ConversionRequested,
  type JobDetail,
  type Lane,
} from '@hyper2kvm/contracts';
import {
  applyDecision,
  connectDatabase,
  dataSourceOptions,
  decideCancel,
  Job,
  VersionConflict,
} from '@hyper2kvm/gateway';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

const VCENTER = { server: 'vc.example.com', username: 'u', password: 'p' };
let stack: Stack;
let client: Client;
let other: Client;
let stopWorkers: () => Promise<void> = async () => {};
let serial = 0;
const vm = (): string => `vm-${(serial += 1)}`;

beforeAll(async () => {
  stack = await startStack();
  // Nothing of the limits of hosts is to be seen here.
  const sections = {
    retry_policy: { max_retries: 0 },
    gateway: { export_limits: { disks_per_host: 64, disks_per_vcenter: 64 } },
  };
  const [one, two] = await Promise.all([stack.gateway(sections), stack.gateway(sections)]);
  [client, other] = [new Client(one), new Client(two)];
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
});
afterAll(async () => {
  await stack?.stop();
});

const work = async (behaviour: Behaviour): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, behaviour);
};
const answer = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const response = await client.send(method, path, body);
  const text = await response.text();
  expect(response.status, text).toBeLessThan(300);
  return JSON.parse(text);
};
const patch = (id: string, body: object): Promise<Response> => client.send('PATCH', `/api/v1/jobs/${id}`, body);
const exported = async (): Promise<string> => {
  const body = { vm_name: vm(), vcenter: VCENTER };
  const { job_id: id } = ConvertAccepted.parse(await answer('POST', '/api/v1/export', body));
  await client.reaches(id, 'exported');
  return id;
};

describe('a conversion that is asked for later', () => {
  it('uses the options of then, sealed keys and its own priority; a second request is refused', async () => {
    const gate = new Gate();
    const seen: ConversionRequested[] = [];
    await work({
      converting: async (data, { signal }) => {
        seen.push(data);
        await gate.passed(signal);
      },
    });
    const id = await exported();
    expect(await client.job(id)).toMatchObject({ conversion: { status: 'waiting' }, queue_position: null });
    const key = Buffer.from('open sesame').toString('base64');
    const queue = {
      command: 'queue-job',
      job_id: id,
      file: '/var/lib/hyper2kvm/queue/production-db.vmdk',
      priority: 'high',
      options: { fix_fstab: true, fix_grub: true, fix_network: false },
    };
    const [said, twice] = await Promise.all(
      [client, other].map(async (one) =>
        one.send('POST', `/api/v1/jobs/${id}/convert`, { ...queue, luks_keys: [{ key_base64: key }] }),
      ),
    );
    const [fine, refused] = said?.status === 202 ? [said, twice] : [twice, said];
    const text = (await fine?.text()) ?? '';
    expect(QueueAnswer.parse(JSON.parse(text))).toMatchObject({ status: 'ok', message: 'Job queued' });
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['status', 'message', 'queue_position', 'estimated_start']);
    expect(await refused?.json()).toMatchObject({ status: 409, code: 'STATE_CONFLICT' });
    await client.reaches(id, 'converting');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ lane: 'high', options: { fix_network: false, fix_fstab: true } });
    expect(seen[0]?.options.luks_keys_sealed).toMatch(/^v1\./);
    expect(JSON.stringify(seen)).not.toContain(key);
    gate.open();
    expect(await client.reaches(id, 'completed')).toMatchObject({ priority: 'high' });
  });

  it('is refused of a job that does not rest, of another job, with options that are not there', async () => {
    await work({ converting: async () => Promise.reject(new JobError('GUEST_NO_OS', 'nothing that boots')) });
    const id = await exported();
    const convert = (of: string, body: object) =>
      client.refused(client.send('POST', `/api/v1/jobs/${of}/convert`, body));
    expect(await convert(id, { job_id: 'job-another1' })).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await convert(id, { options: { target: 'nowhere' } })).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await convert(id, { options: { transport: 'nfc' } })).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await convert('job-notthere', {})).toMatchObject({ code: 'JOB_NOT_FOUND' });
    await answer('POST', `/api/v1/jobs/${id}/convert`);
    await client.reaches(id, 'failed');
    expect(await convert(id, {})).toMatchObject({ code: 'STATE_CONFLICT' });
    // A retry goes on with the conversion, though nobody wanted it by itself at first.
    await answer('POST', `/api/v1/jobs/${id}/retry`);
    await client.when(id, ({ status, retry_count }) => status === 'failed' && retry_count === 1);
  });
});

describe('a change', () => {
  it('of everything at once is made whole or not at all', async () => {
    const gate = new Gate();
    await work({ exporting: async (_, { signal }) => gate.passed(signal) });
    const id = await client.convert(vm());
    await client.reaches(id, 'exporting');
    const change = { priority: 'high', tags: ['gold', 'db'], bandwidth_bytes_per_second: 1_000_000 };
    expect(await (await patch(id, change)).json()).toMatchObject(change);
    expect(await (await patch(id, { tags: [] })).json()).toMatchObject({ ...change, tags: [] });
    expect(await client.refused(patch(id, {}))).toMatchObject({ code: 'BAD_REQUEST' });
    gate.open();
    const { tags, priority } = await client.reaches(id, 'completed');
    const late = { tags: ['late'], priority: 'low' };
    expect(await client.refused(patch(id, late))).toMatchObject({ code: 'STATE_CONFLICT' });
    expect(await client.job(id)).toMatchObject({ tags, priority });
    expect(await (await patch(id, { tags: ['late'] })).json()).toMatchObject({ tags: ['late'] });
  });

  it('of the priority moves a waiting job at once, and keeps a running one where it is until its next phase', async () => {
    const [exports, gate] = [new Gate(), new Gate()];
    const [started, lanes] = [[] as string[], [] as Lane[]];
    await work({
      slots: 1,
      exporting: async ({ vm_name }, { signal }) => {
        started.push(vm_name);
        if (vm_name.startsWith('first')) await exports.passed(signal);
      },
      converting: async ({ lane }, { signal }) => {
        lanes.push(lane);
        await gate.passed(signal);
      },
    });
    const first = await client.convert(`first-${vm()}`, { auto_convert: true });
    await client.reaches(first, 'exporting');
    const names = ['a', 'b', 'c', 'd'].map((name) => `${name}-${vm()}`);
    const ids: string[] = [];
    for (const name of names) ids.push(await client.convert(name, { auto_convert: false, priority: 'low' }));
    await until(
      async () => stack.db.query('SELECT 1 FROM outbox WHERE published_at IS NULL'),
      ({ rowCount }) => rowCount === 0,
    );
    await patch(first, { priority: 'high' });
    // The last shall be the first; the second is taken out.
    await patch(ids[3] ?? '', { priority: 'high' });
    await patch(ids[0] ?? '', { priority: 'normal' });
    await patch(ids[0] ?? '', { priority: 'low' });
    await client.send('DELETE', `/api/v1/jobs/${ids[1]}`);
    await until(
      async () => stack.db.query('SELECT 1 FROM outbox WHERE published_at IS NULL'),
      ({ rowCount }) => rowCount === 0,
    );
    exports.open();
    for (const index of [0, 2, 3]) await client.reaches(ids[index] ?? '', 'exported');
    expect(started[1]).toBe(names[3]);
    expect(started.slice(2).toSorted()).toEqual([names[0], names[2]]);
    await client.reaches(first, 'converting');
    expect(lanes).toEqual(['high']);
    gate.open();
    await client.reaches(first, 'completed');
    const { rows } = await stack.db.query<{ event: string; by: string }>(
      "SELECT event, by FROM job_events WHERE job_id = $1 AND event LIKE '%prior%' OR job_id = $1 AND event = 'request.change'",
      [ids[3]],
    );
    expect(rows).toEqual([
      { event: 'request.change', by: 'local' },
      { event: 'job.reprioritised', by: null },
    ]);
  });

  it('of a retry that waits for its time keeps that time', async () => {
    await work({});
    const id = await exported();
    await answer('POST', `/api/v1/jobs/${id}/convert`);
    await client.reaches(id, 'completed');
    // As a retry by itself leaves it.
    await stack.db.query(
      `UPDATE jobs SET status = 'exported', conversion_status = 'queued', conversion_attempt = 2, next_retry_at = now() + interval '1 hour' WHERE id = $1`,
      [id],
    );
    await stack.db.query(
      `INSERT INTO outbox (id, job_id, kind, type, data, available_at)
       SELECT gen_random_uuid(), job_id, kind, type, data || '{"attempt": 2}', now() + interval '1 hour' FROM outbox
       WHERE job_id = $1 AND type = 'conversion.requested.v1'`,
      [id],
    );
    await patch(id, { priority: 'high' });
    const waiting = async () =>
      stack.db.query<{ kind: string; lane: string; attempt: number; late: boolean }>(
        `SELECT kind, data->>'lane' AS lane, (data->>'attempt')::int AS attempt, available_at > now() + interval '50 minutes' AS late
         FROM outbox WHERE job_id = $1 AND published_at IS NULL AND kind <> 'fact'`,
        [id],
      );
    expect((await waiting()).rows).toEqual([{ kind: 'move', lane: 'high', attempt: 2, late: true }]);
    // Due now: it starts, once, as the second attempt.
    await stack.db.query("UPDATE outbox SET available_at = now() WHERE job_id = $1 AND kind = 'move'", [id]);
    await client.reaches(id, 'completed');
    await client.send('PATCH', `/api/v1/jobs/${id}`, { tags: ['done'] });
    expect((await waiting()).rows).toEqual([]);
  });

  it('through two gateways at the same time is never lost', async () => {
    const gate = new Gate();
    await work({ exporting: async (_, { signal }) => gate.passed(signal) });
    const id = await client.convert(vm());
    await client.reaches(id, 'exporting');
    const version = async (): Promise<number> =>
      (await stack.db.query<{ version: number }>('SELECT version FROM jobs WHERE id = $1', [id])).rows[0]?.version ?? 0;
    const before = await version();
    const lanes = ['high', 'low', 'normal'] as const;
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, n) =>
        (n % 2 === 0 ? client : other).send(
          'PATCH',
          `/api/v1/jobs/${id}`,
          [{ priority: lanes[n % 3] }, { tags: [`tag-${n}`] }, { bandwidth_bytes_per_second: 1_000_000 + n }][
            n % 5 === 4 ? 2 : n % 5 === 3 ? 1 : 0
          ],
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await version()).toBe(before + 30);
    const details = (await Promise.all(answers.map((one) => one.json()))) as JobDetail[];
    const now = await client.job(id);
    // The last of each kind stands beside the last of the others.
    for (const field of ['priority', 'bandwidth_bytes_per_second'] as const)
      expect(details.map((one) => one[field])).toContain(now[field]);
    expect(now.tags[0]).toMatch(/^tag-/);
    expect(now.bandwidth_bytes_per_second).toBeGreaterThanOrEqual(1_000_000);
    // And of two cancels one is refused.
    const cancels = await Promise.all([client, other].map(async (one) => one.send('DELETE', `/api/v1/jobs/${id}`)));
    expect(cancels.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    gate.open();
  });

  it('that was decided on an older version changes nothing', async () => {
    const gate = new Gate();
    await work({ exporting: async (_, { signal }) => gate.passed(signal) });
    const id = await client.convert(vm());
    await client.reaches(id, 'exporting');
    const source = await connectDatabase(dataSourceOptions({ url: stack.postgres.url, poolSize: 2 }));
    try {
      const stale = await source.manager.findOneByOrFail(Job, { id });
      await patch(id, { tags: ['newer'] });
      const before = await answer('GET', `/api/v1/jobs/${id}/timeline`);
      const decision = decideCancel(stale, 'somebody', new Date());
      if (decision === undefined) throw new Error('nothing was decided');
      const events = [{ event: 'request.cancel', message: 'too late' }];
      await expect(
        source.transaction((manager) => applyDecision(manager, stale, { ...decision, events })),
      ).rejects.toThrow(VersionConflict);
      expect(await client.job(id)).toMatchObject({ status: 'exporting', tags: ['newer'] });
      expect(await answer('GET', `/api/v1/jobs/${id}/timeline`)).toEqual(before);
    } finally {
      await source.destroy();
      gate.open();
    }
  });
});
