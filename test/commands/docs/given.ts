/**
 * What the docs' commands find: jobs, batches, a connection and a token under the names that the docs use, in the state that the
 * command is for. Each state was reached once by a real request; its rows are kept aside, and copied for every command.
 */
import { readFile } from 'node:fs/promises';
import { createLogger, openBus } from '@hyper2kvm/runtime';
import type { PoolClient } from 'pg';
import { putAside } from '../letters.js';
import { until } from '../../integration/gateway-stack.js';
import type { World } from './world.js';

type JobState = 'completed' | 'failed' | 'exported' | 'pending';
type BatchState = 'completed' | 'running' | 'stopped';
type Json = Record<string, unknown>;

const TABLES = ['batches', 'jobs', 'job_attempts', 'job_events', 'vcenters', 'tokens'] as const;
const JOB_ID = /\bjob-[a-z0-9]{6,32}\b/g;
const BATCH = /\b(?:batch-[a-z0-9]{6,32}|night-1|weekend-1)\b/g;

/** Makes one of each by the API, and keeps them aside. */
export async function prepare({ url, db, vcenter }: World): Promise<void> {
  const ask = async (method: string, path: string, body?: Json): Promise<Json> => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Json);
  };
  const reached = async (path: string, status: string): Promise<unknown> =>
    until(
      () => ask('GET', path),
      (answer) => answer['status'] === status,
      60_000,
    );
  const start = async (address: string, body: Json): Promise<string> =>
    (await ask('POST', `/api/v1/${address}`, { vcenter: { server: 'prod' }, ...body }))['job_id'] as string;

  const login = { server: vcenter.server, username: vcenter.username, password: vcenter.password };
  const ca = await readFile(vcenter.caFile, 'utf8');
  for (const name of ['prod', 'lab']) await ask('POST', '/api/v1/vcenters', { name, ...login, ca_pem: ca });
  await ask('POST', '/api/v1/tokens', { name: 'ann', role: 'operator' });
  const later = new Date(Date.now() + 86_400_000).toISOString();
  const [completed, failed, exported, pending] = await Promise.all([
    start('convert', { vm_name: 'production-db', options: { tags: ['production'] } }),
    start('convert', { vm_name: 'broken-01', options: { tags: ['production'] } }),
    start('export', { vm_name: 'vault' }),
    start('convert', { vm_name: 'old-mail', options: { not_before: later } }),
  ]);
  const batch = async (body: Json): Promise<string> =>
    (await ask('POST', '/api/v1/batches', { name: 'night-1', vcenter: { server: 'prod' }, ...body }))[
      'batch_id'
    ] as string;
  const [through, waiting, stopped] = await Promise.all([
    batch({ vms: ['web-01', 'web-02'] }),
    batch({ vms: ['web-server-01'], options: { not_before: later } }),
    batch({ vms: ['broken-01', 'db-server-primary'], max_parallel: 1, stop_after_failures: 1 }),
  ]);
  await Promise.all([
    reached(`/api/v1/jobs/${completed}`, 'completed'),
    reached(`/api/v1/jobs/${failed}`, 'failed'),
    reached(`/api/v1/jobs/${exported}`, 'exported'),
    reached(`/api/v1/batches/${through}`, 'completed'),
    reached(`/api/v1/batches/${stopped}`, 'stopped'),
  ]);
  for (const what of ['verify', 'import']) {
    await ask('POST', `/api/v1/jobs/${completed}/${what}`, {});
    const key = what === 'import' ? 'libvirt_import' : 'verification';
    await until(
      () => db.query<Json>('SELECT * FROM jobs WHERE id = $1', [completed]),
      ({ rows: [row] }) => (row?.[key] as Json | undefined)?.['status'] === 'completed',
    );
  }
  await db.query('CREATE SCHEMA docs');
  for (const table of TABLES) await db.query(`CREATE TABLE docs.${table} AS TABLE public.${table}`);
  await db.query('CREATE TABLE docs.states (state text, id text)');
  const states = { completed, failed, exported, pending, through, waiting, stopped };
  for (const [state, id] of Object.entries(states))
    await db.query('INSERT INTO docs.states VALUES ($1, $2)', [state, id]);
}

/** Puts everything as this command needs it; what earlier ones made is gone. */
export async function arrange({ db, url, nats }: World, command: string): Promise<void> {
  await atWork(url);
  if (/dead-letters/.test(command)) await putLettersAside(nats);
  // Work that goes on belongs to rows that are still there.
  await until(
    () =>
      db.query(
        `SELECT 1 FROM jobs WHERE status IN ('exporting', 'converting') AND id NOT IN (SELECT id FROM docs.jobs)`,
      ),
    ({ rowCount }) => rowCount === 0,
  ).catch(() => {});
  // At once: a batch without jobs would be through.
  const client = await db.connect();
  try {
    await client.query('BEGIN');
    await rows(client, command);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

async function rows(db: PoolClient, command: string): Promise<void> {
  for (const table of ['jobs', 'batches', 'hooks', 'vcenters', 'tokens', 'idempotency_keys'])
    await db.query(`DELETE FROM ${table}`);
  if (!/\bvcenter add\b|\/vcenters \\/.test(command)) await copy(db, 'vcenters', 'true', {});
  if (!/\btoken create\b|\/tokens \\/.test(command)) await copy(db, 'tokens', 'true', {});
  await copyJob(db, 'failed', { id: 'job-f4iled00000a', tags: ['production'] });
  await copyJob(db, 'completed', { id: 'job-c0mpleted00a', vm_name: 'web-server-02' });
  const vm = /--vm[ =]"?([\w-]+)/.exec(command)?.[1];
  const ids = new Set(command.match(JOB_ID) ?? (vm === undefined ? [] : ['job-7k2m9x4qa3hd']));
  for (const id of ids) await copyJob(db, stateFor(command), { id, vm_name: vm ?? 'production-db' });
  const batches = new Set(/--batch-name/.test(command) ? [] : command.match(BATCH));
  for (const name of batches) await copyBatch(db, batchStateFor(command), name, /\bwatch\b/.test(command));
}

/** Workers that a command before paused or drained take work again. */
async function atWork(url: string): Promise<void> {
  const ask = async (): Promise<{ workers: { worker_id: string; service: string; paused: boolean }[] }> =>
    (await fetch(`${url}/api/v1/workers`)).json() as never;
  for (const { worker_id: id, paused } of (await ask()).workers)
    if (paused) await fetch(`${url}/api/v1/workers/${id}/resume`, { method: 'POST' });
  await until(ask, ({ workers }) => workers.every(({ paused }) => !paused));
}

/** Dead letters with the numbers from 1 on. */
async function putLettersAside(servers: readonly string[]): Promise<void> {
  const nats = { servers: [...servers], replicas: 1 };
  const { bus, close } = await openBus({
    nats,
    service: 'test',
    workerId: 'test',
    logger: createLogger('test', 'error'),
  });
  const { config } = await bus.jsm.streams.info('DEAD_LETTERS');
  await bus.jsm.streams.delete('DEAD_LETTERS');
  await bus.jsm.streams.add(config);
  await close();
  const letter = { subject: 'task.import.any.job-nobody000001', body: 'x', reason: 'no libvirt answered' };
  await putAside(servers, ...Array.from({ length: 20 }, () => letter));
}

function stateFor(command: string): JobState {
  if (/convert --job|\/convert\b/.test(command)) return 'exported';
  if (/\bretry\b/.test(command)) return 'failed';
  if (/\b(cancel|priority|bandwidth)\b|-X (DELETE|PATCH)/.test(command)) return 'pending';
  return 'completed';
}

function batchStateFor(command: string): BatchState {
  if (/\bresume\b/.test(command)) return 'stopped';
  return /\b(cancel|set)\b|-X (DELETE|PATCH)/.test(command) ? 'running' : 'completed';
}

const BATCH_LABELS = { completed: 'through', running: 'waiting', stopped: 'stopped' } as const;
const stateId = (label: string): string => `(SELECT id FROM docs.states WHERE state = '${label}')`;

let attempts = 0;
const ATTEMPTS = ['export_attempt', 'conversion_attempt', 'cleanup_attempt', 'verify_attempt', 'import_attempt'];
function freshAttempts(): Json {
  attempts += 100;
  return Object.fromEntries(ATTEMPTS.map((name) => [name, attempts]));
}

async function copyJob(db: PoolClient, state: JobState, change: Json): Promise<void> {
  // One VM has one active job: copies are of VMs of their own. What was done under an attempt's number is not done again.
  await copy(db, 'jobs', `id = ${stateId(state)}`, { instance_uuid: null, ...freshAttempts(), ...change });
  for (const table of ['job_attempts', 'job_events'])
    await copy(db, table, `job_id = ${stateId(state)}`, { job_id: change['id'] }, ['seq', 'id']);
}

async function copyBatch(db: PoolClient, state: BatchState, name: string, isWatched: boolean): Promise<void> {
  const id = name.startsWith('batch-') ? name : `batch-${name.replace('-', '')}00000`;
  const label = stateId(BATCH_LABELS[state]);
  await copy(db, 'batches', `id = ${label}`, { id, ...(name.startsWith('batch-') ? {} : { name }) });
  const { rows } = await db.query<{ id: string }>(`SELECT id FROM docs.jobs WHERE batch_id = ${label}`);
  for (const [at, job] of rows.entries())
    await copy(db, 'jobs', `id = '${job.id}'`, { id: `job-${id.slice(6)}${at}`, batch_id: id, ...freshAttempts() });
  // Of one that is watched to its end none fails.
  if (state === 'completed' && !isWatched)
    await copyJob(db, 'failed', {
      id: `job-${id.slice(6)}f`,
      batch_id: id,
      wave: 'all',
      plan_order: rows.length,
    });
}

async function copy(
  db: PoolClient,
  table: string,
  where: string,
  change: Json,
  without: readonly string[] = [],
): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' AND column_name <> ALL ($2)`,
    [table, without],
  );
  const columns = rows.map(({ name }) => name).join(', ');
  await db.query(
    `INSERT INTO ${table} (${columns})
     SELECT ${columns} FROM (
       SELECT (jsonb_populate_record(NULL::${table}, to_jsonb(kept) || $1::jsonb)).* FROM docs.${table} AS kept WHERE ${where}
     ) AS copies`,
    [JSON.stringify(change)],
  );
}
