/** What the benches of the gateway do with it: batches that become jobs, pages of the list, jobs in detail. */
import { availableParallelism, cpus } from 'node:os';
import { connect } from 'nats';
import type { Gateway, Stack } from '../../integration/gateway-stack.js';

const BATCH = 500;
const REQUESTS = 400;

export const VCENTER = { server: 'vc.example.com', username: 'automation@vsphere.local', password: 'a-password' };

/** A line for the figures: on what they were measured. */
export async function describeMachine(stack: Stack): Promise<string> {
  const { rows } = await stack.db.query<{ version: string; fsync: string }>(
    "SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync",
  );
  return `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.versions.node}, PostgreSQL ${rows[0]?.version} (fsync ${rows[0]?.fsync}), JetStream on files`;
}

export async function ask(gateway: Gateway, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(gateway.url + path, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Facts `job.created` in the stream. */
async function told(stack: Stack): Promise<number> {
  const connection = await connect({ servers: stack.nats.servers });
  try {
    const manager = await connection.jetstreamManager();
    const info = await manager.streams.info('FACTS', { subjects_filter: 'job.created.>' });
    return Object.keys(info.state.subjects ?? {}).length;
  } finally {
    await connection.close();
  }
}

/** Jobs a second, from the first request to the last fact in the stream. */
async function create(stack: Stack, gateway: Gateway, count: number): Promise<{ rate: number; accepted: number }> {
  const begin = performance.now();
  for (let made = 0; made < count; made += BATCH) {
    const vms = Array.from({ length: Math.min(BATCH, count - made) }, (_, index) => ({
      vm_name: `vm-${String(made + index).padStart(5, '0')}`,
      options: { tags: [`rack-${index % 40}`] },
    }));
    await ask(gateway, 'POST', '/api/v1/batches', {
      name: `batch ${made / BATCH}`,
      vcenter: VCENTER,
      vms,
      max_parallel: 1,
    });
  }
  const accepted = count / ((performance.now() - begin) / 1000);
  while ((await told(stack)) < count) await new Promise((resolve) => setTimeout(resolve, 100));
  return { rate: count / ((performance.now() - begin) / 1000), accepted };
}

/** As a fleet looks in the middle of its move: most are through, some failed, some run, the rest waits. */
const SPREAD = `
  UPDATE jobs SET updated_at = now(), status = word.status, phase = word.phase,
    completed_at = CASE WHEN word.status IN ('completed', 'failed') THEN now() END,
    export_duration_seconds = 400, conversion_duration_seconds = 60, bytes_downloaded = 10000000000, total_bytes = 40000000000,
    admitted_at = now(), released_at = now()
  FROM (SELECT id AS job, CASE
      WHEN place % 10 < 6 THEN 'completed' WHEN place % 10 = 6 THEN 'failed'
      WHEN place % 200 = 7 THEN 'exporting' WHEN place % 200 = 8 THEN 'converting' ELSE 'pending' END AS status,
    CASE WHEN place % 10 < 6 THEN 'cleanup' WHEN place % 200 = 8 THEN 'conversion' ELSE 'export' END AS phase
    FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS place FROM jobs) AS numbered) AS word
  WHERE word.job = jobs.id AND word.status <> 'pending'`;

export interface Times {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** 50th, 95th and 99th percentile of so many requests, one after the other, in milliseconds. */
async function time(gateway: Gateway, paths: readonly string[]): Promise<Times> {
  const times: number[] = [];
  for (let count = 0; count < REQUESTS; count += 1) {
    const begin = performance.now();
    await ask(gateway, 'GET', paths[count % paths.length] ?? '');
    times.push(performance.now() - begin);
  }
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): number => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

interface Page {
  readonly jobs: readonly { job_id: string; batch_id: string | null }[];
  readonly next_cursor: string | null;
}

export interface Load {
  /** Jobs a second, from the first request to the last fact in the stream, and to the last answer. */
  readonly made: { readonly rate: number; readonly accepted: number };
  readonly waiting: Times;
  readonly list: Times;
  readonly detail: Times;
}

/** So many jobs are made; then details while all of them wait, pages of the list and details of a fleet in the middle of its move. */
export async function runLoad(stack: Stack, gateway: Gateway, count: number): Promise<Load> {
  const made = await create(stack, gateway, count);
  const all = (await ask(gateway, 'GET', '/api/v1/jobs?limit=100')) as Page;
  const waiting = await time(
    gateway,
    all.jobs.map((job) => `/api/v1/jobs/${job.job_id}`),
  );
  await stack.db.query(SPREAD);
  await stack.db.query('ANALYZE jobs');
  const first = (await ask(gateway, 'GET', '/api/v1/jobs')) as Page;
  const second = (await ask(gateway, 'GET', `/api/v1/jobs?cursor=${first.next_cursor}`)) as Page;
  const batch = first.jobs[0]?.batch_id ?? '';
  const list = await time(gateway, [
    '/api/v1/jobs',
    `/api/v1/jobs?cursor=${second.next_cursor}`,
    '/api/v1/jobs?status=failed',
    '/api/v1/jobs?status=exporting,converting',
    '/api/v1/jobs?status=pending',
    '/api/v1/jobs?vm=vm-00042',
    '/api/v1/jobs?tag=rack-7',
    `/api/v1/jobs?batch=${batch}`,
  ]);
  const statuses = ['pending', 'completed', 'failed', 'exporting', 'converting'];
  const pages = await Promise.all(
    statuses.map((status) => ask(gateway, 'GET', `/api/v1/jobs?status=${status}&limit=10`)),
  );
  const ids = (pages as Page[]).flatMap(({ jobs }) => jobs.map((job) => job.job_id));
  const detail = await time(
    gateway,
    ids.map((id) => `/api/v1/jobs/${id}`),
  );
  return { made, waiting, list, detail };
}
