import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HYPERCTL } from '../../integration/cli-standin.js';
import { startStack, type Stack } from '../../integration/gateway-stack.js';
import { freePort } from '../../support/ports.js';
import { bootSystemd, whyNoSystemd, type Systemd } from '../../support/systemd/index.js';

// The real systemd with the product's own units and real services, in namespaces of its own. Where those cannot be made (not
// root, no cgroups of version 2) it is skipped.
const why = whyNoSystemd();
if (why !== undefined) console.warn(`systemd is not tested: ${why}`);

interface Status {
  readonly manager: string;
  readonly state: string;
  readonly services: readonly {
    name: string;
    state: string;
    health: string;
    pid: number | null;
    uptime_seconds: number | null;
    version: string | null;
    worker: { status: string; slots: number } | null;
  }[];
}

describe.skipIf(why !== undefined)('hyperctl daemon, with systemd', () => {
  let stack: Stack;
  let systemd: Systemd;
  let url: string;
  let folder: string;
  beforeAll(async () => {
    stack = await startStack();
    folder = mkdtempSync('/var/tmp/h2k-units-');
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const section = async (name: string) => ({
      work_dir: path.join(folder, name),
      metrics_listen: `127.0.0.1:${await freePort()}`,
      min_free_bytes: 0,
    });
    const config = {
      nats: { servers: stack.nats.servers },
      secrets: { key: stack.key },
      gateway: { listen: `127.0.0.1:${port}`, database: { url: stack.postgres.url } },
      exporter: await section('exporter'),
      converter: {
        ...(await section('converter')),
        min_free_bytes: undefined,
        output_dir: path.join(folder, 'output'),
      },
      notifier: { metrics_listen: `127.0.0.1:${await freePort()}`, webhook: { secret: 'a secret of this test' } },
    };
    // JSON is YAML.
    systemd = await bootSystemd(JSON.stringify(config));
  });
  afterAll(async () => {
    await systemd?.stop();
    await stack?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const hyperctl = (...args: string[]): ReturnType<Systemd['run']> =>
    systemd.run([process.execPath, HYPERCTL, ...args]);
  const status = async (): Promise<Status> => {
    const { stdout, stderr } = await hyperctl('daemon', 'status', '--json');
    if (stderr !== '') throw new Error(stderr);
    return JSON.parse(stdout) as Status;
  };
  const state = async (name: string) => (await status()).services.find((one) => one.name === name)?.state;

  it('drives the units that are installed', async () => {
    const before = await hyperctl('daemon', 'status');
    expect(before).toMatchObject({ exitCode: 1, stderr: '' });
    expect(before.stdout).toMatch(/^systemd: +stopped/);

    const started = await hyperctl('daemon', 'start', '--all');
    expect(started.exitCode, started.stderr).toBe(0);
    expect(started.stdout).toBe('systemd: Started: gateway, exporter, converter, notifier');
    const units = await systemd.run(['systemctl', 'is-active', 'hyper2kvm-gateway', 'hyper2kvm-converter']);
    expect(units.stdout).toBe('active\nactive');

    const now = await status();
    expect(now).toMatchObject({ manager: 'systemd', state: 'ready' });
    for (const one of now.services) {
      expect(one, one.name).toMatchObject({ state: 'running', health: 'healthy' });
      expect(one.uptime_seconds).toBeLessThan(120);
      if (one.name !== 'notifier') expect(one.version).toMatch(/^\d+\.\d+/);
    }
    expect(now.services.find(({ name }) => name === 'exporter')?.worker).toMatchObject({ status: 'running' });
    expect((await hyperctl('daemon', 'status')).exitCode).toBe(0);
    expect((await hyperctl('daemon', 'start', 'go')).stdout).toBe('systemd: Running already: exporter');
  });

  it('stops and restarts single ones, by the names of the design, too', async () => {
    const stopped = await hyperctl('daemon', 'stop', 'python');
    expect(stopped).toMatchObject({ exitCode: 0, stdout: 'systemd: Stopped: converter' });
    expect(await state('converter')).toBe('stopped');
    expect((await hyperctl('daemon', 'status')).exitCode).toBe(1);
    const pid = (await status()).services.find(({ name }) => name === 'exporter')?.pid;
    expect((await hyperctl('daemon', 'restart', '--daemon', 'hypervisord')).stdout).toBe(
      'systemd: Restarted: exporter',
    );
    const again = (await status()).services.find(({ name }) => name === 'exporter');
    expect(again?.state).toBe('running');
    expect(again?.pid).not.toBe(pid);
    const nats = await hyperctl('daemon', 'stop', 'nats');
    expect(nats).toMatchObject({ exitCode: 1, stdout: '' });
    expect(nats.stderr).toContain('no unit of hyper2kvm for nats');
  });

  it('tells whoever is not root what root would type', async () => {
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const ran = await systemd.run(
      [...nobody, process.execPath, '/opt/hyper2kvm/cli/bin/run.js', 'daemon', 'stop', 'go'],
      // No D-Bus is here, so the folders of units are read.
      { SYSTEMD_UNIT_PATH: '/run/units' },
    );
    expect(ran.exitCode, ran.stderr).toBe(5);
    expect(ran.stderr).toContain('only root may stop units of systemd');
    expect(ran.stderr).toContain('sudo systemctl stop hyper2kvm-exporter.service');
    expect(await state('exporter')).toBe('running');
  });

  it('shows the journal, readable and raw', async () => {
    const logs = await hyperctl('daemon', 'logs', 'gateway', 'exporter', '--since', '10m');
    expect(logs.exitCode, logs.stderr).toBe(0);
    expect(logs.stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} gateway  INFO  ready$/m);
    expect(logs.stdout).toMatch(/exporter INFO {2}ready$/m);
    const raw = await hyperctl('daemon', 'logs', 'gateway', '--tail', '1', '--json');
    expect(JSON.parse(raw.stdout)).toMatchObject({
      service: 'gateway',
      level: 'info',
      time: expect.any(String) as string,
    });
  });

  it('starts what a conversion needs, unless it is not to', async () => {
    await systemd.run(['systemctl', 'stop', 'hyper2kvm-gateway', 'hyper2kvm-converter']);
    const env = { VSPHERE_PASSWORD: 'p' };
    const run = (...more: string[]) =>
      systemd.run(
        [
          process.execPath,
          HYPERCTL,
          'convert',
          '--vm',
          'web',
          '--vcenter',
          '127.0.0.1:1',
          '--username',
          'u',
          '--detach',
          ...more,
        ],
        env,
      );
    const not = await run('--no-start', '--url', url);
    expect(not.exitCode).toBe(3);
    expect(await state('gateway')).toBe('stopped');
    const elsewhere = await run('--url', 'http://127.0.0.1:1');
    expect(elsewhere.exitCode).toBe(3);
    expect(elsewhere.stderr).not.toContain('starting');
    expect(await state('gateway')).toBe('stopped');

    const ran = await run('--url', url);
    expect(ran.stderr).toContain('systemd: starting hyper2kvm-gateway…');
    expect(ran.stderr).toContain('systemd: starting hyper2kvm-converter…');
    // Nobody is at that vCenter: it got as far as the exporter's question.
    expect(ran.stderr).toContain('127.0.0.1:1');
    expect(ran.exitCode).toBe(1);
    expect(await state('converter')).toBe('running');

    await systemd.run(['systemctl', 'stop', 'hyper2kvm-converter']);
    await systemd.run(['systemctl', 'mask', 'hyper2kvm-converter']);
    const masked = await run('--url', url);
    expect(masked.stderr).toContain('Warning: no converter is running (masked; ');
  });
});
