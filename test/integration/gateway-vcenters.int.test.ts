/** Stored connections: real gateway, real exporter, simulated vCenter. */
import { type Health, VcenterConnection, VcenterConnectionList, VcenterTest } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { Client } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { serviceProcesses } from './service-process.js';

let stack: Stack;
let vcsim: Vcsim;
let gateway: Gateway;
let client: Client;
let services: Awaited<ReturnType<typeof serviceProcesses>>;

beforeAll(async () => {
  [stack, services, vcsim] = await Promise.all([
    startStack(),
    serviceProcesses(),
    startVcsim({ vms: ['web', 'db', 'mail', 'shop'].map((name) => ({ name, disks: [{ capacity_bytes: 2 ** 20 }] })) }),
  ]);
  const exporter = { work_dir: `${services.folder}/export`, min_free_bytes: 0 };
  [gateway] = await Promise.all([
    stack.gateway({
      gateway: { vcenter_check_seconds: 0 },
      vsphere: { server: 'vc.example.com', username: 'svc', password: 'unused' },
    }),
    services.start('exporter', { nats: { servers: stack.nats.servers }, secrets: { key: stack.key }, exporter }),
  ]);
  client = new Client(gateway);
});
afterAll(async () => {
  await services?.stop();
  await stack?.stop();
  await vcsim?.stop();
});

const login = () => ({
  server: vcsim.host,
  username: vcsim.username,
  password: vcsim.password,
  thumbprint: vcsim.thumbprint,
});
const store = (name: string, change: object = {}): Promise<Response> =>
  client.send('POST', '/api/v1/vcenters', { name, ...login(), ...change });
const change = (name: string, body: object): Promise<Response> => client.send('PUT', `/api/v1/vcenters/${name}`, body);
const without = (whole: ReturnType<typeof login>): object => ({ ...whole, password: undefined });
const tested = async (name: string): Promise<VcenterTest> => {
  const response = await client.send('POST', `/api/v1/vcenters/${name}/test`);
  const body: unknown = await response.json();
  expect(response.status, JSON.stringify(body)).toBe(200);
  return VcenterTest.parse(body);
};
/** Not let out: it waits for a time that does not come in this test. */
const later = { not_before: '2999-01-01T00:00:00Z', auto_convert: false };

it('are stored, shown without the password, changed and removed', async () => {
  const response = await store('prod', { datacenter: 'DC0' });
  expect(response.status).toBe(201);
  const stored = VcenterConnection.parse(await response.json());
  expect(stored).toMatchObject({ name: 'prod', trust: 'thumbprint', origin: 'stored', created_by: 'local' });
  expect(await client.refused(store('prod'))).toMatchObject({ code: 'CONFLICT', status: 409 });
  expect(await client.refused(store('default'))).toMatchObject({ code: 'CONFLICT' });
  expect(await client.refused(store('a b'))).toMatchObject({ code: 'BAD_REQUEST' });
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(await client.refused(store('other', { ca_pem: broken }))).toMatchObject({ code: 'BAD_REQUEST' });
  expect(await (await client.send('GET', '/api/v1/vcenters/prod')).json()).toEqual(stored);
  const text = await (await client.send('GET', '/api/v1/vcenters')).text();
  expect(VcenterConnectionList.parse(JSON.parse(text)).vcenters).toMatchObject([
    { name: 'default', server: 'vc.example.com', username: 'svc', origin: 'configuration', created_at: null },
    stored,
  ]);
  expect(text).not.toContain(vcsim.password);
  const { rows } = await stack.db.query<{ row: string }>('SELECT row_to_json(vcenters)::text AS row FROM vcenters');
  expect(rows[0]?.row).not.toContain(vcsim.password);

  // The password stays where none is given, but goes to no other server.
  expect((await change('prod', without(login()))).status).toBe(200);
  expect(await tested('prod')).toMatchObject({ ok: true });
  for (const server of ['evil.example.com', `${vcsim.host}0`])
    expect(await client.refused(change('prod', { ...without(login()), server }))).toMatchObject({
      code: 'BAD_REQUEST',
      detail: expect.stringContaining(vcsim.host),
    });
  expect((await change('prod', { ...without(login()), server: `https://${vcsim.host}/ui` })).status).toBe(200);
  expect((await change('prod', { ...login(), password: 'a wrong one' })).status).toBe(200);
  const test = client.send('POST', '/api/v1/vcenters/prod/test');
  expect(await client.refused(test)).toMatchObject({ code: 'VCENTER_LOGIN', status: 401 });
  expect((await change('prod', login())).status).toBe(200);

  expect(await client.refused(change('none', login()))).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  expect(await client.refused(change('default', login()))).toMatchObject({ code: 'BAD_REQUEST' });
  expect((await client.send('DELETE', '/api/v1/vcenters/prod')).status).toBe(204);
  expect(await client.refused(client.send('DELETE', '/api/v1/vcenters/prod'))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await client.refused(client.send('DELETE', '/api/v1/vcenters/default'))).toMatchObject({
    code: 'BAD_REQUEST',
  });
});

it('are tested: what it is, and which privileges are missing', async () => {
  await store('looked');
  const whole = await tested('looked');
  expect(whole).toMatchObject({ name: 'looked', ok: true, missing: [] });
  expect(whole.product).toMatch(/^VMware vCenter Server \d/);
  expect(whole.unchecked).toBeUndefined();
  expect(whole.privileges.every(({ held }) => held)).toBe(true);

  await vcsim.change({ settings: { denied_privileges: ['VApp.Export', 'Datastore.Browse'] } });
  const lacking = { ok: false, missing: ['VApp.Export'] };
  expect(await tested('looked')).toMatchObject(lacking);
  // An older server knows the other question only, a bare ESXi none.
  await vcsim.change({ fail: { method: 'HasPrivilegeOnEntities', fault: 'NotSupported', times: 2 } });
  expect(await tested('looked')).toMatchObject(lacking);
  await vcsim.change({ fail: { method: 'FetchUserPrivilegeOnEntities', fault: 'NotSupported' } });
  const unchecked = await tested('looked');
  expect(unchecked).toMatchObject({ ok: true, missing: [], privileges: [] });
  expect(unchecked.unchecked).toContain('NotSupported');
  await vcsim.change({ settings: { denied_privileges: [] } });
  expect(await client.refused(client.send('POST', '/api/v1/vcenters/none/test'))).toMatchObject({ code: 'NOT_FOUND' });
});

it('lend their login to requests that name them, and to no other server, user or trust', async () => {
  await store('lab');
  const vms = (vcenter: object): Promise<Response> => client.send('POST', '/api/v1/inventory/vms', { vcenter });
  expect((await vms({ server: 'lab' })).status).toBe(200);
  expect((await vms({ server: 'lab', username: vcsim.username, password: vcsim.password })).status).toBe(200);
  for (const [asked, words] of [
    [{ server: 'lab', username: 'somebody' }, 'vcenter.password'],
    [{ server: 'lab', insecure: true }, 'trusted as it was set up'],
    [{ server: 'lab', thumbprint: 'AA'.repeat(32) }, 'trusted as it was set up'],
    // The stored connection's host, but not its name.
    [{ server: vcsim.host, insecure: true }, 'vcenter.username'],
  ] as const)
    expect(await client.refused(vms(asked))).toMatchObject({
      code: 'BAD_REQUEST',
      detail: expect.stringContaining(words),
    });
  const wrong = { server: 'lab', username: vcsim.username, password: 'a wrong one' };
  expect(await client.refused(vms(wrong))).toMatchObject({ code: 'VCENTER_LOGIN' });
});

it('are kept while jobs need them, whose rows name them', async () => {
  await store('used');
  const ids: string[] = [];
  for (const vm of ['web', 'db', 'mail'])
    ids.push(await client.convert(vm, later, { vcenter: { server: 'used', datacenter: 'DC0' } }));
  const own = await client.convert('shop', later, { vcenter: { ...login(), server: 'used' } });
  const { rows } = await stack.db.query<{ id: string; connection: string | null; server: string }>(
    "SELECT id, connection, source->>'server' AS server FROM jobs",
  );
  expect(new Map(rows.map(({ id, connection }) => [id, connection]))).toEqual(
    new Map([...ids.map((id): [string, string] => [id, 'used']), [own, null] as [string, null]]),
  );
  expect(new Set(rows.map(({ server }) => server))).toEqual(new Set([vcsim.host]));
  const refusal = await client.refused(client.send('DELETE', '/api/v1/vcenters/used'));
  expect(refusal).toMatchObject({ code: 'STATE_CONFLICT', status: 409 });
  for (const id of ids) expect(refusal.detail).toContain(id);
  expect(refusal.detail).not.toContain(own);
  expect(await client.refused(change('used', { ...login(), server: 'elsewhere' }))).toMatchObject({
    code: 'STATE_CONFLICT',
  });
  for (const id of ids) expect((await client.send('DELETE', `/api/v1/jobs/${id}`)).ok).toBe(true);
  expect((await client.send('DELETE', '/api/v1/vcenters/used')).status).toBe(204);
});

it('are used as they are when the turn of a job comes', async () => {
  await store('turn');
  const id = await client.convert('web', later, { vcenter: { server: 'turn' } });
  expect((await change('turn', { ...login(), password: 'a wrong one' })).status).toBe(200);
  const due = "UPDATE jobs SET not_before = NULL, options = options - 'not_before' WHERE id = $1";
  await stack.db.query(due, [id]);
  const failed = await client.reaches(id, 'failed');
  expect(failed.failure?.code).toBe('VCENTER_LOGIN');
  // It may be retried, so the connection stays; where it is gone all the same, the job says so.
  expect(await client.refused(client.send('DELETE', '/api/v1/vcenters/turn'))).toMatchObject({
    code: 'STATE_CONFLICT',
    detail: expect.stringContaining(id),
  });
  await stack.db.query("DELETE FROM vcenters WHERE name = 'turn'");
  expect((await client.send('POST', `/api/v1/jobs/${id}/retry`, {})).status).toBe(202);
  const again = await client.when(id, (job) => job.failure?.code === 'NOT_FOUND');
  expect(again).toMatchObject({ status: 'failed', error: expect.stringContaining('turn') });
});

const connection = async ({ url }: Gateway): Promise<unknown> =>
  ((await (await fetch(`${url}/health`)).json()) as Health).vsphere_connection;

it('are asked now and then, so that every gateway knows whether they answer; a refused login is not repeated', async () => {
  await gateway.kill('SIGTERM');
  await stack.db.query('DELETE FROM vcenters');
  const often = { gateway: { vcenter_check_seconds: 1 } };
  const [one, other] = await Promise.all([stack.gateway(often), stack.gateway(often)]);
  client = new Client(one);
  const both = (wanted: string) =>
    until(
      () => Promise.all([connection(one), connection(other)]),
      (states) => states.every((state) => state === wanted),
    );
  await store('known');
  await both('ok');
  const logins = async (): Promise<number> => (await vcsim.control()).calls['Login'] ?? 0;
  expect((await change('known', { ...login(), password: 'a wrong one' })).status).toBe(200);
  await both('failed');
  const refused = await logins();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(await logins()).toBe(refused);
  // Changed, it is tried again.
  expect((await change('known', login())).status).toBe(200);
  await both('ok');
  await vcsim.stop();
  await both('failed');
  await one.kill('SIGTERM');
  // It never asked by itself, and knows all the same.
  expect(await connection(await stack.gateway({ gateway: { vcenter_check_seconds: 0 } }))).toBe('failed');
});
