import { AuditList, Problem, TokenCreated, TokenList, type AuditEntry } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

const TOKEN = 'a-token-for-this-test-only';
const SECRET = 'Wh0-kn0ws-this/pass word';
const config = {
  gateway: { api: { auth: { enabled: true, token: TOKEN }, rate_limit: { failed_logins_per_minute: 0 } } },
};
let stack: Stack;
let gateway: Gateway;
let second: Gateway;
let stopWorkers: () => Promise<void>;

beforeAll(async () => {
  stack = await startStack();
  [gateway, second, stopWorkers] = await Promise.all([
    stack.gateway(config),
    stack.gateway(config),
    startWorkers(stack.nats.servers),
  ]);
});
afterAll(async () => {
  await stopWorkers?.();
  await stack?.stop();
});

interface Asked {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly at?: Gateway;
  readonly headers?: Record<string, string>;
}

const ask = (method: string, path: string, { token = TOKEN, body, at = gateway, headers }: Asked = {}) =>
  fetch(at.url + path, {
    method,
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

async function make(name: string, role: string, more: object = {}): Promise<TokenCreated> {
  const response = await ask('POST', '/api/v1/tokens', { body: { name, role, ...more } });
  expect(response.status).toBe(201);
  return TokenCreated.parse(await response.json());
}

async function problem(answer: Promise<Response>): Promise<Problem> {
  const response = await answer;
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return Problem.parse(await response.json());
}

async function audit(query = ''): Promise<AuditEntry[]> {
  return AuditList.parse(await (await ask('GET', `/api/v1/audit?${query}`)).json()).entries;
}

const convert = (vm: string) => ({
  vm_name: vm,
  vcenter: { server: 'vc.example.com', username: 'u', password: SECRET },
  options: { callback_url: `https://hooks.example.com/x?token=${encodeURIComponent(SECRET)}` },
});

it('makes a token that is told once and kept as its hash, and revokes it everywhere at once', async () => {
  const { token, ...rest } = await make('ci@build.example', 'operator', { expires_in_days: 30 });
  expect(token).toMatch(/^h2k_[\w-]{43}$/);
  expect(rest).toMatchObject({ name: 'ci@build.example', role: 'operator', created_by: 'config', last_used_at: null });
  expect(Date.parse(rest.expires_at ?? '') - Date.parse(rest.created_at ?? '')).toBe(30 * 86_400_000);

  for (const at of [gateway, second])
    expect(await (await ask('GET', '/api/v1/whoami', { token, at })).json()).toEqual({
      name: 'ci@build.example',
      role: 'operator',
      expires_at: rest.expires_at,
    });
  const mine = async () =>
    TokenList.parse(await (await ask('GET', '/api/v1/tokens')).json()).tokens.find(({ name }) => name === rest.name);
  await until(mine, (info) => info?.last_used_at !== null);
  const { rows } = await stack.db.query<{ row: string }>('SELECT tokens::text AS row FROM tokens');
  expect(rows).toHaveLength(1);
  expect(rows[0]?.row).not.toContain(token.slice(4));

  expect((await ask('DELETE', `/api/v1/tokens/${rest.name}`)).status).toBe(200);
  for (const at of [second, gateway])
    expect(await problem(ask('GET', '/api/v1/whoami', { token, at }))).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect((await problem(ask('DELETE', `/api/v1/tokens/${rest.name}`))).code).toBe('NOT_FOUND');
});

it('ends what follows with a token soon after the token', async () => {
  const { token } = await make('follower', 'viewer');
  // Rests in exported, so that the log does not end by itself.
  const accepted = await ask('POST', '/api/v1/export', { body: convert('followed') });
  const { job_id: id } = (await accepted.json()) as { job_id: string };
  const stream = await ask('GET', `/api/v1/jobs/${id}/logs?follow=true`, { token });
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  await ask('DELETE', '/api/v1/tokens/follower');
  await expect(stream.text()).rejects.toThrow();
});

it('knows when a token expired, and which names are taken', async () => {
  const { token } = await make('short', 'viewer', { expires_in_days: 1 });
  await stack.db.query("UPDATE tokens SET expires_at = now() - interval '1 second' WHERE name = 'short'");
  expect((await ask('GET', '/api/v1/whoami', { token })).status).toBe(401);
  for (const name of ['short', 'config', 'local', 'socket', 'unknown'])
    expect(await problem(ask('POST', '/api/v1/tokens', { body: { name, role: 'viewer' } }))).toMatchObject({
      code: 'CONFLICT',
      status: 409,
    });
  expect(await problem(ask('DELETE', '/api/v1/tokens/config'))).toMatchObject({ code: 'CONFLICT' });
  const tokens = TokenList.parse(await (await ask('GET', '/api/v1/tokens')).json()).tokens;
  expect(tokens.map(({ name, role }) => `${name} ${role}`)).toEqual(['config admin', 'short viewer']);
});

it('lets a token revoke itself, the last admin too', async () => {
  const { token } = await make('boss', 'admin');
  expect((await ask('DELETE', '/api/v1/tokens/boss', { token })).status).toBe(200);
  expect((await ask('GET', '/api/v1/whoami', { token })).status).toBe(401);
});

it('names the role that is needed', async () => {
  const { token } = await make('looker', 'viewer');
  expect(await problem(ask('POST', '/api/v1/convert', { token, body: {} }))).toMatchObject({
    code: 'FORBIDDEN',
    detail: 'This needs the role operator; looker is viewer.',
  });
});

it('has a row of each change, done or refused, without any secret', async () => {
  await stack.db.query('TRUNCATE audit');
  const { token } = await make('auditor', 'operator');
  const done = await ask('POST', '/api/v1/convert', { token, body: convert('audited') });
  const { job_id: id } = (await done.json()) as { job_id: string };
  await ask('POST', '/api/v1/convert', { token, body: convert('audited') });
  await ask('POST', '/api/v1/convert', { token, body: { vm_name: 'x', vcenter: { pasword: SECRET } } });
  await ask('POST', '/api/v1/convert', { token, body: `{"vm_name": "${SECRET}` });
  await ask('POST', '/api/v1/convert', { token, body: { vm_name: SECRET.repeat(60_000) } });
  await ask('POST', '/api/v1/tokens', { token, body: { name: 'mine', role: 'admin' } });
  await ask('DELETE', '/api/v1/jobs/job-0000000000%00', { token });
  await ask('POST', '/api/v1/jobs//retry', { token, body: {}, headers: { 'idempotency-key': 'empty' } });
  await ask('POST', '/api/v1/convert', { token: SECRET.replaceAll(/\W/g, ''), body: convert('no') });
  await ask('GET', '/api/v1/jobs', { token: 'h2k_wrong' });
  await ask('GET', '/api/v1/jobs', { token: '' });
  await ask('GET', '/api/v1/jobs', { token });
  await ask('POST', '/api/v1/inventory/vms', { token, body: {} });
  await ask('POST', '/api/v1/nowhere', { token, body: {} });

  const entries = (await audit()).toReversed();
  expect(entries.map(({ caller, action, status, code }) => [caller, action, status, code])).toEqual([
    ['config', 'createToken', 201, null],
    ['auditor', 'convert', 202, null],
    ['auditor', 'convert', 409, 'VM_BUSY'],
    ['auditor', 'convert', 400, 'BAD_REQUEST'],
    ['auditor', 'convert', 400, 'BAD_REQUEST'],
    ['auditor', 'convert', 413, 'BAD_REQUEST'],
    ['auditor', 'createToken', 403, 'FORBIDDEN'],
    ['auditor', 'cancel', 400, 'BAD_REQUEST'],
    ['auditor', 'retry', 404, 'NOT_FOUND'],
    ['unknown', 'login', 401, 'UNAUTHENTICATED'],
    ['unknown', 'login', 401, 'UNAUTHENTICATED'],
  ]);
  const [made, converted, , unfit] = entries;
  expect(made).toMatchObject({ role: 'admin', target: 'auditor', method: 'POST', address: '127.0.0.1' });
  expect(converted).toMatchObject({ role: 'operator', target: id, path: '/api/v1/convert' });
  expect(JSON.parse(converted?.request ?? '')).toEqual({
    vm_name: 'audited',
    vcenter: { server: 'vc.example.com', username: 'u', password: '[redacted]' },
    options: { callback_url: 'https://hooks.example.com/[redacted]' },
  });
  // Whoever may see the job is not told what its receiver's address holds.
  const shown = await (await ask('GET', `/api/v1/jobs/${id}`)).json();
  expect(shown).toMatchObject({ callback_url: 'https://hooks.example.com/[redacted]' });
  expect(JSON.parse(unfit?.request ?? '')).toEqual({ fields: ['vm_name', 'vcenter'] });
  const { rowCount } = await stack.db.query("SELECT 1 FROM idempotency_keys WHERE key = 'empty'");
  expect(rowCount).toBe(0);
  const { rows } = await stack.db.query<{ row: string }>('SELECT audit::text AS row FROM audit');
  const all = rows.map(({ row }) => row).join('\n');
  for (const secret of [SECRET, encodeURIComponent(SECRET), token, TOKEN]) expect(all).not.toContain(secret);
});

it('tells the audit in pages, and by who, what and when', async () => {
  const all = await audit('limit=500');
  const pages: AuditEntry[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const response = await ask('GET', `/api/v1/audit?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
    const page = AuditList.parse(await response.json());
    pages.push(...page.entries);
    cursor = page.next_cursor;
  }
  expect(pages).toEqual(all);
  expect(all.length).toBeGreaterThan(6);
  const of = (entry: (one: AuditEntry) => boolean): string[] => all.filter(entry).map(({ id }) => id);
  const ids = async (query: string): Promise<string[]> => (await audit(query)).map(({ id }) => id);
  expect(await ids('caller=config')).toEqual(of(({ caller }) => caller === 'config'));
  expect(await ids('action=login')).toEqual(of(({ action }) => action === 'login'));
  expect(await ids('target=auditor')).toEqual(of(({ target }) => target === 'auditor'));
  const middle = all[3]?.time ?? '';
  expect(await ids(`since=${middle}`)).toEqual(of(({ time }) => time >= middle));
  expect(await ids(`until=${middle}`)).toEqual(of(({ time }) => time < middle));
  expect(await ids('since=0000-01-01T00:00:00Z&until=9999-12-31T23:59:59-23:59')).toEqual(of(() => true).slice(0, 50));
  for (const query of ['cursor=x', 'limit=0', 'caller=a%00', 'since=today', 'what=x'])
    expect(await problem(ask('GET', `/api/v1/audit?${query}`)), query).toMatchObject({ code: 'BAD_REQUEST' });
});

it('does nothing that the audit cannot take', async () => {
  await stack.db.query('ALTER TABLE audit RENAME TO audit_away');
  try {
    const answer = await problem(ask('POST', '/api/v1/tokens', { body: { name: 'unseen', role: 'admin' } }));
    expect(answer.status).toBe(500);
  } finally {
    await stack.db.query('ALTER TABLE audit_away RENAME TO audit');
  }
  const { rowCount } = await stack.db.query("SELECT 1 FROM tokens WHERE name = 'unseen'");
  expect(rowCount).toBe(0);
});
