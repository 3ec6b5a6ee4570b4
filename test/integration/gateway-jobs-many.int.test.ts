// Many jobs: tried again together, listed, with their progress.
import { JobError, JobList, RetryAllResult } from '@hyper2kvm/contracts';
import { connect } from 'nats';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

let stack: Stack;
let client: Client;
let other: Client;
let stopWorkers: () => Promise<void> = async () => {};

beforeAll(async () => {
  stack = await startStack();
  const sections = { retry_policy: { max_retries: 0 } };
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
  stopWorkers = await startWorkers(stack.nats.servers, { slots: 8, ...behaviour });
};
const answer = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const response = await client.send(method, path, body);
  const text = await response.text();
  expect(response.status, text).toBeLessThan(300);
  return JSON.parse(text);
};

/** Ids of a list, page after page. */
async function pages(query: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = JobList.parse(await answer('GET', `/api/v1/jobs?limit=7&${query}${from}`));
    ids.push(...page.jobs.map(({ job_id }) => job_id));
    cursor = page.next_cursor;
  }
  return ids;
}

const expected = (wanted: (n: number) => boolean): string[] =>
  Array.from({ length: 60 }, (_, index) => 60 - index)
    .filter((n) => wanted(n))
    .map((n) => `job-list${String(n).padStart(4, '0')}`);

const retry = async (body: object): Promise<RetryAllResult> =>
  RetryAllResult.parse(await answer('POST', '/api/v1/jobs/retry', body));

const percents = (of: Client) => async (): Promise<number[]> =>
  JobList.parse(await (await of.send('GET', '/api/v1/jobs?tag=told')).json()).jobs.map(
    ({ percent_complete }) => percent_complete,
  );
const areTold = (told: number[]): boolean => told.length === 6 && told.every((percent) => percent === 40);

describe('many jobs', () => {
  it('that failed are tried again together: those that are meant, each by itself', async () => {
    let broken = true;
    await work({
      converting: async ({ vm_name }) => {
        if (broken) throw new JobError(vm_name.startsWith('os') ? 'GUEST_NO_OS' : 'CONVERSION_STEP', 'broken');
      },
    });
    const started = new Date().toISOString();
    const ids: Record<string, string> = {};
    for (const name of ['os-1', 'os-2', 'step-1', 'step-2'])
      ids[name] = await client.convert(name, { tags: [name.endsWith('1') ? 'one' : 'two'] });
    for (const id of Object.values(ids)) await client.reaches(id, 'failed');
    // Another job moves this VM by now.
    await stack.db.query("UPDATE jobs SET instance_uuid = 'the-same' WHERE id = ANY ($1)", [
      [ids['os-1'], ids['os-2']],
    ]);
    broken = false;
    expect(await retry({ since: new Date(Date.now() + 3_600_000).toISOString() })).toEqual({
      retried: [],
      refused: [],
    });
    expect((await retry({ code: 'CONVERSION_STEP', tag: 'one', since: started })).retried).toEqual([ids['step-1']]);
    expect(await client.refused(client.send('POST', '/api/v1/jobs/retry', { batch: 'batch-notthere' }))).toMatchObject({
      code: 'BATCH_NOT_FOUND',
    });
    const all = await retry({ since: started, options: { fix_network: false } });
    expect(all.retried).toEqual(expect.arrayContaining([ids['step-2']]));
    expect(all.retried).toHaveLength(2);
    expect(all.refused).toEqual([
      {
        job_id: expect.stringMatching(/^job-/),
        code: 'VM_BUSY',
        message: expect.stringContaining('already being moved'),
      },
    ]);
    for (const id of all.retried) await client.reaches(id, 'completed');
    const options = await stack.db.query(
      "SELECT DISTINCT options->'fix_network' AS value FROM jobs WHERE id = ANY ($1)",
      [all.retried],
    );
    expect(options.rows).toEqual([{ value: false }]);
    expect((await client.job(all.refused[0]?.job_id ?? '')).status).toBe('failed');
  });

  it('are listed by status, VM, tag, batch and time, page after page', async () => {
    const now = Date.now() - 100_000;
    await stack.db.query(
      `INSERT INTO jobs (id, vm_name, vm_ref, vcenter_server, status, phase, created_at, updated_at, queued_at, requested_by, options, source, machine, total_bytes, tags, batch_id)
       SELECT 'job-list' || lpad(n::text, 4, '0'), 'listed-' || n % 10, 'x', 'vc', CASE WHEN n % 3 = 0 THEN 'failed' ELSE 'completed' END, 'cleanup',
         to_timestamp($1::float8 / 1000) + n * interval '1 second', now(), now(), 'local', '{}', '{"kind": "ova"}', null, 0,
         to_jsonb(ARRAY['all-listed', 'rest-' || n % 7]), CASE WHEN n <= 20 THEN 'batch-listed1' END
       FROM generate_series(1, 60) AS n`,
      [now],
    );
    expect(await pages('tag=all-listed')).toEqual(expected(() => true));
    expect(await pages('tag=all-listed&status=failed')).toEqual(expected((n) => n % 3 === 0));
    expect(await pages('tag=all-listed&status=failed,completed')).toEqual(expected(() => true));
    expect(await pages('vm=listed-4')).toEqual(expected((n) => n % 10 === 4));
    expect(await pages('tag=rest-2&status=completed')).toEqual(expected((n) => n % 7 === 2 && n % 3 !== 0));
    expect(await pages('batch=batch-listed1')).toEqual(expected((n) => n <= 20));
    const since = encodeURIComponent(new Date(now + 50_000).toISOString());
    expect(await pages(`tag=all-listed&since=${since}`)).toEqual(expected((n) => n >= 50));
    expect(await client.refused(client.send('GET', '/api/v1/jobs?cursor=mine'))).toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('have their progress told without a question each, by each gateway and after its start', async () => {
    const gate = new Gate();
    await work({
      exporting: async (_, own) => {
        own.progress({ phase: 'export', percent_complete: 40 });
        await gate.passed(own.signal);
      },
    });
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push(await client.convert(`told-${n}`, { tags: ['told'] }));
    for (const one of [client, other]) await until(percents(one), areTold);
    const third = new Client(await stack.gateway());
    await until(percents(third), areTold);
    const connection = await connect({ servers: stack.nats.servers });
    let questions = 0;
    connection.subscribe('$JS.API.STREAM.MSG.GET.PROGRESS', { callback: () => (questions += 1) });
    await connection.flush();
    for (const one of [client, other, third]) expect(await percents(one)()).toHaveLength(6);
    await connection.drain();
    expect(questions).toBe(0);
    gate.open();
    for (const id of ids) await client.reaches(id, 'completed');
  });
});
