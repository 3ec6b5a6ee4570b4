/** A gateway with workers and with something of everything: jobs in all states, batches, dead letters, tokens, connections. */
import { headers } from 'nats';
import { JobError } from '@hyper2kvm/contracts';
import { createLogger, openBus, type Bus } from '@hyper2kvm/runtime';
import type { Known, Operation } from '../support/openapi/index.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startNotifier } from './gateway-notifier.js';
import { startWorkers } from './gateway-workers.js';

const TOKEN = 'a-token-for-the-contract-run';
const VCENTER = { server: 'vc.example.com', username: 'automation@vsphere.local', password: 'a-password' };
const SLOW_MS = 3_000;
const numbered = (word: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${word}-first${index}`);

type Pools = Map<string, string[]>;

export class ContractWorld {
  readonly token = TOKEN;
  readonly #pools: Pools = new Map();
  readonly #cursors: Pools = new Map();

  private constructor(
    private readonly gateway: Gateway,
    private readonly stack: Stack,
    private readonly bus: Bus,
    private readonly undo: (() => Promise<unknown>)[],
  ) {}

  static async start(): Promise<ContractWorld> {
    const undo: (() => Promise<unknown>)[] = [];
    const stack = await startStack();
    undo.push(async () => stack.stop());
    try {
      const gateway = await stack.gateway({
        gateway: {
          api: {
            auth: { enabled: true, token: TOKEN },
            rate_limit: { writes_per_minute: 0, failed_logins_per_minute: 0 },
          },
          export_limits: { disks_per_host: 1000, disks_per_vcenter: 10_000 },
        },
        vsphere: VCENTER,
        retry_policy: { max_retries: 0 },
        targets: { kvm1: { libvirt_uri: 'qemu+ssh://root@kvm1/system' } },
      });
      undo.push(
        await startWorkers(stack.nats.servers, {
          slots: 8,
          quiet: true,
          describe: ({ vm_name }) => {
            if (vm_name.startsWith('missing')) throw new JobError('VM_NOT_FOUND', `there is no VM ${vm_name}`);
            return machineOf(vm_name);
          },
          exporting: async ({ vm_name }, work) => {
            if (vm_name.startsWith('fail'))
              throw new JobError('EXPORT_CORRUPT', 'the stream ended in the middle of a grain');
            if (vm_name.startsWith('slow'))
              await new Promise<void>((resolve) => {
                const timer = setTimeout(resolve, SLOW_MS);
                work.signal.addEventListener('abort', () => {
                  clearTimeout(timer);
                  resolve();
                });
              });
          },
          vms: () => numbered('ok', 7).map((name) => inventoryVm(name)),
        }),
      );
      undo.push(await startNotifier(stack.nats.servers));
      const opened = await openBus({
        nats: { servers: stack.nats.servers, replicas: 1 },
        service: 'test',
        workerId: 'test',
        logger: createLogger('test', 'error'),
      });
      undo.push(opened.close);
      const world = new ContractWorld(gateway, stack, opened.bus, undo);
      await world.#fill();
      return world;
    } catch (error) {
      for (const step of undo.toReversed()) await step();
      throw error;
    }
  }

  get url(): string {
    return this.gateway.url;
  }

  /** What the gateway logged as errors: what went wrong behind the answers, in its loops and consumers. */
  errors(): string[] {
    return this.gateway
      .log()
      .split('\n')
      .filter((line) => line.includes('"level":"error"'));
  }

  async stop(): Promise<void> {
    for (const step of this.undo.toReversed()) await step();
  }

  pick({ pool, index }: Known): string | undefined {
    const ids = this.#pools.get(pool) ?? this.#cursors.get(pool) ?? [];
    return ids.length === 0 ? undefined : ids[index % ids.length];
  }

  /** Cursors come from answers alone. */
  learn(operation: Operation, status: number, json: unknown): void {
    const { next_cursor: cursor } = (json ?? {}) as { next_cursor?: unknown };
    if (status !== 200 || typeof cursor !== 'string') return;
    const pool = `cursor.${operation.id}`;
    this.#cursors.set(pool, [...(this.#cursors.get(pool) ?? []).slice(-4), cursor]);
  }

  /** What there is by now; and what stands still is set going. */
  async look(): Promise<void> {
    const { rows: jobs } = await this.stack.db.query<{
      id: string;
      status: string;
      resting: boolean;
      verified: boolean;
    }>(
      `SELECT id, status, conversion_status IS NULL AS resting, verification IS NOT NULL AS verified FROM jobs ORDER BY created_at DESC LIMIT 2000`,
    );
    const of = (condition: (job: (typeof jobs)[number]) => boolean): string[] =>
      jobs.filter(condition).map(({ id }) => id);
    const { rows: batches } = await this.stack.db.query<{ id: string; live: boolean; stopped: boolean }>(
      `SELECT id, completed_at IS NULL AND cancelled_at IS NULL AS live,
              stopped_at IS NOT NULL AND completed_at IS NULL AND cancelled_at IS NULL AS stopped
         FROM batches ORDER BY created_at DESC LIMIT 500`,
    );
    const letters = (await this.#ask('GET', '/api/v1/dead-letters?limit=500')) as { dead_letters: { id: string }[] };
    const workers = (await this.#ask('GET', '/api/v1/workers')) as { workers: { worker_id: string; status: string }[] };
    for (const { worker_id, status } of workers.workers)
      if (status !== 'running') await this.#ask('POST', `/api/v1/workers/${worker_id}/resume`);
    const tokens = (await this.#ask('GET', '/api/v1/tokens')) as { tokens: { name: string }[] };
    const vcenters = (await this.#ask('GET', '/api/v1/vcenters')) as { vcenters: { name: string; origin: string }[] };
    const pools: Record<string, string[]> = {
      'job.any': of(() => true),
      'job.failed': of(({ status }) => status === 'failed'),
      'job.live': of(({ status }) => ['pending', 'exporting', 'exported', 'converting'].includes(status)),
      'job.resting': of(({ status, resting }) => status === 'exported' && resting),
      'job.exported': of(({ status }) => status === 'exported' || status === 'completed'),
      'job.completed': of(({ status }) => status === 'completed'),
      'job.verified': of(({ verified }) => verified),
      'batch.any': batches.map(({ id }) => id),
      'batch.live': batches.filter(({ live }) => live).map(({ id }) => id),
      'batch.stopped': batches.filter(({ stopped }) => stopped).map(({ id }) => id),
      worker: workers.workers.map(({ worker_id: id }) => id),
      'dead-letter': letters.dead_letters.map(({ id }) => id),
      token: tokens.tokens.map(({ name }) => name).filter((name) => name !== 'config'),
      connection: vcenters.vcenters.filter(({ origin }) => origin === 'stored').map(({ name }) => name),
    };
    for (const [pool, ids] of Object.entries(pools)) this.#pools.set(pool, ids);
  }

  async #fill(): Promise<void> {
    const batch = async (vms: string[], rest: object = {}): Promise<unknown> =>
      this.#ask('POST', '/api/v1/batches', { vms, ...rest });
    await batch(numbered('ok', 25));
    await batch(numbered('fail', 40));
    await batch(numbered('rest', 40), { options: { auto_convert: false } });
    for (let at = 0; at < 12; at += 1)
      await batch([`fail-stop${at}`, `ok-stop${at}`, `ok-stopped${at}`], { max_parallel: 1, stop_after_failures: 1 });
    // Far away, so that there is always something that waits.
    await batch(numbered('later', 60), { options: { not_before: '2034-01-01T00:00:00Z' } });
    for (let at = 0; at < 8; at += 1)
      await batch(numbered(`waiting${at}`, 2), { options: { not_before: '2034-01-01T00:00:00Z' } });
    for (let at = 0; at < 25; at += 1) {
      await this.#ask('POST', '/api/v1/tokens', { name: `first-${at}`, role: 'viewer' });
      await this.#ask('POST', '/api/v1/vcenters', { name: `site-${at}`, ...VCENTER });
    }
    await until(
      async () => {
        await this.look();
        return ['job.failed', 'job.resting', 'job.completed'].map((pool) => this.#pools.get(pool)?.length ?? 0);
      },
      (counts) => counts.every((count) => count >= 20),
      60_000,
    );
    // Of jobs that can be tried again, and facts that can be told again.
    for (const [at, id] of (this.#pools.get('job.failed') ?? []).entries()) {
      await this.#putAside(`export.requested.normal.any.${id}`, 'export.requested.v1', { job_id: id });
      await this.#putAside(`job.retried.${id}`, 'job.retried.v1', {
        job_id: id,
        vm_name: 'web',
        retry_count: at,
        from: 'export',
      });
    }
  }

  async #putAside(subject: string, type: string, body: object): Promise<void> {
    const hdrs = headers();
    const all = {
      'ce-type': type,
      'ce-id': subject,
      'h2k-dead-reason': 'a test',
      'h2k-dead-source': 'test',
      'h2k-dead-time': new Date().toISOString(),
    };
    for (const [key, value] of Object.entries(all)) hdrs.set(key, value);
    await this.bus.js.publish(`dead.${subject}`, JSON.stringify(body), { headers: hdrs });
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}

const machineOf = (name: string) => ({
  name,
  moref: 'vm-42',
  instance_uuid: `uuid-of-${name}`,
  cpus: 2,
  memory_bytes: 2 * 1024 ** 3,
  firmware: 'bios' as const,
  secure_boot: false,
  disks: [{ index: 1, name: `${name}.vmdk`, capacity_bytes: 8 * 1024 ** 3 }],
  nics: [],
});

const inventoryVm = (name: string) => ({
  moref: 'vm-42',
  name,
  inventory_path: `/DC1/vm/${name}`,
  folder: '/DC1/vm',
  cpus: 2,
  memory_bytes: 2 * 1024 ** 3,
  disks: 1,
  capacity_bytes: 8 * 1024 ** 3,
  template: false,
});
