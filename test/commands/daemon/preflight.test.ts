import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hyperctl } from '../../integration/cli-standin.js';
import { freePort } from '../../support/ports.js';
import { siteEnv } from '../site/index.js';
import { Home, type Ran } from './home.js';

/** Read whole, holes too: 66 MiB take ten minutes. */
const SLOW = ['--transport', 'datastore', '--bandwidth', '100K'];

const idOf = ({ stdout }: Ran): string => /job-\w+/.exec(stdout)?.[0] ?? '';

// The whole local stack, once, with the simulated vCenter of the site.
describe('the local stack and what runs on it', () => {
  const home = new Home();
  let url: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    // As a start before has left it.
    writeFileSync(home.paths.config, `gateway: { listen: "127.0.0.1:${port}" }\n`, { mode: 0o600 });
    const { HYPER2KVM_URL: _site, ...vcenter } = siteEnv();
    env = vcenter;
  });
  afterAll(() => home.remove());

  const run = (...args: string[]): Promise<Ran> => home.run(args, env);
  const jobStatus = async (id: string): Promise<string> =>
    ((await (await fetch(`${url}/api/v1/jobs/${id}`)).json()) as { status: string }).status;

  it('is started by a conversion, unless that is unwanted or another gateway is named', async () => {
    const not = await run('convert', '--vm', 'daemon-1', '--detach', '--no-start');
    expect(not).toMatchObject({ exitCode: 3, stdout: '' });
    // Its own, also while it is down: what listens on the usual port may be another's.
    expect(not.stderr).toContain(`the gateway at ${url} cannot be reached`);
    const far = await run('convert', '--vm', 'daemon-1', '--detach', '--url', 'http://127.0.0.1:1');
    expect(far.exitCode).toBe(3);
    expect(far.stderr).not.toContain('starting it');

    const converted = await run('convert', '--vm', 'daemon-1', '--detach', ...SLOW);
    expect(converted.exitCode, converted.stderr).toBe(0);
    expect(converted.stderr).toBe(
      `The local stack is not running: starting it…\nThe local stack is ready: gateway ${url}`,
    );
    expect(converted.stdout).toMatch(/^Job ID: job-/);
    const id = idOf(converted);
    await expect.poll(() => jobStatus(id), { timeout: 60_000 }).toBe('exporting');

    // A worker tells every ten seconds what it is at.
    await expect
      .poll(async () => (await run('daemon', 'status')).stdout, { timeout: 60_000 })
      .toMatch(/^exporter +running +healthy +\w+ +\d+\.\d+\S* +1\/\d+ /m);
    const status = await run('daemon', 'status');
    expect(status.exitCode, status.stdout).toBe(0);
    expect(status.stdout).toMatch(/^converter +running +healthy +\w+ +\d+\.\d+\S* +0\/\d+ /m);
    expect(status.stdout).toMatch(/^nats +running +healthy /m);
    // All is there: it says nothing.
    const quietly = await run('export', '--vm', 'daemon-2', '--detach', ...SLOW);
    expect(quietly).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('waits for jobs when a service is stopped; Ctrl-C stops nothing', async () => {
    const stopping = hyperctl(['daemon', 'stop', 'exporter'], { HYPER2KVM_HOME: home.path });
    let said = '';
    (stopping as unknown as { stderr: NodeJS.ReadableStream }).stderr.on(
      'data',
      (data: Buffer) => (said += data.toString()),
    );
    await expect
      .poll(() => said, { timeout: 60_000 })
      .toMatch(/\d jobs? runs?: exporter \d\. Waiting up to 5 min; then/);
    stopping.kill('SIGINT');
    expect((await stopping).exitCode).toBe(130);
    expect(said).toContain('nothing was stopped, and the workers take work again');
    const worker = await run('workers', 'list', '--json');
    expect(JSON.parse(worker.stdout)).toHaveProperty(
      'workers.0',
      expect.objectContaining({ service: 'exporter', status: 'running' }),
    );
  });

  it('hands work back after the limit; it goes on after the next start', async () => {
    const jobs = (await (await fetch(`${url}/api/v1/jobs?status=exporting`)).json()) as { jobs: { job_id: string }[] };
    const id = jobs.jobs[0]?.job_id ?? '';
    const stopped = await run('daemon', 'stop', 'exporter', 'converter', '--timeout', '1');
    expect(stopped.exitCode, stopped.stderr).toBe(0);
    expect(stopped.stdout).toBe('Stopped: exporter, converter');
    expect(stopped.stderr).toContain('1 s are over; handed back: job-');
    expect(stopped.stderr).toContain(id);

    // What was stopped on purpose is not started by the way.
    const without = await run('convert', '--vm', 'daemon-3', '--detach', '--at', '+2h');
    expect(without.stderr).toContain(
      'Warning: no converter is running (stopped on purpose; hyperctl daemon start exporter converter)',
    );

    expect((await run('daemon', 'start', 'go', 'python')).stdout).toBe('Started: exporter, converter');
    await expect
      .poll(async () => JSON.parse((await run('workers', 'list', '--json')).stdout) as unknown, { timeout: 60_000 })
      .toHaveProperty('workers.0.active_jobs', expect.arrayContaining([id]));
    expect(await jobStatus(id)).toBe('exporting');
  });
});
