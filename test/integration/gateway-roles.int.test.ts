import { ROLES, type Role } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNotifier } from './gateway-notifier.js';
import { startStack, type Gateway, type Stack } from './gateway-stack.js';

/** Who may ask what: yes, or how the others are refused. A route that has no line here fails the test. */
const MATRIX = `
  endpoint                                 | no token | viewer | operator | admin
  GET /health                              | yes      | yes    | yes      | yes
  GET /health/live                         | yes      | yes    | yes      | yes
  GET /health/ready                        | yes      | yes    | yes      | yes
  GET /status                              | 401      | yes    | yes      | yes
  GET /metrics                             | 401      | yes    | yes      | yes
  GET /openapi.json                        | yes      | yes    | yes      | yes
  POST /api/v1/convert                     | 401      | 403    | yes      | yes
  POST /api/v1/export                      | 401      | 403    | yes      | yes
  POST /api/v1/inspect                     | 401      | 403    | yes      | yes
  POST /api/v1/inventory/vms               | 401      | 403    | yes      | yes
  GET /api/v1/jobs                         | 401      | yes    | yes      | yes
  POST /api/v1/jobs/retry                  | 401      | 403    | yes      | yes
  GET /api/v1/jobs/{id}                    | 401      | yes    | yes      | yes
  PATCH /api/v1/jobs/{id}                  | 401      | 403    | yes      | yes
  DELETE /api/v1/jobs/{id}                 | 401      | 403    | yes      | yes
  POST /api/v1/jobs/{id}/convert           | 401      | 403    | yes      | yes
  POST /api/v1/jobs/{id}/retry             | 401      | 403    | yes      | yes
  POST /api/v1/jobs/{id}/verify            | 401      | 403    | yes      | yes
  GET /api/v1/jobs/{id}/verify             | 401      | yes    | yes      | yes
  POST /api/v1/jobs/{id}/import            | 401      | 403    | yes      | yes
  GET /api/v1/jobs/{id}/logs               | 401      | yes    | yes      | yes
  GET /api/v1/jobs/{id}/events             | 401      | yes    | yes      | yes
  GET /api/v1/jobs/{id}/attempts           | 401      | yes    | yes      | yes
  GET /api/v1/jobs/{id}/timeline           | 401      | yes    | yes      | yes
  GET /api/v1/batches                      | 401      | yes    | yes      | yes
  POST /api/v1/batches                     | 401      | 403    | yes      | yes
  GET /api/v1/batches/{id}                 | 401      | yes    | yes      | yes
  PATCH /api/v1/batches/{id}               | 401      | 403    | yes      | yes
  DELETE /api/v1/batches/{id}              | 401      | 403    | yes      | yes
  POST /api/v1/batches/{id}/resume         | 401      | 403    | yes      | yes
  GET /api/v1/batches/{id}/report          | 401      | yes    | yes      | yes
  GET /api/v1/workers                      | 401      | yes    | yes      | yes
  GET /api/v1/workers/{id}                 | 401      | yes    | yes      | yes
  PATCH /api/v1/workers/{id}               | 401      | 403    | yes      | yes
  POST /api/v1/workers/{id}/pause          | 401      | 403    | yes      | yes
  POST /api/v1/workers/{id}/resume         | 401      | 403    | yes      | yes
  POST /api/v1/workers/{id}/drain          | 401      | 403    | yes      | yes
  GET /api/v1/notifications                | 401      | yes    | yes      | yes
  POST /api/v1/notifications/test          | 401      | 403    | yes      | yes
  GET /api/v1/stats                        | 401      | yes    | yes      | yes
  GET /api/v1/dead-letters                 | 401      | yes    | yes      | yes
  GET /api/v1/dead-letters/{id}            | 401      | yes    | yes      | yes
  POST /api/v1/dead-letters/{id}/resend    | 401      | 403    | yes      | yes
  DELETE /api/v1/dead-letters/{id}         | 401      | 403    | 403      | yes
  GET /api/v1/retention                    | 401      | yes    | yes      | yes
  POST /api/v1/retention/run               | 401      | 403    | 403      | yes
  GET /api/v1/vcenters                     | 401      | yes    | yes      | yes
  POST /api/v1/vcenters                    | 401      | 403    | 403      | yes
  GET /api/v1/vcenters/{name}              | 401      | yes    | yes      | yes
  PUT /api/v1/vcenters/{name}              | 401      | 403    | 403      | yes
  DELETE /api/v1/vcenters/{name}           | 401      | 403    | 403      | yes
  POST /api/v1/vcenters/{name}/test        | 401      | 403    | yes      | yes
  POST /api/v1/secrets/rotate              | 401      | 403    | 403      | yes
  GET /api/v1/whoami                       | 401      | yes    | yes      | yes
  GET /api/v1/tokens                       | 401      | 403    | 403      | yes
  POST /api/v1/tokens                      | 401      | 403    | 403      | yes
  DELETE /api/v1/tokens/{name}             | 401      | 403    | 403      | yes
  GET /api/v1/audit                        | 401      | 403    | 403      | yes
`;

const TOKEN = 'a-token-for-this-test-only';
const CALLERS = ['no token', ...ROLES] as const;
type Caller = (typeof CALLERS)[number];
type Row = Record<Caller | 'endpoint', string>;

const [head = [], ...lines] = MATRIX.trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()));
const rows = lines.map((cells) => Object.fromEntries(cells.map((cell, index) => [head[index], cell])) as Row);

let stack: Stack;
let gateway: Gateway;
const tokens = new Map<Caller, string>();

beforeAll(async () => {
  stack = await startStack();
  gateway = await stack.gateway({
    gateway: {
      api: { auth: { enabled: true, token: TOKEN }, rate_limit: { writes_per_minute: 0, failed_logins_per_minute: 0 } },
    },
  });
  for (const role of ROLES) tokens.set(role, await tokenOf(role));
});
afterAll(async () => {
  await stack?.stop();
});

async function tokenOf(role: Role): Promise<string> {
  const response = await fetch(`${gateway.url}/api/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: `the-${role}`, role }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { token: string }).token;
}

/** Nothing of these names is there, so nothing is changed. */
function sample(path: string): string {
  const id = path.includes('/batches/') ? 'batch-000000000000' : 'job-000000000000';
  return path
    .replace(/(workers|dead-letters)\/\{id\}/, '$1/nobody')
    .replace('{id}', id)
    .replace('{name}', 'nobody');
}

/** `yes` for any answer that is no refusal of the caller. */
async function ask(endpoint: string, caller: Caller): Promise<string> {
  const [method = '', path = ''] = endpoint.split(' ');
  const token = tokens.get(caller);
  const response = await fetch(gateway.url + sample(path), {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
    },
    ...(method === 'GET' ? {} : { body: '{}' }),
  });
  const text = await response.text();
  if (response.status !== 401 && response.status !== 403) {
    // Another answer than `no such address`, which would tell nothing.
    expect(text, endpoint).not.toContain('no such address');
    return 'yes';
  }
  const { code } = JSON.parse(text) as { code: string };
  expect(code).toBe(response.status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN');
  return String(response.status);
}

it('has a line for each route', async () => {
  const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as { paths: Record<string, object> };
  const endpoints = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(rows.map((row) => row.endpoint).toSorted()).toEqual(endpoints.toSorted());
});

it('lets everybody do what the matrix says, and nobody more', async () => {
  const found: Row[] = [];
  for (const { endpoint } of rows) {
    const cells: [string, string][] = [];
    for (const caller of CALLERS) cells.push([caller, await ask(endpoint, caller)]);
    found.push({ endpoint, ...Object.fromEntries(cells) } as Row);
  }
  expect(found).toEqual(rows);
});

const headStatus = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
  (await fetch(gateway.url + path, { method: 'HEAD', headers })).status;

it('lets HEAD do no more than GET', async () => {
  const viewer = { authorization: `Bearer ${tokens.get('viewer')}` };
  expect(await headStatus('/api/v1/tokens')).toBe(401);
  expect(await headStatus('/api/v1/tokens', viewer)).toBe(403);
  expect(await headStatus('/api/v1/jobs', viewer)).toBe(200);
});

it('asks a notifier for its state and for tests, and says how to start one where there is none', async () => {
  const call = async (body?: object): Promise<Record<string, unknown> & { status: number }> => {
    const response = await fetch(`${gateway.url}/api/v1/notifications${body === undefined ? '' : '/test'}`, {
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return { ...((await response.json()) as Record<string, unknown>), status: response.status };
  };
  const none = { status: 503, code: 'NO_WORKER', detail: 'no notifier is running' };
  expect(await call()).toMatchObject({ ...none, advice: expect.stringContaining('hyperctl daemon start') as string });
  expect(await call({})).toMatchObject(none);

  const secret = 'https://chat.example.com/hooks/geheim';
  const stop = await startNotifier(stack.nats.servers);
  try {
    expect(await call()).toMatchObject({ status: 200, rules: [{ name: 'failures' }] });
    expect(await call({ channel: 'slack', to: secret })).toMatchObject({ results: [{ delivered: true }] });
    expect(await call({ to: 'ops@example.com' })).toMatchObject({
      status: 400,
      detail: expect.stringContaining('to: needs channel') as string,
    });
    expect(await call({ channel: 'webhook', to: 'http://169.254.169.254/' })).toMatchObject({ status: 400 });
  } finally {
    await stop();
  }
  const audit = await fetch(`${gateway.url}/api/v1/audit?action=testNotifications`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const text = await audit.text();
  expect(text).not.toContain('geheim');
  expect(JSON.parse(text)).toMatchObject({
    entries: expect.arrayContaining([
      expect.objectContaining({
        status: 200,
        request: expect.stringContaining('https://chat.example.com/[') as string,
      }),
    ]) as unknown[],
  });
});
