/** What the services tell a Prometheus: the names and types that are promised, each fact once, and the same truth from every gateway. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { JobError, JOB_STATUSES } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lintMetrics, parseMetrics, valueOf, type Family } from '../support/metrics-text.js';
import { freePort } from '../support/ports.js';
import { Client, Gate } from './gateway-client.js';
import { copyJobs } from './gateway-rows.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';
import { serviceProcesses } from './service-process.js';

type Families = Map<string, Family>;
/** Of the seed, but for the values: each line, and the type that it has to have. */
const SEED = `counter hypervisord_exports_total{status="success"}
counter hypervisord_exports_total{status="failed"}
summary hypervisord_export_duration_seconds{quantile="0.5"}
summary hypervisord_export_duration_seconds{quantile="0.99"}
counter hypervisord_bytes_downloaded_total
gauge hypervisord_queue_depth{priority="high"}
gauge hypervisord_queue_depth{priority="normal"}
gauge hypervisord_queue_depth{priority="low"}
counter hyper2kvm_conversions_total{status="success"}
counter hyper2kvm_conversions_total{status="failed"}
summary hyper2kvm_conversion_duration_seconds{quantile="0.5"}
summary hyper2kvm_conversion_duration_seconds{quantile="0.99"}
gauge hyper2kvm_queue_depth
gauge hyper2kvm_active_conversions`.split('\n');
const DOCS = new URL(import.meta.resolve('@hyper2kvm/contracts')).pathname.replace(/libs\/.*/, 'docs/metrics.md');
/** Of one process, after all that is done here. */
const MOST_SERIES = 1500;
const NAMES = ['web-', 'localhost', '127.0.0.1'];
/** Of jobs, batches, hooks; of anything in hexadecimal digits. */
const ID = /(job|batch|hook)-[0-9a-z]{12}\b|[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{16}/;

let stack: Stack;
let gateways: [Gateway, Gateway];
let client: Client;
let processes: Awaited<ReturnType<typeof serviceProcesses>>;
let stopConverter: () => Promise<void> = async () => {};
const urls: Record<string, string> = {};
const jobs: Record<string, string> = {};
const held = new Gate();

const scrapeText = async (url: string): Promise<string> => {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  return response.text();
};
const scrape = async (url: string): Promise<Families> => parseMetrics(await scrapeText(url));
const ofGateways = (): Promise<Families[]> => Promise.all(gateways.map(({ url }) => scrape(url)));
/** A counter over both gateways. */
const sumOf = (all: readonly Families[], name: string, labels: Record<string, string> = {}): number =>
  all.reduce((sum, families) => sum + (valueOf(families, name, labels) ?? 0), 0);
/** A gauge of shared state, once it is as wanted at both. */
const both = (name: string, labels: Record<string, string>, wanted: number): Promise<unknown> =>
  until(
    async () => (await ofGateways()).map((families) => valueOf(families, name, labels)),
    (values) => values.every((value) => value === wanted),
  );

async function startService(name: string, section: object, more: object = {}): Promise<void> {
  const listen = `127.0.0.1:${await freePort()}`;
  await processes.start(name, {
    nats: { servers: stack.nats.servers },
    secrets: { key: stack.key },
    [name]: { metrics_listen: listen, shutdown_grace_seconds: 0, ...section },
    ...more,
  });
  urls[name] = `http://${listen}`;
}

const local = (file: string): object => ({
  source: { kind: 'disks', disks: [{ path: path.join(processes.folder, file), format: 'raw' }] },
});
const convert = async (vm: string, options: object = {}): Promise<string> =>
  (jobs[vm] = await client.convert(vm, options, local(`${vm}.img`)));

async function startConverter(): Promise<void> {
  const failed = new Set<string>();
  stopConverter = await startWorkers(
    stack.nats.servers,
    {
      quiet: true,
      converting: async ({ vm_name: vm }, work) => {
        if (vm === 'web-hopeless') throw new JobError('GUEST_UNSUPPORTED', 'because of the test');
        if (vm === 'web-held') await held.passed(work.signal);
        if (vm !== 'web-again' || failed.has(vm)) return;
        failed.add(vm);
        throw new JobError('CHILD_FAILED', 'because of the test', { retryable: true });
      },
    },
    ['converter'],
  );
}

beforeAll(async () => {
  [stack, processes] = await Promise.all([startStack(), serviceProcesses()]);
  const section = { retry_policy: { retry_delay: 0.1, max_retries: 1 } };
  gateways = [await stack.gateway(section), await stack.gateway(section)];
  client = new Client(gateways[0]);
  const work = {
    work_dir: path.join(processes.folder, 'export'),
    allowed_roots: [processes.folder],
    min_free_bytes: 0,
  };
  await startService('exporter', work);
  await startService('notifier', {});
  await startConverter();
  for (const vm of ['web-moved', 'web-hopeless', 'web-again', 'web-held', 'web-waits'])
    await writeFile(path.join(processes.folder, `${vm}.img`), Buffer.alloc(4 * 2 ** 20, `${vm} `));
  await client.reaches(await convert('web-moved'), 'completed');
  await client.reaches(await convert('web-hopeless'), 'failed');
  await client.reaches(await convert('web-again'), 'completed');
  await client.reaches(await convert('web-held'), 'converting');
}, 120_000);
afterAll(async () => {
  held.open();
  await stopConverter();
  await processes?.stop();
  await stack?.stop();
});

it('counts each fact once over two gateways, and ages what runs', async () => {
  const running = await until(
    async () =>
      Math.max(
        ...(await ofGateways()).map(
          (all) => valueOf(all, 'hyper2kvm_running_oldest_seconds', { phase: 'conversion' }) ?? 0,
        ),
      ),
    (seconds) => seconds > 0,
  );
  expect(running).toBeLessThan(600);
  await both('hyper2kvm_jobs', { status: 'converting' }, 1);
  expect((await client.send('DELETE', `/api/v1/jobs/${jobs['web-held']}`)).status).toBeLessThan(300);
  await until(ofGateways, (all) => sumOf(all, 'hyper2kvm_jobs_ended_total', { status: 'cancelled' }) === 1);
  // What is written is counted a moment later.
  const counted = (all: readonly Families[]): Record<string, number> =>
    Object.fromEntries(
      [
        'hypervisord_exports_total status=success',
        'hypervisord_exports_total status=failed',
        'hypervisord_export_duration_seconds_count',
        'hyper2kvm_conversions_total status=success',
        'hyper2kvm_conversions_total status=failed',
        'hyper2kvm_conversion_duration_seconds_count',
        'hyper2kvm_phase_duration_seconds_count phase=export status=success',
        'hyper2kvm_phase_duration_seconds_count phase=conversion status=failed',
        'hyper2kvm_jobs_ended_total status=completed',
        'hyper2kvm_jobs_ended_total status=failed',
        'hyper2kvm_failures_total phase=conversion code=GUEST_UNSUPPORTED',
        'hyper2kvm_failures_total phase=conversion code=CHILD_FAILED',
        'hyper2kvm_retries_total phase=conversion code=CHILD_FAILED',
      ].map((line) => {
        const [name = '', ...labels] = line.split(' ');
        return [
          line,
          sumOf(all, name, Object.fromEntries(labels.map((label) => label.split('=') as [string, string]))),
        ];
      }),
    );
  await expect
    .poll(async () => counted(await ofGateways()), { timeout: 20_000 })
    .toEqual({
      'hypervisord_exports_total status=success': 4,
      'hypervisord_exports_total status=failed': 0,
      hypervisord_export_duration_seconds_count: 4,
      'hyper2kvm_conversions_total status=success': 2,
      'hyper2kvm_conversions_total status=failed': 2,
      hyper2kvm_conversion_duration_seconds_count: 2,
      'hyper2kvm_phase_duration_seconds_count phase=export status=success': 4,
      'hyper2kvm_phase_duration_seconds_count phase=conversion status=failed': 2,
      'hyper2kvm_jobs_ended_total status=completed': 2,
      'hyper2kvm_jobs_ended_total status=failed': 1,
      'hyper2kvm_failures_total phase=conversion code=GUEST_UNSUPPORTED': 1,
      'hyper2kvm_failures_total phase=conversion code=CHILD_FAILED': 1,
      'hyper2kvm_retries_total phase=conversion code=CHILD_FAILED': 1,
    });
  const [all, exporter] = await Promise.all([ofGateways(), scrape(urls['exporter'] ?? '')]);
  const bytes = sumOf(all, 'hypervisord_bytes_downloaded_total');
  expect(bytes).toBeGreaterThan(4 * 2 ** 20);
  expect(valueOf(exporter, 'hyper2kvm_transfer_bytes_total', { transport: 'file' })).toBe(bytes);
  expect(valueOf(exporter, 'hyper2kvm_disks_total', { transport: 'file', status: 'success' })).toBe(4);
  expect(
    valueOf(exporter, 'hyper2kvm_handling_duration_seconds_count', { event: 'export.requested', outcome: 'done' }),
  ).toBe(4);
});

it('tells the same queue from every gateway, however many there are, and after one was started again', async () => {
  await stopConverter();
  stopConverter = async () => {};
  await client.reaches(await convert('web-waits', { auto_convert: false, priority: 'low' }), 'exported');
  expect((await client.send('POST', `/api/v1/jobs/${jobs['web-waits']}/convert`, {})).status).toBeLessThan(300);
  await both('hyper2kvm_queue_depth', {}, 1);
  await both('hyper2kvm_waiting_jobs', { phase: 'conversion', priority: 'low' }, 1);
  const worker = (await (await client.send('GET', '/api/v1/workers')).json()) as { workers: { worker_id: string }[] };
  await client.send('POST', `/api/v1/workers/${worker.workers[0]?.worker_id}/pause`);
  await both('hyper2kvm_workers', { service: 'exporter', state: 'paused' }, 1);
  await client.convert('web-waits-too', { priority: 'high' }, local('web-moved.img'));
  await both('hypervisord_queue_depth', { priority: 'high' }, 1);
  await both('hypervisord_queue_depth', { priority: 'normal' }, 0);
  // Those that nobody let out yet wait too.
  const unadmitted = `jsonb_build_object('id', 'job-copyheld', 'vm_name', 'web-unadmitted', 'instance_uuid', NULL,
    'status', 'pending', 'priority', 'normal', 'admitted_at', NULL, 'released_at', NULL, 'completed_at', NULL)`;
  await copyJobs(stack.db, jobs['web-moved'] ?? '', 1, unadmitted);
  await both('hypervisord_queue_depth', { priority: 'normal' }, 1);
  await both('hyper2kvm_waiting_jobs', { phase: 'export', priority: 'normal' }, 1);
  await stack.db.query("DELETE FROM jobs WHERE id = 'job-copyheld'");
  await until(
    async () =>
      (await ofGateways()).map((all) => valueOf(all, 'hyper2kvm_waiting_oldest_seconds', { phase: 'export' }) ?? 0),
    (ages) => ages.every((age) => age > 0 && age < 600),
  );

  await gateways[1].kill('SIGTERM');
  gateways[1] = await stack.gateway();
  await both('hypervisord_queue_depth', { priority: 'high' }, 1);
  const [, again] = await ofGateways();
  expect(valueOf(again ?? new Map(), 'hyper2kvm_jobs_ended_total', { status: 'completed' })).toBe(0);
  expect(valueOf(again ?? new Map(), 'hyper2kvm_jobs', { status: 'completed' })).toBe(2);
});

it('counts what a vCenter refuses, requests by their routes, and snapshots that nobody removed', async () => {
  const vcenter = { server: `127.0.0.1:${await freePort()}`, username: 'u', password: 'p' };
  expect((await client.send('POST', '/api/v1/convert', { vm_name: 'nowhere', vcenter })).status).toBeGreaterThan(499);
  const exporter = await scrape(urls['exporter'] ?? '');
  expect(valueOf(exporter, 'hyper2kvm_vcenter_errors_total', { code: 'VCENTER_UNREACHABLE' })).toBe(1);
  expect((await client.send('GET', `/api/v1/${jobs['web-moved']}/nothing`)).status).toBe(404);
  const [first = new Map<string, Family>()] = await ofGateways();
  const count = (labels: Record<string, string>): number | undefined =>
    valueOf(first, 'hyper2kvm_http_request_duration_seconds_count', { method: 'GET', ...labels });
  expect(count({ route: '/api/v1/jobs/:id', status: '200' })).toBeGreaterThan(3);
  expect(count({ route: 'none', status: '404' })).toBe(1);

  await copyJobs(stack.db, jobs['web-moved'] ?? '', 2, uncleared('queued'));
  // The one that waits for less than an hour may yet go.
  await both('hyper2kvm_snapshots_orphaned', {}, 1);
  await stack.db.query(`UPDATE jobs SET cleanup = '{"status": "failed"}' WHERE id = 'job-copy00001'`);
  await both('hyper2kvm_snapshots_orphaned', {}, 2);
});

describe('all services', () => {
  const texts: Record<string, string> = {};
  const read: Record<string, Families> = {};
  beforeAll(async () => {
    const folders = {
      work_dir: path.join(processes.folder, 'work'),
      output_dir: path.join(processes.folder, 'output'),
    };
    await startService('converter', { ...folders, pools: ['nobody'] });
    urls['gateway'] = gateways[0].url;
    for (const [name, url] of Object.entries(urls)) {
      texts[name] = await scrapeText(url);
      read[name] = parseMetrics(texts[name]);
    }
  });

  it("have the seed's metrics, line by line", () => {
    for (const line of SEED) {
      const [, type, name = '', labels = ''] = /^(\w+) (\w+)(?:\{(.*)\})?$/.exec(line) ?? [];
      const owners = Object.keys(read).filter((service) => read[service]?.has(name));
      expect(owners, name).toEqual([name === 'hyper2kvm_active_conversions' ? 'converter' : 'gateway']);
      const [owner = ''] = owners;
      expect(read[owner]?.get(name)?.type, name).toBe(type);
      const [key, value = ''] = labels.split('=');
      const wanted = key ? { [key]: value.slice(1, -1) } : {};
      expect(valueOf(read[owner] ?? new Map(), name, wanted), line).toBeTypeOf('number');
    }
  });

  it('have nothing that promtool finds fault with', () => {
    expect(Object.keys(texts)).toHaveLength(4);
    for (const [name, text] of Object.entries(texts)) expect(`${name}: ${lintMetrics(text)}`).toBe(`${name}: `);
  });

  it('expose what docs/metrics.md lists, and nothing else', async () => {
    const docs = await readFile(DOCS, 'utf8');
    for (const [service, families] of Object.entries(read)) {
      const documented = new Map([...tableOf(docs, 'Every service'), ...tableOf(docs, service)]);
      const exposed = new Map(
        [...families]
          .filter(([name]) => !/^(process|nodejs)_/.test(name))
          .map(([name, { type, samples }]) => [name, { type, labels: labelsOf(type, samples) }]),
      );
      expect([...exposed.keys()].toSorted(), service).toEqual([...documented.keys()].toSorted());
      for (const [name, { type, labels }] of exposed) {
        expect(type, name).toBe(documented.get(name)?.type);
        if (labels !== undefined) expect(labels, name).toEqual(documented.get(name)?.labels);
      }
    }
  });

  it('have no label that names a job, a VM or a file, and not too many series', () => {
    for (const [service, families] of Object.entries(read)) {
      const samples = [...families.values()].flatMap((family) => family.samples);
      expect(samples.length, service).toBeLessThan(MOST_SERIES);
      const values = new Set(
        samples.flatMap(({ name, labels }) => Object.entries(labels).map(([key, value]) => `${name} ${key} ${value}`)),
      );
      const suspicious = [...values].filter((text) => {
        const [, label = '', ...words] = text.split(' ');
        const value = words.join(' ');
        // What is between slashes there is the routes' own.
        const allowed = label === 'route' ? /[@ ]/ : /[@/ ]/;
        return allowed.test(value) || ID.test(value) || NAMES.some((name) => value.includes(name)) || value.length > 60;
      });
      expect(suspicious, service).toEqual([]);
    }
  });
});

it('answers a scrape whatever is away, without figures that it does not know', async () => {
  await stack.postgres.whileDown(async () => {
    const all = await until(
      () => scrape(gateways[0].url),
      (found) => valueOf(found, 'hyper2kvm_database_up') === 0,
    );
    for (const name of ['hyper2kvm_jobs', 'hypervisord_queue_depth', 'hyper2kvm_outbox_pending'])
      expect(known(all, name), name).toBe(0);
    expect(valueOf(all, 'hyper2kvm_nats_connected')).toBe(1);
    expect(valueOf(all, 'hyper2kvm_dead_letters')).toBe(0);
  });
  await both('hyper2kvm_database_up', {}, 1);
  await stack.nats.kill('SIGKILL');
  try {
    const all = await until(
      () => scrape(gateways[0].url),
      (found) => valueOf(found, 'hyper2kvm_nats_connected') === 0 && known(found, 'hyper2kvm_workers') === 0,
    );
    for (const name of [
      'hyper2kvm_queue_depth',
      'hypervisord_queue_depth',
      'hyper2kvm_stream_messages',
      'hyper2kvm_dead_letters',
    ])
      expect(known(all, name), name).toBe(0);
    expect(known(all, 'hyper2kvm_jobs')).toBe(JOB_STATUSES.length);
    expect(lintMetrics(await scrapeText(gateways[0].url))).toBe('');
  } finally {
    await stack.nats.start();
  }
  await both('hyper2kvm_nats_connected', {}, 1);
  expect(valueOf(await scrape(gateways[0].url), 'hyper2kvm_nats_reconnects_total')).toBeGreaterThan(0);
});

/** How many samples there are. */
const known = (all: Families, name: string): number => all.get(name)?.samples.length ?? 0;

/** A VM of vCenter whose job failed, and whose clean-up is not through. */
const uncleared = (status: string): string => `jsonb_build_object('vm_name', 'left-' || n, 'instance_uuid', NULL,
    'status', 'failed', 'vcenter_server', 'vc.example.com', 'source', '{"kind": "vsphere"}'::jsonb,
    'completed_at', now() - n * interval '40 minutes', 'cleanup', jsonb_build_object('status', '${status}'))`;

interface Documented {
  readonly type: string;
  readonly labels: readonly string[];
}

/** `| `name` | type | `label` `label` | …` of a section. */
function tableOf(docs: string, section: string): [string, Documented][] {
  const heading = `## ${section[0]?.toUpperCase()}${section.slice(1)}\n`;
  const [, after = ''] = docs.split(heading);
  const rows = (after.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` +\| (\w+) +\| ([^|]*)\|/gm);
  return [...rows].map(([, name = '', type = '', labels = '']) => [
    name,
    { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).toSorted() },
  ]);
}

/** Undefined where there is no sample yet that could tell. */
function labelsOf(type: string, samples: Family['samples']): string[] | undefined {
  const [sample] = samples;
  if (sample === undefined) return undefined;
  return Object.keys(sample.labels)
    .filter((label) => !(type === 'histogram' && label === 'le'))
    .toSorted();
}
