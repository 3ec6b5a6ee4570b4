// hyperctl's tokens, vCenter connections, keys and audit against a real gateway; the exporter is a stand-in.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AuditList, TokenCreated } from '@hyper2kvm/contracts';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';
import { HYPERCTL, hyperctl } from './cli-standin.js';

const FIRST = 'a-token-for-this-test-only';
const PASSWORD = 'a pass$word of the test';
let stack: Stack;
let gateway: Gateway;
let folder: string;
let socket: string;
let stopWorkers: () => Promise<void>;

const privilege = (name: string, required: boolean, held: boolean): object => ({
  privilege: name,
  needed_for: `what ${name} is for`,
  required,
  held,
});
let privileges = [privilege('VApp.Export', true, true), privilege('VirtualMachine.Interact.PowerOff', false, false)];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-cli-access-'));
  socket = path.join(folder, 'gateway.sock');
  stack = await startStack();
  gateway = await stack.gateway({ gateway: { socket, api: { auth: { enabled: true, token: FIRST } } } });
  stopWorkers = await startWorkers(
    stack.nats.servers,
    { checking: () => ({ product: 'vCenter Server 8.0.2', api_version: '8.0.2.0', privileges }) as never },
    ['exporter'],
  );
});
afterAll(async () => {
  await stopWorkers?.();
  await stack?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const run = (args: readonly string[], env: Record<string, string> = {}): ReturnType<typeof hyperctl> =>
  hyperctl(args, { HYPER2KVM_URL: gateway.url, HYPER2KVM_TOKEN: FIRST, ...env }, { cwd: folder });

it('makes tokens that are shown once, with a role, and revokes them', async () => {
  const made = await run(['token', 'create', 'ann', '--role', 'viewer', '--expires', '90d']);
  expect(made.exitCode, String(made.stderr)).toBe(0);
  const [token = ''] = /h2k_[\w-]+/.exec(String(made.stdout)) ?? [];
  expect(made.stdout).toMatch(/^Token of ann \(viewer; expires: .*in (89|90) d/);
  expect(made.stdout).toContain('hyperctl token revoke ann');
  const list = String((await run(['token', 'list'])).stdout);
  expect(list).toMatch(/^ann +viewer +\d{4}-\d\d-\d\d +never/m);
  expect(list).not.toContain(token);

  const denied = await run(['cancel', '--job', 'job-000000'], { HYPER2KVM_TOKEN: token });
  expect([denied.exitCode, denied.stderr]).toEqual([5, expect.stringMatching(/FORBIDDEN/)]);
  expect((await run(['list'], { HYPER2KVM_TOKEN: token })).exitCode).toBe(0);
  expect((await run(['token', 'revoke', 'ann'])).stdout).toBe('Token ann (viewer) is revoked.');
  const gone = await run(['list'], { HYPER2KVM_TOKEN: token });
  expect([gone.exitCode, gone.stderr]).toEqual([5, expect.stringContaining('UNAUTHENTICATED')]);
  expect((await run(['token', 'revoke', 'ann'])).exitCode).toBe(4);

  const quiet = await run(['token', 'create', 'ci', '--role', 'operator', '--quiet']);
  expect(quiet.stdout).toMatch(/^h2k_[\w-]+$/);
  expect(
    TokenCreated.parse(JSON.parse(String((await run(['token', 'create', 'bot', '--role', 'admin', '--json'])).stdout)))
      .role,
  ).toBe('admin');
  const twice = await run(['token', 'create', 'ci', '--role', 'viewer']);
  expect([twice.exitCode, twice.stderr]).toEqual([1, expect.stringContaining('CONFLICT')]);
  expect((await run(['token', 'create', 'no/name', '--role', 'viewer'])).exitCode).toBe(2);
});

it('goes through the unix socket, by flag, environment and configuration', async () => {
  for (const url of [`unix:${socket}`, `unix://${socket}`]) {
    const listed = await run(['token', 'list', '--url', url], { HYPER2KVM_TOKEN: '' });
    expect(listed.exitCode, String(listed.stderr)).toBe(0);
  }
  expect((await run(['list'], { HYPER2KVM_URL: `unix:${socket}`, HYPER2KVM_TOKEN: '' })).exitCode).toBe(0);
  const config = path.join(folder, 'hyper2kvm');
  await execa('mkdir', ['-p', config]);
  await writeFile(path.join(config, 'config.yaml'), `daemons: { go: { url: "unix:${socket}" } }\n`);
  const env = { HYPER2KVM_URL: '', HYPER2KVM_TOKEN: '', XDG_CONFIG_HOME: folder };
  expect((await run(['list'], env)).exitCode).toBe(0);
  const none = await run(['list', '--url', `unix:${folder}/none.sock`]);
  expect([none.exitCode, none.stderr]).toEqual([
    3,
    expect.stringMatching(/none\.sock cannot be reached[\s\S]*there is no such socket/),
  ]);
  for (const url of ['unix:relative.sock', 'ftp://x', 'nowhere'])
    expect((await run(['list', '--url', url])).exitCode, url).toBe(2);
});

it('stores vCenter connections, with a password that nobody else may read', async () => {
  const file = path.join(folder, 'prod.pw');
  await writeFile(file, `${PASSWORD}\n`, { mode: 0o644 });
  await chmod(file, 0o644);
  const add = ['vcenter', 'add', 'prod', '--vcenter', 'vc.example.com', '--username', 'automation@vsphere.local'];
  const open = await run([...add, '--password-file', file]);
  expect([open.exitCode, open.stderr]).toEqual([2, expect.stringContaining(`chmod 600 ${file}`)]);
  const without = await run(add);
  expect([without.exitCode, without.stderr]).toEqual([2, expect.stringContaining('a password is needed')]);
  await chmod(file, 0o600);
  const added = await run([...add, '--password-file', file]);
  expect([added.exitCode, added.stdout]).toEqual([0, expect.stringContaining('hyperctl vcenter test prod')]);
  const list = await run(['vcenter', 'list']);
  expect(list.stdout).toMatch(/^prod +vc\.example\.com +automation@vsphere\.local .*stored$/m);

  const fine = await run(['vcenter', 'test', 'prod']);
  expect([fine.exitCode, fine.stdout]).toEqual([
    0,
    expect.stringMatching(/Logged in: vCenter Server 8\.0\.2[\s\S]*PowerOff/),
  ]);
  privileges = [...privileges, privilege('VirtualMachine.State.CreateSnapshot', true, false)];
  const lacks = await run(['vcenter', 'test', 'prod']);
  expect([lacks.exitCode, lacks.stdout]).toEqual([
    1,
    expect.stringContaining('❌ VirtualMachine.State.CreateSnapshot: what'),
  ]);
  const quiet = await run(['vcenter', 'test', 'prod', '--quiet']);
  expect([quiet.exitCode, quiet.stderr]).toEqual([1, expect.stringContaining('VirtualMachine.State.CreateSnapshot')]);

  const updated = await run(['vcenter', 'update', 'prod', '--username', 'other@vsphere.local', '--datacenter', 'DC1']);
  expect([updated.exitCode, updated.stdout]).toEqual([0, 'Changed prod: other@vsphere.local at vc.example.com']);
  const renewed = await run(['vcenter', 'update', 'prod', '--password'], { VSPHERE_PASSWORD: 'new' });
  expect(renewed.exitCode, String(renewed.stderr)).toBe(0);
  expect(JSON.parse(String((await run(['vcenter', 'list', '--json'])).stdout))).toMatchObject({
    vcenters: [{ name: 'prod', username: 'other@vsphere.local', datacenter: 'DC1' }],
  });
  expect((await run(['vcenter', 'update', 'prod'])).exitCode).toBe(2);

  const rotated = await run(['secrets', 'rotate']);
  expect([rotated.exitCode, rotated.stdout]).toEqual([
    0,
    expect.stringMatching(/^Sealed anew with key \S+: \d vCenter/),
  ]);
  expect((await run(['vcenter', 'remove', 'prod'])).stdout).toBe('Removed prod.');
  expect((await run(['vcenter', 'test', 'prod'])).exitCode).toBe(4);
});

it('asks for a password on a terminal without showing it', async () => {
  const args = ['vcenter', 'add', 'lab', '--vcenter', 'lab.example.com', '--username', 'root'];
  const line = [process.execPath, HYPERCTL, ...args].map((word) => `'${word}'`).join(' ');
  const terminal = execa('script', ['-qec', line, '/dev/null'], {
    extendEnv: false,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      TERM: 'xterm',
      HYPER2KVM_HOME: '/nonexistent/stack',
      HYPER2KVM_URL: gateway.url,
      HYPER2KVM_TOKEN: FIRST,
    },
    timeout: 60_000,
  });
  let shown = '';
  terminal.stdout.on('data', (chunk: Buffer) => {
    if (!shown.includes('Password of') && `${shown}${chunk.toString()}`.includes('Password of'))
      setTimeout(() => terminal.stdin.write(`${PASSWORD}\r`), 300);
    shown += chunk.toString();
  });
  const { stdout } = await terminal;
  expect(stdout).toContain('Password of root at lab.example.com:');
  expect(stdout).toContain('Stored lab: root at lab.example.com');
  expect(stdout).not.toContain(PASSWORD);
});

it('tells who asked for what', async () => {
  const table = String((await run(['audit', '--since', '1h'])).stdout);
  expect(table).toMatch(/^\S+Z +config +createToken +ann +201/m);
  expect(table).toMatch(/^\S+Z +ann +cancel +job-000000 +403 FORBIDDEN +viewer/m);
  const entries = JSON.parse(
    String((await run(['audit', '--action', 'addVcenter', '--limit', '1', '--json'])).stdout),
  ) as object;
  const [newest] = AuditList.parse({ ...entries, next_cursor: null }).entries;
  expect(newest).toMatchObject({ action: 'addVcenter', target: 'lab', status: 201 });
  expect(JSON.stringify(newest)).not.toContain(PASSWORD);
  expect((await run(['audit', '--caller', 'nobody'])).stdout).toBe('Nothing.');
});
