import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ERRORS } from '@hyper2kvm/contracts';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../support/ports.js';
import { hyperctl, json, StandIn, until } from './site/index.js';

interface Checked {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly found: string;
  readonly why: string | null;
  readonly fix: readonly string[];
}
interface Report {
  readonly ok: boolean;
  readonly checks: readonly Checked[];
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-doctor-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The configuration of the site's services, changed. */
async function config(name: string, change: Record<string, unknown> = {}, mode = 0o600): Promise<string> {
  const site = inject('site');
  const file = path.join(folder, name);
  const [host, port] = site.smtp.split(':');
  const tree = {
    nats: { servers: site.nats },
    secrets: { key: Buffer.alloc(32, 'k').toString('base64') },
    gateway: { database: { url: site.database } },
    exporter: { work_dir: path.join(folder, 'export'), min_free_bytes: 0 },
    converter: { work_dir: path.join(folder, 'work'), output_dir: path.join(folder, 'output') },
    notifier: { smtp: { host, port: Number(port) } },
    ...change,
  };
  await writeFile(file, JSON.stringify(tree));
  await chmod(file, mode);
  return file;
}

async function doctor(file: string, only: string, ...more: string[]): Promise<Report & { exitCode: number }> {
  const ran = await hyperctl(['doctor', '--services-config', file, '--only', only, '--json', ...more]);
  expect(ran.stderr).toBe('');
  return { exitCode: ran.exitCode, ...(JSON.parse(ran.stdout) as Report) };
}
const one = ({ checks }: Report, id: string): Checked | undefined => checks.find((check) => check.id === id);

describe('hyperctl doctor', () => {
  it('finds everything well where it is', async () => {
    const file = await config('fine.yaml');
    const only =
      'node,qemu,guestfish,config,gateway,workers,nats,postgres,smtp,notifications,space,permissions,vcenter';
    const ran = await hyperctl(['doctor', '--services-config', file, '--only', only]);
    expect(ran.exitCode, ran.stdout).toBe(0);
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toContain(`The services of ${file}`);
    expect(ran.stdout).toMatch(/✅ Node\.js +v20|✅ Node\.js +v2[2-9]/);
    expect(ran.stdout).toMatch(/✅ NATS +\d+\.\d+\.\d+ at 127\.0\.0\.1:\d+, JetStream .*streams/);
    expect(ran.stdout).toMatch(/✅ PostgreSQL +18\.\d+ at 127\.0\.0\.1:\d+/);
    expect(ran.stdout).toMatch(/✅ Exporter and converter +1 exporter, 1 converter/);
    expect(ran.stdout).toMatch(/✅ Mail server/);
    expect(ran.stdout).toMatch(/✅ Notifications +email \(1 target\), slack \(1 target\), webhook \(2 targets\)/);
    expect(ran.stdout).toMatch(/✅ 127\.0\.0\.1:\d+ +API [\d.]+, its certificate is trusted/);
    expect(ran.stdout).not.toContain('❌');
  });

  it('says what is wrong with a server, and what to do', async () => {
    const port = await freePort();
    const refused = await config('refused.yaml', {
      nats: { servers: [`127.0.0.1:${port}`] },
      gateway: { database: { url: inject('site').database.replace(/:[^:@]*@/, ':wrong-canary@') } },
      notifier: { smtp: { host: '127.0.0.1', port } },
    });
    const found = await doctor(refused, 'nats,postgres,smtp,permissions');
    expect(found).toMatchObject({ exitCode: 1, ok: false });
    expect(one(found, 'nats')).toMatchObject({ status: 'failed', why: expect.stringContaining('refused') as string });
    expect(one(found, 'postgres')?.why).toContain('password authentication failed');
    expect(one(found, 'smtp')?.why).toContain('nothing listens there');
    expect(JSON.stringify(found)).not.toContain('canary');
    for (const { fix } of found.checks.filter(({ status }) => status === 'failed')) expect(fix).not.toEqual([]);
  });

  it('sees a NATS server without JetStream', async () => {
    const port = await freePort();
    const server = execa('nats-server', ['-a', '127.0.0.1', '-p', String(port)], {
      reject: false,
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    });
    try {
      const file = await config('plain-nats.yaml', { nats: { servers: [`127.0.0.1:${port}`] } });
      const found = await until(
        () => doctor(file, 'nats'),
        (report) => !(one(report, 'nats')?.why ?? '').includes('nothing listens'),
      );
      expect(one(found, 'nats')).toMatchObject({
        status: 'failed',
        why: expect.stringContaining('not enabled') as string,
      });
      expect(one(found, 'nats')?.fix.join('\n')).toContain('jetstream {');
    } finally {
      server.kill('SIGKILL');
      await server;
    }
  });

  it('reads the configuration as the services do', async () => {
    const unknown = await doctor(await config('unknown.yaml', { convertor: {} }), 'config');
    expect(one(unknown, 'config')?.why).toContain('convertor: unknown section');
    const open = await doctor(await config('open.yaml', {}, 0o644), 'config');
    expect(one(open, 'config')).toMatchObject({
      status: 'failed',
      fix: [expect.stringContaining(`chmod 640 ${path.join(folder, 'open.yaml')}`)],
    });
    const key = path.join(folder, 'key');
    await writeFile(key, 'x', { mode: 0o644 });
    const file = await config('key.yaml', { secrets: { key_file: key } });
    expect(one(await doctor(file, 'permissions'), 'permissions')?.fix).toEqual([`chmod 600 ${key}`]);
    const missing = await hyperctl(['doctor', '--services-config', path.join(folder, 'none.yaml'), '--only', 'config']);
    expect(missing.exitCode).toBe(1);
    expect(missing.stdout).toMatch(/none\.yaml cannot be read/);
  });

  it("goes on where hyperctl's own file cannot be read", async () => {
    const broken = path.join(folder, 'broken.yaml');
    await writeFile(broken, 'daemons: [\n');
    const ran = await hyperctl(['doctor', '--only', 'settings,gateway'], { HYPERCTL_CONFIG: broken });
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout).toMatch(/❌ hyperctl's settings +.*broken\.yaml\n +why: .*broken\.yaml:\d+:\d+/);
    expect(ran.stdout).toMatch(/✅ Gateway/);
  });

  it('does not trust a certificate that nobody vouches for, and gives its fingerprint', async () => {
    const { vcenter } = inject('site');
    const file = await config('vcenter.yaml');
    const ran = await hyperctl(['doctor', '--services-config', file, '--only', 'vcenter'], { VSPHERE_CA_FILE: '' });
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout).toContain(`--thumbprint ${vcenter.thumbprint.toUpperCase()}`);
    const pinned = { VSPHERE_CA_FILE: '', VSPHERE_THUMBPRINT: vcenter.thumbprint };
    const fine = await hyperctl(['doctor', '--services-config', file, '--only', 'vcenter'], pinned);
    expect(fine.stdout).toContain('is trusted (pinned)');
    const away = await hyperctl(['doctor', '--only', 'vcenter', '--vcenter', `127.0.0.1:${await freePort()}`]);
    expect(away.stdout).toContain('nothing listens there');
  });

  it('tells that nobody is told, which is no fault', async () => {
    const channels = ['email', 'slack', 'webhook'].map((channel) => ({
      channel,
      configured: false,
      targets: [],
      held: 0,
      waiting: 0,
    }));
    let answer: readonly [number, object] = [200, { channels, rules: [], quiet_hours: null, quiet_until: null }];
    const standIn = await new StandIn((_path, _request, response) => json(response, ...answer)).start();
    const look = () =>
      hyperctl(['doctor', '--only', 'notifications'], { HYPER2KVM_URL: standIn.url }).then(({ exitCode, stdout }) => {
        expect(exitCode).toBe(0);
        return stdout;
      });
    try {
      expect(await look()).toMatch(/· +Notifications +a notifier runs; no channel.*\n +fix: +.*notifier\.smtp\.host/);
      const { status, title, advice } = ERRORS.NO_WORKER;
      answer = [status, { type: 'x', title, status, detail: 'no notifier is running', code: 'NO_WORKER', advice }];
      expect(await look()).toMatch(
        /· +Notifications +no notifier is running.*\n +fix: +hyperctl daemon start notifier/,
      );
    } finally {
      await standIn.stop();
    }
  });

  it('names the packages of programs that are missing', async () => {
    const file = await config('programs.yaml');
    const ran = await hyperctl(['doctor', '--services-config', file, '--only', 'qemu,guestfish'], { PATH: folder });
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout).toContain('qemu-system-x86_64, qemu-img, qemu-nbd: not installed');
    expect(ran.stdout).toMatch(/fix: .*(apt-get install -y|dnf install -y|zypper install -y|install the packages)/);
  });

  it('looks at the gateway alone where nothing else is here', async () => {
    const ran = await hyperctl(['doctor', '--quick', '--json']);
    const { checks } = JSON.parse(ran.stdout) as Report;
    expect(new Set(checks.map(({ id }) => id))).toEqual(
      new Set(['node', 'settings', 'config', 'gateway', 'workers', 'vcenter']),
    );
    expect(ran.exitCode).toBe(0);
    const gone = await hyperctl(['doctor', '--only', 'gateway'], {
      HYPER2KVM_URL: `http://127.0.0.1:${await freePort()}`,
    });
    expect(gone.exitCode).toBe(1);
    expect(gone.stdout).toContain('cannot be reached');
    const typo = await hyperctl(['doctor', '--only', 'postgers']);
    expect(typo).toMatchObject({ exitCode: 2, stdout: '' });
    expect(typo.stderr).toContain('did you mean "postgres"?');
  });

  it('launches libguestfs for real', async () => {
    const found = await doctor(await config('launch.yaml'), 'kvm,libguestfs');
    expect(one(found, 'libguestfs')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('launched in') as string,
    });
    expect(['ok', 'warning']).toContain(one(found, 'kvm')?.status);
  });
});
