// A gateway killed at the two points where a message and its mark may part, and gateways side by side.
import { connect, headers, type JetStreamManager, type NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

let stack: Stack;
let connection: NatsConnection;
let jsm: JetStreamManager;
let stopWorkers: () => Promise<void> = async () => {};
let gateways: Gateway[] = [];
let serial = 0;
const vm = (): string => `vm-${(serial += 1)}`;

beforeAll(async () => {
  stack = await startStack();
  connection = await connect({ servers: stack.nats.servers });
  jsm = await connection.jetstreamManager({ checkAPI: false });
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
  for (const gateway of gateways) await gateway.kill('SIGKILL');
  gateways = [];
});
afterAll(async () => {
  await connection?.close();
  await stack?.stop();
});

const start = async (): Promise<Gateway> => {
  const gateway = await stack.gateway();
  gateways.push(gateway);
  return gateway;
};

interface Counted {
  readonly exports: string[];
  readonly conversions: string[];
}
/** Workers that count their starts, by job and attempt. */
async function counting(): Promise<Counted> {
  const counted: Counted = { exports: [], conversions: [] };
  stopWorkers = await startWorkers(stack.nats.servers, {
    exporting: async ({ job_id, attempt }) => void counted.exports.push(`${job_id} ${attempt}`),
    converting: async ({ job_id, attempt }) => void counted.conversions.push(`${job_id} ${attempt}`),
  });
  return counted;
}

const waitingRows = async (id: string): Promise<number> =>
  (await stack.db.query('SELECT 1 FROM outbox WHERE job_id = $1 AND published_at IS NULL', [id])).rowCount ?? 0;
const outboxIsEmpty = () =>
  until(
    async () => (await stack.db.query('SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT 1')).rowCount,
    (left) => left === 0,
    60_000,
  );

/** Ids of the gateway's own facts about a job, as the server stores them, each as often as it is there. */
async function storedFacts(id: string): Promise<string[]> {
  const { state } = await jsm.streams.info('FACTS', { subjects_filter: `job.*.${id}` });
  const found: { seq: number; id: string }[] = [];
  for (const [subject, count] of Object.entries(state.subjects ?? {})) {
    const message = await jsm.streams.getMessage('FACTS', { last_by_subj: subject });
    const one = { seq: message.seq, id: message.header.get('ce-id') };
    found.push(...Array.from({ length: count }, () => one));
  }
  return found.toSorted((a, b) => a.seq - b.seq).map((fact) => fact.id);
}
const decidedFacts = async (id: string): Promise<string[]> => {
  const { rows } = await stack.db.query<{ id: string }>(
    "SELECT id FROM outbox WHERE job_id = $1 AND kind = 'fact' AND type LIKE 'job.%' AND type NOT LIKE 'job.log%' ORDER BY seq",
    [id],
  );
  return rows.map((row) => row.id);
};

/** Runs with a trigger on the outbox; its sleepers, whose gateway was killed, are ended too. */
async function withTrigger(when: string, body: string, work: () => Promise<void>): Promise<void> {
  await stack.db.query(
    `CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$`,
  );
  await stack.db.query(`CREATE TRIGGER hold ${when} ON outbox FOR EACH ROW EXECUTE FUNCTION hold()`);
  try {
    await work();
  } finally {
    await stack.db.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hyper2kvm-gateway'",
    );
    await stack.db.query('DROP TRIGGER hold ON outbox');
    await stack.db.query('DROP FUNCTION hold()');
  }
}

describe('a gateway that is killed', () => {
  it('between commit and publish loses nothing', async () => {
    const counted = await counting();
    const first = await start();
    let id = '';
    // Whatever is committed from now on stays unpublished until the kill.
    await withTrigger('BEFORE INSERT', "NEW.available_at := now() + interval '1 hour';", async () => {
      id = await new Client(first).convert(vm());
      await first.kill('SIGKILL');
    });
    await stack.db.query('UPDATE outbox SET available_at = now() WHERE published_at IS NULL');
    expect(await storedFacts(id)).toEqual([]);
    expect(counted.exports).toEqual([]);
    await new Client(await start()).reaches(id, 'completed');
    await outboxIsEmpty();
    expect(counted).toEqual({ exports: [`${id} 1`], conversions: [`${id} 1`] });
    expect(await storedFacts(id)).toEqual(await decidedFacts(id));
  });

  it('between publish and mark sends its messages again, and nothing happens twice', async () => {
    const counted = await counting();
    const first = await start();
    let id = '';
    // The relay has published its rows by the time that it marks them; there it is held until the kill.
    await withTrigger('BEFORE UPDATE', 'PERFORM pg_sleep(120);', async () => {
      id = await new Client(first).convert(vm());
      await until(
        async () => storedFacts(id),
        (stored) => stored.length > 0,
      );
      await until(
        async () =>
          (
            await stack.db.query(
              "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'UPDATE outbox%' AND wait_event = 'PgSleep'",
            )
          ).rowCount,
        (sleeping) => sleeping === 1,
      );
      await first.kill('SIGKILL');
    });
    expect(await waitingRows(id)).toBeGreaterThan(0);
    expect(await storedFacts(id)).toHaveLength(1);
    await new Client(await start()).reaches(id, 'completed');
    await outboxIsEmpty();
    expect(counted).toEqual({ exports: [`${id} 1`], conversions: [`${id} 1`] });
    expect(await storedFacts(id)).toEqual(await decidedFacts(id));
  });

  it('so that commands come again after the window for duplicates: the records let nothing begin twice', async () => {
    const counted = await counting();
    const first = await start();
    const client = new Client(first);
    const id = await client.convert(vm());
    const before = await client.reaches(id, 'completed');
    await outboxIsEmpty();
    await first.kill('SIGKILL');
    // What such a kill leaves behind, for each message that the job had; and the same commands under ids that no server knows.
    await stack.db.query('UPDATE outbox SET published_at = NULL WHERE job_id = $1', [id]);
    for (const name of ['EXPORT_NORMAL', 'CONVERSION_NORMAL', 'FACTS']) {
      const { config } = await jsm.streams.info(name);
      await jsm.streams.update(name, { ...config, duplicate_window: 100_000_000 });
    }
    const { rows } = await stack.db.query<{ type: string; data: object }>(
      "SELECT type, data FROM outbox WHERE job_id = $1 AND kind = 'command'",
      [id],
    );
    for (const { type, data } of rows) {
      const head = headers();
      head.set('ce-id', `again-${type}`);
      head.set('ce-type', type);
      const subject = `${type.replace('.v1', '')}.normal.any.${id}`;
      await connection.jetstream().publish(subject, JSON.stringify(data), { headers: head, msgID: `again-${type}` });
    }
    const second = new Client(await start());
    await outboxIsEmpty();
    await until(
      async () => {
        const lanes = await Promise.all(['EXPORT_NORMAL', 'CONVERSION_NORMAL'].map((name) => jsm.streams.info(name)));
        return lanes.reduce((sum, { state }) => sum + state.messages, 0);
      },
      (left) => left === 0,
    );
    // Behind them in the queues: when it is through, they were looked at, and so were the facts of their ends.
    await second.reaches(await second.convert(vm()), 'completed');
    expect(counted.exports.filter((one) => one === `${id} 1`)).toHaveLength(1);
    expect(counted.conversions.filter((one) => one === `${id} 1`)).toHaveLength(1);
    const { updated_at, status } = await second.job(id);
    expect({ updated_at, status }).toEqual({ updated_at: before.updated_at, status: 'completed' });
  });
});

it('two gateways side by side keep the order of each job and send nothing twice, 300 jobs at once', async () => {
  const two = await Promise.all([start(), start()]);
  const seen = new Map<string, string[]>();
  const subscription = connection.subscribe('job.reprioritised.>', {
    callback: (_, message) => {
      const id = message.subject.split('.').at(-1) ?? '';
      seen.set(id, [...(seen.get(id) ?? []), message.headers?.get('ce-id') ?? '']);
    },
  });
  await connection.flush();
  // In pieces, the jobs' rows mixed, while both are at work.
  for (let piece = 0; piece < 4; piece += 1)
    await stack.db.query(
      `INSERT INTO outbox (id, job_id, kind, type, data)
       SELECT gen_random_uuid(), id, 'fact', 'job.reprioritised.v1',
         jsonb_build_object('job_id', id, 'vm_name', n::text, 'priority', 'low')
       FROM generate_series(1, 3) AS n, LATERAL (
         SELECT 'job-order' || lpad(job::text, 4, '0') AS id FROM generate_series(1, 300) AS job) AS jobs
       ORDER BY n, random()`,
    );
  await outboxIsEmpty();
  await subscription.drain();
  const { rows } = await stack.db.query<{ job_id: string; ids: string[] }>(
    "SELECT job_id, array_agg(id::text ORDER BY seq) AS ids FROM outbox WHERE job_id LIKE 'job-order%' GROUP BY job_id",
  );
  expect(rows).toHaveLength(300);
  for (const { job_id, ids } of rows) expect([job_id, seen.get(job_id)]).toEqual([job_id, ids]);
  expect(two.map((gateway) => gateway.log()).join('')).not.toContain('could not be published');
});
