import { Problem } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gate } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { machine, startWorkers } from './gateway-workers.js';

const TOKEN = 'a-token-for-this-test-only';
const SECRET = 'Wh0-kn0ws-this';
const config = { gateway: { api: { auth: { enabled: true, token: TOKEN } } } };
let stack: Stack;
let gateway: Gateway;
let stopWorkers: () => Promise<void>;
/** How often a VM was looked at, and what holds the look. */
const looks = new Map<string, number>();
const gates = new Map<string, Gate>();

beforeAll(async () => {
  stack = await startStack();
  [gateway, stopWorkers] = await Promise.all([
    stack.gateway(config),
    startWorkers(stack.nats.servers, {
      describe: async ({ vm_name: name }) => {
        looks.set(name, (looks.get(name) ?? 0) + 1);
        await gates.get(name)?.passed();
        return machine(name);
      },
    }),
  ]);
});
afterAll(async () => {
  for (const gate of gates.values()) gate.open();
  await stopWorkers?.();
  await stack?.stop();
});

interface Asked {
  readonly path?: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly at?: Gateway;
}
const post = (key: string, body: unknown, { path = '/api/v1/export', token = TOKEN, signal, at }: Asked = {}) =>
  fetch((at ?? gateway).url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });

const wish = (vm: string) => ({ vm_name: vm, vcenter: { server: 'vc', username: 'u', password: SECRET } });

async function answer(response: Promise<Response>): Promise<{ status: number; replayed: boolean; body: object }> {
  const got = await response;
  return {
    status: got.status,
    replayed: got.headers.get('idempotent-replayed') === 'true',
    body: (await got.json()) as object,
  };
}
async function problem(response: Promise<Response>): Promise<Problem> {
  return Problem.parse((await answer(response)).body);
}
const keysOf = async (key: string) =>
  (await stack.db.query<{ status: number | null }>('SELECT status FROM idempotency_keys WHERE key = $1', [key])).rows;

it('does a repeated request once, also after the gateway was started again, for each caller by himself', async () => {
  const first = await answer(post('one', wish('alpha')));
  expect(first).toMatchObject({ status: 202, replayed: false, body: { vm_name: 'alpha' } });
  const { vm_name, vcenter } = wish('alpha');
  // The same, in another order.
  expect(await answer(post('one', { vcenter, vm_name }))).toEqual({ ...first, replayed: true });
  await gateway.kill('SIGKILL');
  gateway = await stack.gateway(config);
  expect(await answer(post('one', wish('alpha')))).toEqual({ ...first, replayed: true });
  const { rowCount } = await stack.db.query("SELECT 1 FROM jobs WHERE vm_name = 'alpha'");
  expect(rowCount).toBe(1);

  const made = await answer(post('t', { name: 'other', role: 'operator' }, { path: '/api/v1/tokens' }));
  expect(await answer(post('t', { name: 'other', role: 'operator' }, { path: '/api/v1/tokens' }))).toEqual({
    ...made,
    replayed: true,
  });
  const { token } = made.body as { token: string };
  expect(await answer(post('one', wish('beta'), { token }))).toMatchObject({ status: 202, replayed: false });
  const { rows } = await stack.db.query<{ row: string }>('SELECT idempotency_keys::text AS row FROM idempotency_keys');
  for (const secret of [token, SECRET, 'alpha']) expect(JSON.stringify(rows)).not.toContain(secret);
});

it('refuses a key for another request, and keys that are none', async () => {
  await answer(post('used', wish('gamma')));
  const refused = [post('used', wish('delta')), post('used', wish('gamma'), { path: '/api/v1/convert' })];
  for (const response of refused)
    expect(await problem(response)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', status: 422 });
  for (const key of ['', 'a b', 'ä', 'x'.repeat(256)])
    expect(await problem(post(key, wish('delta'))), key).toMatchObject({ code: 'BAD_REQUEST' });
  expect((await post('x'.repeat(255), wish('epsilon'))).status).toBe(202);
});

it('keeps no refusal: the key may try again', async () => {
  expect((await post('later', { vm_name: 7 })).status).toBe(400);
  expect((await post('later', wish('gamma'))).status).toBe(409);
  expect(await keysOf('later')).toEqual([]);
  expect(await answer(post('later', wish('zeta')))).toMatchObject({ status: 202, replayed: false });
});

it('works on one of two at once', async () => {
  gates.set('eta', new Gate());
  const first = answer(post('both', wish('eta')));
  await until(
    async () => looks.get('eta'),
    (count) => count === 1,
  );
  const second = await post('both', wish('eta'));
  expect(second.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await problem(Promise.resolve(second))).toMatchObject({ code: 'STATE_CONFLICT', status: 409 });
  expect(await problem(post('both', wish('theta')))).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  gates.get('eta')?.open();
  const { status, body } = await first;
  expect(status).toBe(202);
  expect(await answer(post('both', wish('eta')))).toEqual({ status, body, replayed: true });
});

it('keeps the answer for a caller that went away before it came', async () => {
  gates.set('iota', new Gate());
  const leaving = new AbortController();
  const gone = expect(post('away', wish('iota'), { signal: leaving.signal })).rejects.toThrow();
  await until(
    async () => looks.get('iota'),
    (count) => count === 1,
  );
  leaving.abort();
  await gone;
  gates.get('iota')?.open();
  await until(
    async () => keysOf('away'),
    ([row]) => row?.status === 202,
  );
  expect(await answer(post('away', wish('iota')))).toMatchObject({ replayed: true, body: { vm_name: 'iota' } });
});

it('takes over, after a minute, what a killed gateway left in work', async () => {
  gates.set('kappa', new Gate());
  const killed = await stack.gateway(config);
  const lost = expect(post('left', wish('kappa'), { at: killed })).rejects.toThrow();
  await until(
    async () => looks.get('kappa'),
    (count) => count === 1,
  );
  await killed.kill('SIGKILL');
  await lost;
  gates.get('kappa')?.open();
  expect(await problem(post('left', wish('kappa')))).toMatchObject({ code: 'STATE_CONFLICT' });
  await stack.db.query("UPDATE idempotency_keys SET seen_at = seen_at - interval '61 seconds' WHERE key = 'left'");
  expect(await problem(post('left', wish('lambda')))).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  expect(await answer(post('left', wish('kappa')))).toMatchObject({ status: 202, replayed: false });
  expect(await answer(post('left', wish('kappa')))).toMatchObject({ status: 202, replayed: true });
});
