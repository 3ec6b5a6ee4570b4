import { expect, it } from 'vitest';
import { ended, hyperctl, hyperctlJson, startJob } from './site/index.js';

interface Figures {
  readonly jobs: Record<string, number>;
  readonly success_rate: number;
  readonly exporter: { readonly count: number; readonly bytes_downloaded: number; readonly p99_seconds: number };
  readonly queue_depth: Record<string, number>;
  readonly workers: readonly { readonly service: string }[];
}

it('hyperctl stats: outcomes, durations, data, queue and workers', async () => {
  const [fine, broken] = await Promise.all([startJob('stats-1'), startJob('stats-2-broken')]);
  await Promise.all([ended(fine), ended(broken)]);

  const all = await hyperctl(['stats']);
  expect(all).toMatchObject({ exitCode: 0, stderr: '' });
  expect(all.stdout).toMatch(/^Since: +\w{3} \d{4}-\d\d-\d\d/);
  expect(all.stdout).toMatch(/^Success: +[\d.]+ % of \d+ jobs that ended/m);
  expect(all.stdout).toMatch(/^Exporters: +1, at \d+ of \d+ jobs/m);
  expect(all.stdout).toMatch(/^conversion +\d+ +\d+ /m);
  expect(all.stdout).toMatch(/^CONVERSION_STEP +\d+$/m);

  const figures = await hyperctlJson<Figures>(['stats', '--since', '1h']);
  expect(figures.jobs['completed']).toBeGreaterThanOrEqual(1);
  expect(figures.jobs['failed']).toBeGreaterThanOrEqual(1);
  expect(figures.success_rate).toBeGreaterThan(0);
  expect(figures.success_rate).toBeLessThan(1);
  expect(figures.exporter.bytes_downloaded).toBeGreaterThan(0);
  expect(Object.keys(figures.queue_depth)).toEqual(['high', 'normal', 'low']);
  expect(figures.workers.map(({ service }) => service).toSorted()).toEqual(['converter', 'exporter']);
});

it.each([
  ['go', 'exporter', /^Data: /m],
  ['python', 'converter', /^Boot proofs: /m],
  ['exporter', 'exporter', /^Exporters: +1, /m],
  ['converter', 'converter', /^converter-1 +converter +running /m],
])('hyperctl stats --daemon %s is about the %s alone', async (name, service, line) => {
  const one = await hyperctl(['stats', '--daemon', name]);
  expect(one).toMatchObject({ exitCode: 0, stderr: '' });
  expect(one.stdout).toMatch(line);
  const document = await hyperctlJson<{ daemon: string; workers: { service: string }[] }>(['stats', '--daemon', name]);
  expect(document.daemon).toBe(service);
  expect(document.workers.map((worker) => worker.service)).toEqual([service]);
});

it('hyperctl stats --daemon gateway: health, uptime, jobs', async () => {
  const gateway = await hyperctl(['stats', '--daemon', 'gateway']);
  expect(gateway).toMatchObject({ exitCode: 0, stderr: '' });
  expect(gateway.stdout).toMatch(/^Gateway: +healthy, version \S+, up for /);
  expect(gateway.stdout).toMatch(/^Active jobs: +\d+$/m);
});

it('hyperctl stats refuses an unknown daemon and a time that is none', async () => {
  const daemon = await hyperctl(['stats', '--daemon', 'exportr']);
  expect(daemon).toMatchObject({ exitCode: 2, stdout: '' });
  expect(daemon.stderr).toContain('exporter');
  const since = await hyperctl(['stats', '--since', 'yesterday']);
  expect(since).toMatchObject({ exitCode: 2, stdout: '' });
  expect(since.stderr).toContain('--since: "yesterday" is no time');
  expect(await hyperctl(['stats', '--quiet'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});
