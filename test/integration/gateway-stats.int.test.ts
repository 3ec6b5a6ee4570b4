import { JobError, Stats } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from './gateway-client.js';
import { copyJobs } from './gateway-rows.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

let stack: Stack;
let client: Client;
let stop: (() => Promise<void>) | undefined;
let completed: string;

beforeAll(async () => {
  stack = await startStack();
  client = new Client(await stack.gateway());
  stop = await startWorkers(stack.nats.servers, {
    converting: async ({ vm_name: vm }) => {
      if (vm === 'fails') throw new JobError('PROOF_FAILED', 'because of the test', { retryable: false });
      return Promise.resolve();
    },
  });
});
afterAll(async () => {
  await stop?.();
  await stack?.stop();
});

const stats = async (since?: string): Promise<Stats> => {
  const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
  return Stats.parse(await (await client.send('GET', `/api/v1/stats${query}`)).json());
};
const today = (): string => new Date().toISOString().slice(0, 10);

it('is empty where nothing happened, and counts what did', async () => {
  expect(await stats()).toMatchObject({
    jobs: {},
    retries: 0,
    exporter: { count: 0, failed: 0, mean_seconds: null, p50_seconds: null, bytes_per_second: null },
    converter: { count: 0, booted: 0, proof_failed: 0 },
    failures: [],
    days: [],
  });
  completed = await client.convert('works', { verify_boot: true });
  await client.reaches(completed, 'completed');
  const failed = await client.convert('fails', { verify_boot: true });
  await client.reaches(failed, 'failed');
  await client.send('POST', `/api/v1/jobs/${failed}/retry`);
  await client.when(failed, (job) => job.status === 'failed' && job.retry_count === 1);
  const told = await until(
    async () => stats(),
    ({ converter }) => converter.count === 3,
  );
  expect(told).toMatchObject({
    jobs: { completed: 1, failed: 1 },
    retries: 1,
    // Two exports of 445 seconds and 2000 bytes, of 10 GiB each.
    exporter: {
      count: 2,
      failed: 0,
      mean_seconds: 445,
      p50_seconds: 445,
      p99_seconds: 445,
      bytes_downloaded: 4000,
      capacity_bytes: 20 * 1024 ** 3,
    },
    converter: { count: 3, failed: 2, mean_seconds: 272, p50_seconds: 272, booted: 1, proof_failed: 2 },
    failures: [{ code: 'PROOF_FAILED', count: 2 }],
  });
  expect(told.exporter.bytes_per_second).toBeCloseTo(4000 / 890);
  expect(told.days).toEqual([{ day: today(), completed: 1, failed: 1, bytes_downloaded: 4000 }]);
});

it('knows percentiles and days, and takes nothing from before the time that is asked for', async () => {
  // Ten a day over 300 days; the n-th export took n seconds.
  const at = `now() - interval '1 hour' - (n - 1) / 10 * interval '1 day'`;
  await copyJobs(stack.db, completed, 3000, `jsonb_build_object('created_at', ${at}, 'completed_at', ${at})`);
  await stack.db.query(
    `INSERT INTO job_attempts (job_id, activity, attempt, worker, started_at, ended_at, outcome, duration_seconds)
     SELECT id, activity, 1, 'w', completed_at, completed_at, 'completed', right(id, 5)::int
     FROM jobs, unnest('{export,conversion}'::text[]) AS activity WHERE id LIKE 'job-copy%'`,
  );
  await stack.db.query('ANALYZE');
  const { exporter, days, jobs } = await stats();
  expect(exporter.count).toBe(302);
  // Of 1 to 300 and two of 445.
  expect(exporter.p50_seconds).toBe(151.5);
  expect(exporter.p99_seconds).toBeCloseTo(298.99);
  expect(jobs['completed']).toBe(301);
  expect(days.reduce((sum, day) => sum + day.completed, 0)).toBe(301);
  expect(days.length).toBeGreaterThanOrEqual(30);
  expect(days.map(({ day }) => day)).toEqual(days.map(({ day }) => day).toSorted());
  expect((await stats('0000-01-01T00:00:00Z')).jobs['completed']).toBe(3001);
  expect((await stats('9999-12-31T23:59:59+00:00')).jobs).toEqual({});
  expect(await client.refused(client.send('GET', '/api/v1/stats?since=yesterday'))).toMatchObject({
    code: 'BAD_REQUEST',
  });
  for (const [sql, index] of [
    [`SELECT outcome FROM job_attempts WHERE ended_at >= now() - interval '30 days'`, 'idx_job_attempts_ended_at'],
    [`SELECT status FROM jobs WHERE completed_at >= now() - interval '30 days'`, 'idx_jobs_completed_at'],
  ]) {
    const { rows } = await stack.db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`);
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain(index);
  }
});
