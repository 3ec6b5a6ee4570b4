import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createLogger, openBus, setDuty } from '@hyper2kvm/runtime';
import { Health, JobError, Live, Problem, Ready, Status } from '@hyper2kvm/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';
import { serviceProcesses } from './service-process.js';
import { freePort } from '../support/ports.js';

const TOKEN = 'a-token-for-this-test-only';
let stack: Stack;
let gateway: Gateway | undefined;
const at = (path: string, init?: RequestInit): Promise<Response> => fetch(`${gateway?.url}${path}`, init);

beforeAll(async () => {
  stack = await startStack();
});
afterEach(async () => {
  await gateway?.kill('SIGTERM');
});
afterAll(async () => {
  await stack?.stop();
});

it("makes the seed's table with its columns and indexes, once, however many gateways start", async () => {
  const gateways = await Promise.all([stack.gateway(), stack.gateway(), stack.gateway()]);
  for (const one of gateways) await one.kill('SIGTERM');
  const { rows } = await stack.db.query<{ column_name: string; data_type: string }>(
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'jobs'",
  );
  const columns = new Map(rows.map((row) => [row.column_name, row.data_type]));
  const seed = `id vm_name vcenter_server status phase export_started_at export_completed_at export_duration_seconds
    bytes_downloaded conversion_started_at conversion_completed_at conversion_duration_seconds conversion_status
    source_files output_dir created_at updated_at completed_at error retry_count requested_by priority`.split(/\s+/);
  expect(seed.filter((name) => !columns.has(name))).toEqual([]);
  expect(columns.get('created_at')).toBe('timestamp with time zone');
  expect(columns.get('source_files')).toBe('jsonb');
  expect(columns.get('bytes_downloaded')).toBe('bigint');
  const indexes = await stack.db.query<{ indexname: string }>(
    "SELECT indexname FROM pg_indexes WHERE tablename = 'jobs'",
  );
  expect(indexes.rows.map((row) => row.indexname)).toEqual(
    expect.arrayContaining(['idx_jobs_status', 'idx_jobs_created_at', 'idx_jobs_active_vm']),
  );
  const migrations = await stack.db.query<{ name: string }>('SELECT name FROM migrations');
  const names = migrations.rows.map((row) => row.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain('Control1764300000000');
});

it('tells health, status and metrics as they are', async () => {
  gateway = await stack.gateway();
  const alone = await at('/health');
  expect(alone.status).toBe(200);
  expect(Health.parse(await alone.json())).toMatchObject({
    status: 'degraded',
    python_daemon_reachable: false,
    vsphere_connection: 'unknown',
    disk_space_available_gb: null,
    active_jobs: 0,
  });
  const stop = await startWorkers(stack.nats.servers);
  try {
    expect(Health.parse(await (await at('/health')).json())).toMatchObject({
      status: 'healthy',
      python_daemon_reachable: true,
      exporter_reachable: true,
      disk_space_available_gb: 500,
    });
    const status = Status.parse(await (await at('/status')).json());
    expect(status.workers.map((worker) => worker.service).toSorted()).toEqual(['converter', 'exporter', 'gateway']);
    expect(status.jobs['failed']).toBe(0);
    const metrics = await at('/metrics');
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    const text = await metrics.text();
    expect(text).toMatch(/^hypervisord_queue_depth\{priority="high"\} 0$/m);
    expect(text).toMatch(/^hypervisord_exports_total\{status="success"\} 0$/m);
    expect(text).toMatch(/^hyper2kvm_conversions_total\{status="failed"\} 0$/m);
  } finally {
    await stop();
  }
});

describe('with a token demanded', () => {
  it('answers nobody without it, but for /health and /openapi.json', async () => {
    gateway = await stack.gateway({ gateway: { api: { auth: { enabled: true, token: TOKEN } } } });
    for (const path of ['/api/v1/jobs', '/status', '/metrics', '/api/v1/jobs/job-abc123']) {
      for (const authorization of [undefined, 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
        const response = await at(path, authorization === undefined ? {} : { headers: { authorization } });
        expect(response.status).toBe(401);
        expect(Problem.parse(await response.json()).code).toBe('UNAUTHENTICATED');
      }
    }
    for (const path of ['/health', '/health/live', '/health/ready', '/openapi.json'])
      expect((await at(path)).status).toBe(200);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await at('/api/v1/jobs', { headers })).status).toBe(200);
    expect(gateway.log()).not.toContain(TOKEN);
  });

  it('writes into the job who asked for it', async () => {
    gateway = await stack.gateway({ gateway: { api: { auth: { enabled: true, token: TOKEN } } } });
    const stop = await startWorkers(stack.nats.servers);
    try {
      const response = await at('/api/v1/convert', {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ vm_name: 'vm', vcenter: { server: 'vc', username: 'u', password: 'p' } }),
      });
      expect(response.status).toBe(202);
      const { rows } = await stack.db.query('SELECT requested_by FROM jobs');
      expect(rows).toEqual([{ requested_by: 'config' }]);
    } finally {
      await stop();
    }
  });
});

const ends = async (vm: string, body: object, wanted: string): Promise<void> => {
  const response = await at('/api/v1/convert', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ vm_name: vm, vcenter: { server: 'vc', username: 'u', password: 'p' }, ...body }),
  });
  const { job_id: id } = (await response.json()) as { job_id: string };
  await until(
    async () => (await at(`/api/v1/jobs/${id}`)).json() as Promise<{ status: string }>,
    (job) => job.status === wanted,
  );
};

it('goes by conversion.auto_convert where the request says nothing', async () => {
  gateway = await stack.gateway({ conversion: { auto_convert: false } });
  const stop = await startWorkers(stack.nats.servers);
  try {
    await ends('asked', { options: { auto_convert: true } }, 'completed');
    await ends('default', {}, 'exported');
    const { rows } = await stack.db.query("SELECT vm_name FROM jobs WHERE options->>'auto_convert' = 'false'");
    expect(rows).toEqual([{ vm_name: 'default' }]);
  } finally {
    await stop();
  }
});

it('repeats and gives up by the lists of the configuration, and does not start with an entry that it does not know', async () => {
  gateway = await stack.gateway({
    retry_policy: {
      retry_delay: 0.1,
      max_retries: 2,
      retryable_errors: ['VM not found'],
      permanent_errors: ['EXPORT_LEASE'],
    },
  });
  const attempts = new Map<string, number>();
  const stop = await startWorkers(stack.nats.servers, {
    exporting: async ({ vm_name: vm }) => {
      attempts.set(vm, (attempts.get(vm) ?? 0) + 1);
      throw new JobError(vm === 'gone' ? 'VM_NOT_FOUND' : 'EXPORT_LEASE', 'because of the test');
    },
  });
  try {
    await ends('gone', {}, 'failed');
    await ends('lease', {}, 'failed');
    expect(Object.fromEntries(attempts)).toEqual({ gone: 3, lease: 1 });
  } finally {
    await stop();
  }
  await expect(stack.gateway({ retry_policy: { permanent_errors: ['out of coffee'] } })).rejects.toThrow(
    /retry_policy\.permanent_errors.*"out of coffee" is not known.*"vm not found"/s,
  );
});

it('does not start on an address that others reach, without token and TLS', async () => {
  await expect(stack.gateway({ gateway: { listen: '0.0.0.0:0' } })).rejects.toThrow(/gateway\.listen: .*enabled/);
});

/** Names of what is not as it should be, by an answer of /health/ready. */
async function missing(url: string): Promise<string[]> {
  const response = await fetch(`${url}/health/ready`);
  const ready = Ready.parse(await response.json());
  const failed = ready.checks.filter(({ status }) => status === 'failed');
  expect(response.status).toBe(failed.length === 0 ? 200 : 503);
  expect(ready.status).toBe(failed.length === 0 ? 'ready' : 'not ready');
  expect(failed.filter(({ reason }) => (reason ?? '') === '')).toEqual([]);
  return failed.map(({ name }) => name);
}

async function alive(url: string): Promise<Live> {
  const response = await fetch(`${url}/health/live`);
  expect(response.status).toBe(200);
  return Live.parse(await response.json());
}

it('says that NATS is away, where it cannot do without, and is there again with it', async () => {
  const gateway = await stack.gateway();
  const ask = (path: string) => fetch(`${gateway.url}${path}`);
  try {
    expect((await ask('/api/v1/dead-letters')).status).toBe(200);
    expect(await missing(gateway.url)).toEqual([]);
    await stack.nats.kill('SIGKILL');
    expect(await (await ask('/health')).json()).toMatchObject({ status: 'unhealthy', nats: 'failed', database: 'ok' });
    // Not ready, and alive all the same: a restart would mend nothing.
    expect(await missing(gateway.url)).toEqual(['nats']);
    expect(await alive(gateway.url)).toMatchObject({ status: 'alive', service: 'gateway' });
    const away = await ask('/api/v1/dead-letters');
    expect(away.status).toBe(503);
    expect(Problem.parse(await away.json()).detail).toContain('NATS');
    expect((await ask('/api/v1/jobs')).status).toBe(200);
  } finally {
    await stack.nats.start();
  }
  await until(
    async () => (await ask('/api/v1/dead-letters')).status,
    (status) => status === 200,
  );
  await until(
    () => missing(gateway.url),
    (names) => names.length === 0,
  );
  await stack.postgres.whileDown(async () => {
    expect(await missing(gateway.url)).toEqual(['database']);
    await alive(gateway.url);
  });
  await until(
    () => missing(gateway.url),
    (names) => names.length === 0,
  );
  // Put back from the backup of an older version.
  await stack.db.query('UPDATE migrations SET name = name || $1', ['x']);
  expect(await missing(gateway.url)).toEqual(['database']);
  await stack.db.query("UPDATE migrations SET name = rtrim(name, 'x')");
  // An event loop that hangs does not answer.
  process.kill(gateway.pid, 'SIGSTOP');
  try {
    await expect(fetch(`${gateway.url}/health/live`, { signal: AbortSignal.timeout(1000) })).rejects.toThrow();
  } finally {
    process.kill(gateway.pid, 'SIGCONT');
  }
  await alive(gateway.url);
  await gateway.kill('SIGTERM');
});

it('tells of a worker and of the notifier whether they live and can work', async () => {
  const services = await serviceProcesses();
  const folder = path.join(services.folder, 'work');
  const ports = { exporter: await freePort(), notifier: await freePort() };
  const base = { nats: { servers: stack.nats.servers }, secrets: { key: stack.key } };
  try {
    await mkdir(folder);
    await services.start('exporter', {
      ...base,
      exporter: { work_dir: folder, worker_id: 'ex1', metrics_listen: `127.0.0.1:${ports.exporter}` },
    });
    await services.start('notifier', {
      ...base,
      notifier: { metrics_listen: `127.0.0.1:${ports.notifier}` },
    });
    const [exporter, notifier] = [`http://127.0.0.1:${ports.exporter}`, `http://127.0.0.1:${ports.notifier}`];
    for (const url of [exporter, notifier]) {
      await alive(url);
      expect(await missing(url)).toEqual([]);
      expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'healthy', nats: 'ok' });
    }
    const { bus, close } = await openBus({
      nats: { servers: stack.nats.servers, replicas: 1 },
      service: 'test',
      workerId: 'test',
      logger: createLogger('test', 'error'),
    });
    await setDuty(bus, 'exporter', 'ex1', 'draining');
    await until(
      () => missing(exporter),
      (names) => names.join() === 'duty',
    );
    await setDuty(bus, 'exporter', 'ex1', 'running');
    await close();
    await until(
      () => missing(exporter),
      (names) => names.length === 0,
    );
    // Root may write into any folder: one that is none shows it too.
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    expect(await missing(exporter)).toEqual(['work folder']);
    expect(await (await fetch(`${exporter}/health`)).json()).toMatchObject({
      status: 'degraded',
      problems: [`${folder} is no folder`],
    });
    await rm(folder);
    expect(await missing(exporter)).toEqual([]);
    await stack.nats.kill('SIGKILL');
    for (const url of [exporter, notifier]) {
      expect(await missing(url)).toEqual(['nats']);
      await alive(url);
    }
  } finally {
    await stack.nats.start();
    await services.stop();
  }
});
