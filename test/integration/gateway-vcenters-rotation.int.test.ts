/** Another key: real gateways and exporters, with jobs that wait and one that runs. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { SecretsRotated } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { makeDisk, servedDisk } from './export-setup.js';
import { Client } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { serviceProcesses, type ServiceProcess } from './service-process.js';

const MIB = 2 ** 20;
const LUKS = Buffer.from('a key of a volume');
let stack: Stack;
let vcsim: Vcsim;
let services: Awaited<ReturnType<typeof serviceProcesses>>;
let exporter: ServiceProcess;
let gateways: Gateway[] = [];
let client: Client;
const keys = new Map<string, { file: string; sealer: Sealer }>();

beforeAll(async () => {
  [stack, services] = await Promise.all([startStack(), serviceProcesses()]);
  const disk = await makeDisk(services.folder, 'disk', 66 * MIB);
  vcsim = await startVcsim({
    vms: ['web', 'db', 'mail', 'shop'].map((name) => ({ name, disks: [servedDisk(disk)] })),
  });
  for (const name of ['old', 'new', 'lost']) {
    const key = randomBytes(32);
    const file = `${services.folder}/${name}.key`;
    await writeFile(file, key.toString('base64'), { mode: 0o600 });
    keys.set(name, { file, sealer: new Sealer(key) });
  }
});
afterAll(async () => {
  await services?.stop();
  await stack?.stop();
  await vcsim?.stop();
});

const keyOf = (name: string): { file: string; sealer: Sealer } => {
  const found = keys.get(name);
  if (found === undefined) throw new Error(name);
  return found;
};
/** Restarts everything with these keys, the current one first. */
async function withKeys(current: string, ...previous: string[]): Promise<void> {
  const secrets = {
    key_file: keyOf(current).file,
    previous_key_files: previous.map((name) => keyOf(name).file),
  };
  await Promise.all([exporter?.kill('SIGTERM'), ...gateways.map((gateway) => gateway.kill('SIGTERM'))]);
  const exporting = { work_dir: `${services.folder}/export`, min_free_bytes: 0, shutdown_grace_seconds: 0 };
  [exporter, ...gateways] = await Promise.all([
    services.start('exporter', { nats: { servers: stack.nats.servers }, secrets, exporter: exporting }),
    stack.gateway({ secrets }),
    stack.gateway({ secrets }),
  ]);
  const [first] = gateways;
  if (first === undefined) throw new Error('no gateway');
  client = new Client(first);
}

async function rotate(through: Client = client): Promise<SecretsRotated> {
  const response = await through.send('POST', '/api/v1/secrets/rotate');
  const body: unknown = await response.json();
  expect(response.status, JSON.stringify(body)).toBe(200);
  return SecretsRotated.parse(body);
}
const nothing = { vcenters: 0, jobs: 0, messages: 0, idempotency_keys: 0 };

interface Row {
  id: string;
  version: number;
  status: string;
  password: string;
  keys: string | null;
}
const rows = async (): Promise<Row[]> =>
  (
    await stack.db.query<Row>(
      `SELECT id, version, status, source->>'password_sealed' AS password, options->>'luks_keys_sealed' AS keys
       FROM jobs ORDER BY id`,
    )
  ).rows;

it('takes everything over, while jobs wait and run, and the old key may go when nothing waits that it sealed', async () => {
  await withKeys('old');
  const login = {
    server: vcsim.host,
    username: vcsim.username,
    password: vcsim.password,
    thumbprint: vcsim.thumbprint,
  };
  // With a key, so that its answer is kept.
  const stored = await fetch(`${gateways[0]?.url}/api/v1/vcenters`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
    body: JSON.stringify({ name: 'prod', ...login }),
  });
  expect(stored.status).toBe(201);
  const later = { auto_convert: false, not_before: '2999-01-01T00:00:00Z' };
  const byName = await client.convert('web', later, { vcenter: { server: 'prod' } });
  const luks_keys = [{ key_base64: LUKS.toString('base64') }];
  const byLogin = await client.convert('db', later, { vcenter: login, luks_keys });
  // Its message is with a worker until the slow download is through.
  await vcsim.setNfcRate(8 * 1024);
  const running = await client.convert('mail', { auto_convert: false, transport: 'nfc' }, { vcenter: login });
  await client.reaches(running, 'exporting');
  // One that the bus has not taken yet.
  await stack.db.query(
    `INSERT INTO outbox (id, job_id, kind, type, data, available_at)
     VALUES (gen_random_uuid(), $1, 'command', 'export.requested.v1', $2, now() + interval '1 day')`,
    [
      byName,
      {
        source: { password_sealed: keyOf('old').sealer.seal('deep') },
        list: [{ luks_keys_sealed: keyOf('old').sealer.seal('deeper') }],
      },
    ],
  );

  await withKeys('new', 'old');
  const before = await rows();
  expect(before.map(({ password }) => keyOf('new').sealer.isCurrent(password))).not.toContain(true);
  const other = new Client(gateways[1] as Gateway);
  // Two at once share the work.
  const both = await Promise.all([rotate(), rotate(other)]);
  const sum = (of: keyof typeof nothing): number => both.reduce((all, { resealed }) => all + resealed[of], 0);
  expect(sum('vcenters')).toBe(1);
  // Of a row with two secrets each may have done one: both count it.
  expect([1, 2]).toContain(sum('messages'));
  expect(sum('jobs')).toBeGreaterThanOrEqual(3);
  expect(sum('idempotency_keys')).toBeGreaterThanOrEqual(1);
  expect(both).toMatchObject([{ unreadable: 0 }, { unreadable: 0, key_id: keyOf('new').sealer.keyId }]);
  const { sealer } = keyOf('new');
  const after = await rows();
  for (const row of after) {
    expect(sealer.open(row.password)).toBe(vcsim.password);
    // No decision on a waiting job has to be thought over.
    if (row.status === 'pending') expect(row.version).toBe(before.find(({ id }) => id === row.id)?.version);
  }
  const { keys: sealed } = after.find(({ id }) => id === byLogin) ?? {};
  expect(JSON.parse(sealer.open(sealed ?? ''))).toEqual(luks_keys);
  const { rows: waiting } = await stack.db.query<{
    data: { source: { password_sealed: string }; list: [{ luks_keys_sealed: string }] };
  }>("SELECT data FROM outbox WHERE published_at IS NULL AND data ? 'list'");
  const [{ data }] = waiting as [(typeof waiting)[0]];
  expect([sealer.open(data.source.password_sealed), sealer.open(data.list[0].luks_keys_sealed)]).toEqual([
    'deep',
    'deeper',
  ]);
  await stack.db.query("DELETE FROM outbox WHERE published_at IS NULL AND data ? 'list'");

  // The running job's message is still sealed with the old key.
  expect(await rotate()).toMatchObject({ resealed: nothing, unreadable: 0, waiting_with_previous_key: 1 });
  await vcsim.setNfcRate(0);
  await client.reaches(running, 'exported');
  // The message goes a moment after the fact of its end has come.
  const last = await until(
    () => rotate(),
    (answer) => answer.waiting_with_previous_key === 0,
  );
  expect(last).toMatchObject({ resealed: nothing, unreadable: 0 });

  await withKeys('new');
  await stack.db.query("UPDATE jobs SET not_before = NULL, options = options - 'not_before' WHERE status = 'pending'");
  const fresh = await client.convert('shop', { auto_convert: false }, { vcenter: { server: 'prod' } });
  for (const id of [byName, byLogin, fresh]) await client.reaches(id, 'exported');
});

it('counts what no key opens, and goes on', async () => {
  await withKeys('lost');
  // The connection, the answer that was kept and what it was for, four logins, and the key of the volume.
  const answer = await until(
    () => rotate(),
    ({ unreadable }) => unreadable === 8,
  );
  expect(answer).toMatchObject({ resealed: nothing, key_id: keyOf('lost').sealer.keyId });
  const refusal = await client.refused(client.send('POST', '/api/v1/vcenters/prod/test'));
  expect(refusal).toMatchObject({ code: 'VCENTER_LOGIN', detail: expect.stringContaining('previous_key_files') });
});
