import { randomUUID } from 'node:crypto';
import { conversionRequested, LANES, type ConversionRequested, type Lane } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { machine, startWorkers } from './gateway-workers.js';

const OF_EACH_LANE = 100;
const MACHINE = machine('waiting');
let stack: Stack;
let client: Client;
let stopWorkers: () => Promise<void> = async () => {};
/** Waits before each conversion, when it is set. */
let gate: Gate | undefined;
/** How many conversions may begin before the gate closes again. */
let most = Infinity;
let pauseMs = 0;
const starts: string[] = [];

beforeAll(async () => {
  stack = await startStack();
  client = new Client(await stack.gateway({ gateway: { api: {} } }));
});
afterAll(async () => {
  gate?.open();
  await stopWorkers();
  await stack?.stop();
});

interface Waiting {
  readonly id: string;
  readonly lane: Lane;
}
let serial = 0;
const idOf = (): string => `job-${String((serial += 1)).padStart(12, '0')}`;

/** Jobs that wait for their conversion, oldest first, whose commands lie in the outbox. */
async function insert(jobs: readonly Waiting[]): Promise<void> {
  const now = Date.now();
  const rows = jobs.map(({ id, lane }, n) => ({
    id,
    outbox: randomUUID(),
    lane,
    queued_at: new Date(now + n).toISOString(),
    command: conversionRequested.schema.parse({
      job_id: id,
      attempt: 1,
      generation: 0,
      lane,
      pool: 'any',
      vm_name: id,
      artifact_dir: `/work/${id}`,
      options: {},
      requested_at: new Date(now).toISOString(),
    }),
  }));
  const connection = await stack.db.connect();
  try {
    await connection.query('BEGIN');
    await connection.query(
      `INSERT INTO jobs (id, vm_name, vm_ref, vcenter_server, status, phase, conversion_status, created_at, updated_at,
         queued_at, admitted_at, released_at, export_completed_at, requested_by, priority, options, source, machine,
         total_bytes, conversion_attempt, artifact_dir, artifact_pool)
       SELECT id, id, id, 'vc', 'exported', 'conversion', 'queued', queued_at, queued_at,
         queued_at, queued_at, queued_at, queued_at, 'local', lane, '{"auto_convert": true}',
         '{"kind": "disks", "disks": [{"path": "/images/a.vmdk"}]}', $2::jsonb, 1, 1, '/work/' || id, 'any'
       FROM jsonb_to_recordset($1::jsonb) AS row (id text, lane text, queued_at timestamptz)`,
      [JSON.stringify(rows), JSON.stringify(MACHINE)],
    );
    await connection.query(
      `INSERT INTO outbox (id, job_id, kind, type, data)
       SELECT outbox, id, 'command', $2, command
       FROM jsonb_to_recordset($1::jsonb) AS row (id text, outbox uuid, command jsonb, queued_at timestamptz)
       ORDER BY queued_at`,
      [JSON.stringify(rows), conversionRequested.type],
    );
    await connection.query('COMMIT');
  } finally {
    connection.release();
  }
}

const unpublished = async (): Promise<number> =>
  Number(
    (await stack.db.query('SELECT count(*) AS n FROM outbox WHERE published_at IS NULL AND available_at <= now()'))
      .rows[0].n,
  );
const published = (): Promise<number> => until(unpublished, (count) => count === 0);

/** The next conversions begin until there were so many; the last of them waits. */
async function runUntil(count: number): Promise<void> {
  const held = new Gate();
  most = count;
  const before = gate;
  gate = held;
  before?.open();
  await until(
    async () => starts.length,
    (length) => length >= count,
    60_000,
  );
  await heard();
}

const completed = async (): Promise<number> =>
  Number((await stack.db.query("SELECT count(*) AS n FROM jobs WHERE status = 'completed'")).rows[0].n);

/** The gateway has heard of all that was started but the last, which is held. */
async function heard(): Promise<void> {
  await until(completed, (count) => count === starts.length - 1, 60_000);
}

async function converting({ job_id: id }: ConversionRequested): Promise<void> {
  starts.push(id);
  if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  if (starts.length >= most) await gate?.passed();
}

/** The rule of the lanes, told once more: high, normal, low; each eighth pick for the waiting lower lane served longest ago. */
class Rule {
  #picks = 0;
  readonly #served = new Map<Lane, number>();
  readonly queues: Record<Lane, string[]> = { high: [], normal: [], low: [] };

  next(): string | undefined {
    const [high, ...lower] = LANES;
    const guard = this.#picks % 8 === 7;
    const served = (lane: Lane): number => this.#served.get(lane) ?? -1;
    const order = guard ? [...lower.toSorted((a, b) => served(a) - served(b)), high] : LANES;
    const lane = order.find((one) => this.queues[one].length > 0);
    if (lane === undefined) return undefined;
    this.#picks += 1;
    this.#served.set(lane, this.#picks);
    return this.queues[lane].shift();
  }

  take(count: number): string[] {
    return Array.from({ length: count }, () => this.next() ?? 'nothing');
  }
}

const times = (id: string): number => starts.filter((one) => one === id).length;

const rule = new Rule();
const laneOf = new Map<string, Lane>();

it('300 jobs over three lanes start as designed: by lane, then age, and each eighth from a lower lane', async () => {
  const jobs = Array.from({ length: 3 * OF_EACH_LANE }, (_, n): Waiting => ({
    id: idOf(),
    lane: LANES[n % 3] ?? 'low',
  }));
  for (const { id, lane } of jobs) {
    rule.queues[lane].push(id);
    laneOf.set(id, lane);
  }
  await insert(jobs);
  await published();
  const lowest = jobs.at(-1)?.id ?? '';
  expect((await client.job(lowest)).queue_position).toBe(300);
  // One slot: the first is held, so that nothing is picked before all are there.
  stopWorkers = await startWorkers(stack.nats.servers, { slots: 1, converting }, ['converter']);
  await runUntil(120);
  expect(starts).toEqual(rule.take(120));
  const early = starts.slice(0, OF_EACH_LANE).map((id) => laneOf.get(id));
  expect(early.filter((lane) => lane === 'low').length).toBeGreaterThanOrEqual(6);
  expect((await client.job(lowest)).queue_position).toBe(180);
});

it('a high job that is submitted last starts next, but for the pick of the guard', async () => {
  const urgent: Waiting = { id: idOf(), lane: 'high' };
  await insert([urgent]);
  await published();
  rule.queues.high.push(urgent.id);
  expect((await client.job(urgent.id)).queue_position).toBe(1);
  const before = starts.length;
  await runUntil(before + 2);
  expect(starts.slice(before)).toContain(urgent.id);
  expect(starts.slice(before)).toEqual(rule.take(2));
});

it('another priority and a cancel of a waiting job take effect at once', async () => {
  const { low, normal } = rule.queues;
  const [raised, cancelled] = [low.pop() ?? '', normal.shift() ?? ''];
  const patched = await client.send('PATCH', `/api/v1/jobs/${raised}`, { priority: 'high' });
  expect(await patched.json()).toMatchObject({ priority: 'high', queue_position: 1 });
  const deleted = await client.send('DELETE', `/api/v1/jobs/${cancelled}`);
  expect(await deleted.json()).toMatchObject({ status: 'cancelled', queue_position: null });
  rule.queues.high.push(raised);
  await published();
  const before = starts.length;
  await runUntil(before + 10);
  expect(starts.slice(before)).toEqual(rule.take(10));
  expect(starts.slice(before, before + 2)).toContain(raised);
  expect(starts).not.toContain(cancelled);
});

it('after 100 cancels and changes of priority in random order every other waiting job starts exactly once', async () => {
  const waiting = Object.values(rule.queues).flat();
  expect(waiting.length).toBeGreaterThan(150);
  const shuffled = waiting.map((id) => ({ id, at: Math.random() })).toSorted((a, b) => a.at - b.at);
  const changes = shuffled.slice(0, 100).map(({ id }, n) => ({ id, cancel: n % 2 === 0, lane: LANES[n % 3] ?? 'low' }));
  const cancelled = new Set<string>();
  pauseMs = 20;
  most = Infinity;
  gate?.open();
  // While the converter takes one after the other: some are changed as they start.
  const queue = [...changes];
  const changer = async (): Promise<void> => {
    for (let change = queue.shift(); change !== undefined; change = queue.shift()) {
      const { id, cancel, lane } = change;
      const response = cancel
        ? await client.send('DELETE', `/api/v1/jobs/${id}`)
        : await client.send('PATCH', `/api/v1/jobs/${id}`, { priority: lane });
      // One that is through by now has nothing to change.
      expect([200, 202, 409]).toContain(response.status);
      if (cancel && response.ok) cancelled.add(id);
    }
  };
  await Promise.all(Array.from({ length: 4 }, changer));
  expect(cancelled.size).toBeGreaterThan(10);
  const others = waiting.filter((id) => !cancelled.has(id));
  const open = async (): Promise<number> =>
    Number(
      (await stack.db.query("SELECT count(*) AS n FROM jobs WHERE status IN ('exported', 'converting')")).rows[0].n,
    );
  await until(open, (count) => count === 0, 60_000);
  expect(others.filter((id) => times(id) !== 1)).toEqual([]);
  expect([...cancelled].filter((id) => times(id) > 1)).toEqual([]);
  const { rows } = await stack.db.query<{ status: string }>('SELECT DISTINCT status FROM jobs WHERE id = ANY ($1)', [
    others,
  ]);
  expect(rows).toEqual([{ status: 'completed' }]);
});
