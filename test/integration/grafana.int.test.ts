/**
 * Every query of every dashboard and rule, asked of a real Prometheus that scrapes real services. The conversions are a
 * stand-in's; a real converter stands by for its metrics.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { assertQueriesReturnData, type AllowedEmpty } from '../support/grafana.js';
import { Mailbox } from '../support/mailbox.js';
import { freePort } from '../support/ports.js';
import { startPrometheus, type Prometheus, type TargetGroup } from '../support/prometheus.js';
import { startVcsim } from '../support/vcsim.js';
import { makeDisk, servedDisk } from './export-setup.js';
import { Client } from './gateway-client.js';
import { startStack, until } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';
import { serviceProcesses } from './service-process.js';

/** No real conversion runs: test/e2e asks these of one that did. */
const WITHOUT_CONVERSIONS: readonly AllowedEmpty[] = [
  { name: 'fleet / Steps of a conversion: p95', why: 'no step has run' },
  { name: 'workers / Programs: p95', why: 'the converter started no program' },
];

const ends: (() => unknown)[] = [];
let prometheus: Prometheus;

beforeAll(async () => {
  const stack = await startStack();
  ends.push(() => stack.stop());
  const mailbox = await Mailbox.open();
  ends.push(() => mailbox.close());
  const services = await serviceProcesses();
  ends.push(() => services.stop());
  const disk = await makeDisk(services.folder, 'disk', 66 * 2 ** 20);
  const vcsim = await startVcsim({
    vms: ['web', 'broken'].map((name) => ({ name, disks: [servedDisk(disk)] })),
  });
  ends.push(() => vcsim.stop());
  const gateway = await stack.gateway({ retry_policy: { max_retries: 0 } });
  const targets: TargetGroup[] = [{ targets: [new URL(gateway.url).host], labels: { service: 'gateway' } }];
  const start = async (service: string, section: object): Promise<void> => {
    const address = `127.0.0.1:${await freePort()}`;
    await services.start(service, {
      nats: { servers: stack.nats.servers },
      secrets: { key: stack.key },
      [service]: { metrics_listen: address, shutdown_grace_seconds: 0, ...section },
    });
    targets.push({ targets: [address], labels: { service } });
  };
  const at = (name: string): string => path.join(services.folder, name);
  await Promise.all([
    start('exporter', { work_dir: at('export'), min_free_bytes: 0 }),
    start('converter', { work_dir: at('conversion'), output_dir: at('output'), pools: ['nobody'] }),
    start('notifier', {
      smtp: { host: '127.0.0.1', port: mailbox.port, from: 'hyper2kvm@example.com', to: ['ops@example.com'] },
      webhook: { secret: randomBytes(24).toString('base64url') },
    }),
  ]);
  ends.push(
    await startWorkers(
      stack.nats.servers,
      {
        quiet: true,
        converting: async ({ vm_name: vm }) => {
          if (vm === 'broken') throw new JobError('CONVERSION_STEP', 'because of the test', { retryable: false });
          return Promise.resolve();
        },
      },
      ['converter'],
    ),
  );
  prometheus = await startPrometheus({ targets });
  ends.push(() => prometheus.stop());
  // What happens before the first scrape is in no rate.
  await prometheus.scraped(2);
  const client = new Client(gateway);
  const vcenter = {
    server: vcsim.host,
    username: vcsim.username,
    password: vcsim.password,
    ca_pem: vcsim.certificate,
  };
  const jobs = await Promise.all(['web', 'broken'].map((vm) => client.convert(vm, {}, { vcenter })));
  await client.reaches(jobs[0] ?? '', 'completed');
  await client.reaches(jobs[1] ?? '', 'failed');
  await until(
    async () => mailbox.mails.length,
    (count) => count >= 2,
  );
  await prometheus.scraped(3);
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

it('each query and each rule names what there is, and returns data', async () => {
  await assertQueriesReturnData(prometheus.url, { allowedEmpty: WITHOUT_CONVERSIONS });
});

const query = async (expression: string): Promise<string[]> =>
  (await prometheus.query(expression)).map(({ value }) => value);

it('a job that failed is told by code, and no gauge of the shared state is counted twice', async () => {
  expect(await query('sum by (phase, code) (hyper2kvm_failures_total) > 0')).toEqual(['1']);
  expect(await query('max by (status) (hyper2kvm_jobs{status=~"completed|failed"})')).toEqual(['1', '1']);
  // The target's label does not take the place of the figure's own.
  expect(await query('hyper2kvm_workers{service="notifier", state="running"}')).toEqual(['1']);
});

it('an expression that is wrong is told, and one that returns nothing', async () => {
  await expect(
    assertQueriesReturnData(prometheus.url, { allowedEmpty: [{ name: 'fleet / Nothing of this name', why: '' }] }),
  ).rejects.toThrow(
    /fleet \/ Nothing of this name: it is allowed to be empty, and there is no such query[^]*fleet \/ Steps of a conversion: p95 A: nothing for/,
  );
});
