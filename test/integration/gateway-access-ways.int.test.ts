import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as overHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as overTls } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AuditList, Problem } from '@hyper2kvm/contracts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startStack, type Gateway, type Stack } from './gateway-stack.js';

const TOKEN = 'a-token-for-this-test-only';
const auth = { enabled: true, token: TOKEN };
let stack: Stack;
let folder: string;
/** The one that most tests ask. */
let plain: string;
/** One that a test started for itself. */
let gateway: Gateway | undefined;

beforeAll(async () => {
  [stack, folder] = await Promise.all([startStack(), mkdtemp(path.join(tmpdir(), 'h2k-ways-'))]);
  plain = (await stack.gateway({ gateway: { api: { auth } } })).url;
});
afterEach(async () => {
  await gateway?.kill('SIGTERM');
});
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly socketPath?: string;
  readonly ca?: Buffer;
}

/** Not `fetch`: that takes no socket, and no other name of the host. */
async function ask(url: string, { method = 'GET', headers = {}, body, socketPath, ca }: Asked = {}): Promise<Answer> {
  const address = new URL(url);
  const json =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const options = {
    method,
    headers: { ...json, ...headers },
    agent: false as const,
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(ca === undefined ? {} : { ca }),
  };
  const request = address.protocol === 'https:' ? overTls(address, options) : overHttp(address, options);
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, body: text };
}

const problem = (answer: Answer): Problem => {
  expect(answer.headers['content-type']).toContain('application/problem+json');
  const parsed = Problem.parse(JSON.parse(answer.body));
  expect(parsed.status).toBe(answer.status);
  return parsed;
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const start = async (section: object): Promise<string> => {
  gateway = await stack.gateway({ gateway: section });
  return gateway.url;
};

it('sends headers that leave a browser nothing to do, with refusals too', async () => {
  for (const [where, status] of [
    ['/health', 200],
    ['/api/v1/jobs', 401],
    ['/nowhere', 404],
    ['/api/v1/jobs/%zz', 400],
  ] as const) {
    const { headers, ...answer } = await ask(plain + where);
    expect(answer.status).toBe(status);
    expect(headers).toMatchObject({
      // The router's own refusals are all the same text.
      ...(status === 400 ? {} : { 'content-security-policy': "default-src 'none';frame-ancestors 'none'" }),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(headers['strict-transport-security']).toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
  }
  expect((await ask(`${plain}/api/v1/jobs`)).headers['www-authenticate']).toBe('Bearer realm="hyper2kvm"');
});

it('refuses what is too large, no JSON, or no address, as a problem', async () => {
  const url = plain;
  const post = (where: string, asked: Asked): Promise<Answer> =>
    ask(url + where, { method: 'POST', ...asked, headers: { ...bearer(TOKEN), ...asked.headers } });
  const large = JSON.stringify({ vm_name: 'x'.repeat(1024 * 1024) });
  expect(problem(await post('/api/v1/convert', { body: large }))).toMatchObject({ status: 413, code: 'BAD_REQUEST' });
  // A plan of thousands of VMs may be larger.
  expect(problem(await post('/api/v1/batches', { body: large }))).toMatchObject({ status: 400 });
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])
    expect(
      problem(await post('/api/v1/convert', { body: 'vm_name=x', headers: { 'content-type': type } })),
    ).toMatchObject({ status: 415 });
  expect(problem(await post('/api/v1/convert', { body: '{"vm_name"' })).status).toBe(400);
  expect(problem(await post('/api/v1/convert', { body: '{"__proto__": {}}' })).status).toBe(400);
  expect(problem(await ask(`${url}/api/v1/jobs/%zz`, { headers: bearer(TOKEN) })).status).toBe(400);
  expect(problem(await ask(`${url}/api/v1/jobs/${'x'.repeat(2000)}`, { headers: bearer(TOKEN) })).status).toBe(414);
  expect(problem(await ask(`${url}/api/v1/jobs/${'x'.repeat(500)}`, { headers: bearer(TOKEN) })).status).toBe(400);
});

it('limits changes by caller and failed logins by address, and lets those in who were in before', async () => {
  const url = await start({ api: { auth, rate_limit: { writes_per_minute: 4, failed_logins_per_minute: 3 } } });
  const made = await ask(`${url}/api/v1/tokens`, {
    method: 'POST',
    headers: bearer(TOKEN),
    body: JSON.stringify({ name: 'limited', role: 'operator' }),
  });
  const { token } = JSON.parse(made.body) as { token: string };
  const write = (by: string): Promise<Answer> =>
    ask(`${url}/api/v1/jobs/job-000000000000`, { method: 'DELETE', headers: bearer(by) });
  for (let count = 0; count < 4; count++) expect((await write(token)).status).toBe(404);
  for (let count = 0; count < 3; count++) {
    const refused = await write(token);
    expect(problem(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
  }
  // A question to a vCenter brings a password that may be a guess.
  for (const path of ['inspect', 'inventory/vms', 'vcenters/prod/test'])
    expect((await ask(`${url}/api/v1/${path}`, { method: 'POST', headers: bearer(token) })).status).toBe(429);
  // Other questions are free, and others have limits of their own.
  expect((await ask(`${url}/api/v1/jobs`, { headers: bearer(token) })).status).toBe(200);
  expect((await write(TOKEN)).status).toBe(404);

  const guess = (): Promise<Answer> => ask(`${url}/api/v1/whoami`, { headers: bearer('wrong') });
  for (let count = 0; count < 3; count++) expect((await guess()).status).toBe(401);
  for (let count = 0; count < 3; count++) {
    const refused = await guess();
    expect(problem(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  }
  expect((await ask(`${url}/api/v1/whoami`, { headers: bearer(token) })).status).toBe(200);
  expect((await ask(`${url}/api/v1/whoami`)).status).toBe(401);
  // Who was not here before waits, also with a right token: a guess could be right.
  await stack.db.query("INSERT INTO tokens SELECT 'new', role, $1, created_by, created_at FROM tokens", [
    createHash('sha256').update('right').digest('hex'),
  ]);
  expect((await ask(`${url}/api/v1/whoami`, { headers: bearer('right') })).status).toBe(429);

  // Of a flood the audit has the first.
  const { entries } = AuditList.parse(
    JSON.parse((await ask(`${url}/api/v1/audit?limit=500`, { headers: bearer(TOKEN) })).body),
  );
  const floods = entries.filter(({ status }) => status === 429).map(({ action, caller }) => `${action} ${caller}`);
  expect(floods.toSorted()).toEqual(['cancel limited', 'login unknown']);
});

async function addressInAudit(url: string): Promise<string | null | undefined> {
  const headers = { ...bearer(TOKEN), 'x-forwarded-for': '10.9.9.9, 192.0.2.7' };
  await ask(`${url}/api/v1/jobs/job-000000000000`, { method: 'DELETE', headers });
  const { body } = await ask(`${url}/api/v1/audit?limit=1`, { headers: bearer(TOKEN) });
  return AuditList.parse(JSON.parse(body)).entries[0]?.address;
}

it('believes the proxy in front alone where a caller comes from, and nobody without one', async () => {
  expect(await addressInAudit(plain)).toBe('127.0.0.1');
  expect(await addressInAudit(await start({ api: { auth }, behind_proxy: true }))).toBe('192.0.2.7');
});

it('lets no page of another site use a gateway that demands no token', async () => {
  const url = await start({});
  const { host } = new URL(url);
  const status = async (headers: Record<string, string>): Promise<number | undefined> =>
    (await ask(`${url}/api/v1/whoami`, { headers })).status;
  expect(await status({})).toBe(200);
  expect(await status({ host: host.replace('127.0.0.1', 'localhost') })).toBe(200);
  expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await status({ origin: 'https://evil.example.com' })).toBe(403);
  expect(await status({ origin: 'null' })).toBe(403);
  expect(await status({ host: 'rebound.example.com:8080' })).toBe(403);
  expect(JSON.parse((await ask(`${url}/api/v1/whoami`)).body)).toEqual({
    name: 'local',
    role: 'admin',
    expires_at: null,
  });
});

it('listens on a unix socket, whose permission is the login', async () => {
  const socketPath = path.join(folder, 'run', 'gateway.sock');
  const { stdout } = await promisify(execFile)('id', ['-gn']);
  const section = { api: { auth }, socket: socketPath, socket_group: stdout.trim() };
  const url = await start(section);
  expect((await stat(path.dirname(socketPath))).mode & 0o7777).toBe(0o750);
  // To connect is to write.
  expect((await stat(socketPath)).mode & 0o7777).toBe(0o660);
  expect((await stat(socketPath)).isSocket()).toBe(true);
  const whoami = async (headers: Record<string, string> = {}): Promise<unknown> => {
    const { status, body } = await ask('http://gateway/api/v1/whoami', { socketPath, headers });
    return status === 200 ? (JSON.parse(body) as unknown) : status;
  };
  expect(await whoami()).toEqual({ name: 'socket', role: 'admin', expires_at: null });
  expect(await whoami(bearer(TOKEN))).toMatchObject({ name: 'config' });
  expect(await whoami(bearer('wrong'))).toBe(401);
  // A proxy before the socket speaks for anybody.
  expect(await whoami({ 'x-forwarded-for': '192.0.2.7' })).toBe(401);
  expect((await ask(`${url}/api/v1/whoami`)).status).toBe(401);
  await ask('http://gateway/api/v1/jobs/job-000000000000', { method: 'DELETE', socketPath });
  const audit = await ask('http://gateway/api/v1/audit?limit=1', { socketPath });
  expect(AuditList.parse(JSON.parse(audit.body)).entries[0]).toMatchObject({ caller: 'socket', address: null });

  // Another gateway does not take it away; a killed one's file is in nobody's way.
  await expect(stack.gateway({ gateway: section })).rejects.toThrow('another process listens');
  await gateway?.kill('SIGKILL');
  expect((await stat(socketPath)).isSocket()).toBe(true);
  await start({ api: { auth: { enabled: true } }, socket: socketPath });
  expect(await whoami()).toMatchObject({ name: 'socket' });
  await gateway?.kill('SIGTERM');
  await expect(stat(socketPath)).rejects.toThrow('ENOENT');
});

it('leaves alone what is no socket, and wants a group that is there', async () => {
  const file = path.join(folder, 'precious');
  await writeFile(file, 'precious');
  await expect(stack.gateway({ gateway: { socket: file } })).rejects.toThrow('is no socket');
  expect(await readFile(file, 'utf8')).toBe('precious');
  const socket = path.join(folder, 'no-group.sock');
  await expect(stack.gateway({ gateway: { socket, socket_group: 'nobody-knows-it' } })).rejects.toThrow(
    'there is no group nobody-knows-it',
  );
});

it('speaks TLS with its certificate, and tells browsers to stay with it', async () => {
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  await promisify(execFile)(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost
      -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(/\s+/),
  );
  const url = (await start({ api: { auth }, tls: { cert_file: cert, key_file: key } })).replace('http:', 'https:');
  const ca = await readFile(cert);
  const answer = await ask(`${url}/api/v1/whoami`, { ca, headers: bearer(TOKEN) });
  expect(answer.status).toBe(200);
  expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d{8}/);
  await expect(ask(url.replace('https:', 'http:'))).rejects.toThrow();
});
