/** A list of 10,000 jobs is read by an index, whatever is asked for, and page by page it misses none. */
import { JobList, JobListQuery } from '@hyper2kvm/contracts';
import { connectDatabase, dataSourceOptions, selectJobs } from '@hyper2kvm/gateway';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from './gateway-client.js';
import { copyJobs } from './gateway-rows.js';
import { startStack, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

const JOBS = 10_000;

let stack: Stack;
let gateway: Gateway;
let source: DataSource;
beforeAll(async () => {
  stack = await startStack();
  gateway = await stack.gateway();
  const client = new Client(gateway);
  const stop = await startWorkers(stack.nats.servers);
  const id = await client.convert('web-0');
  await client.reaches(id, 'completed');
  await stop();
  await copyJobs(
    stack.db,
    id,
    JOBS,
    `jsonb_build_object(
       'vm_name', 'web-' || (n % 5000),
       'instance_uuid', 'uuid-' || n,
       'status', (ARRAY['completed', 'completed', 'completed', 'completed', 'failed', 'cancelled'])[1 + n % 6],
       'batch_id', 'batch-copy' || lpad((n / 500)::text, 4, '0'),
       'plan_order', n,
       'tags', jsonb_build_array('rack-' || n % 40),
       'created_at', now() - make_interval(secs => n))`,
  );
  await stack.db.query('ANALYZE jobs');
  source = await connectDatabase(dataSourceOptions({ url: stack.postgres.url, poolSize: 2 }));
}, 120_000);
afterAll(async () => {
  await source?.destroy();
  await stack?.stop();
});

const list = async (query: string): Promise<JobList> =>
  JobList.parse(await (await fetch(`${gateway.url}/api/v1/jobs?${query}`)).json());

describe('a list of 10,000 jobs', () => {
  it.each([
    '',
    'status=failed',
    'status=pending',
    'status=failed,cancelled',
    'vm=web-42',
    'tag=rack-7',
    'batch=batch-copy0007',
    'since=2026-01-17T10:00:00Z',
    'status=failed&tag=rack-7&limit=500',
  ])('is read by an index: %s', async (text) => {
    // The gateway's own answer, also for the next page.
    const { next_cursor: next } = await list(text);
    const cursor = next === null ? {} : { cursor: next };
    if (next !== null) expect((await list(`${text}&cursor=${next}`)).jobs.length).toBeGreaterThan(0);
    const asked = JobListQuery.parse({ ...Object.fromEntries(new URLSearchParams(text)), ...cursor });
    const [sql, parameters] = selectJobs(source.manager, asked).getQueryAndParameters();
    const plan = JSON.stringify(await source.query(`EXPLAIN (FORMAT JSON) ${sql}`, parameters));
    expect(plan).toMatch(/Index (Only )?Scan/);
    expect(plan).not.toContain('Seq Scan');
  });

  it('page by page tells each job once, in its order', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: JobList = await list(`status=failed&limit=500${cursor === null ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.jobs.map((job) => job.job_id));
      ({ next_cursor: cursor } = page);
    } while (cursor !== null);
    const { rows } = await stack.db.query<{ id: string }>(
      "SELECT id FROM jobs WHERE status = 'failed' ORDER BY created_at DESC, id DESC",
    );
    expect(seen).toEqual(rows.map(({ id }) => id));
    expect(seen.length).toBeGreaterThan(1500);
  });
});
