import { JobError, type ConvertAccepted, type Machine, type Source } from '@hyper2kvm/contracts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { copyJobs } from './gateway-rows.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { machine, startWorkers, type Behaviour } from './gateway-workers.js';

const VCENTER = { server: 'vc.example.com', username: 'u', password: 'a-password' };
/** Retries follow at once. */
const SECTIONS = { retry_policy: { retry_delay: 0.3, max_retries: 3 } };
let stack: Stack;
let gateways: Gateway[];
let client: Client;
let stopWorkers: (() => Promise<void>) | undefined;
/** VMs as exporters were asked for them, exports aside. */
const looks: string[] = [];

beforeAll(async () => {
  stack = await startStack();
  const [one, two] = await Promise.all([stack.gateway(SECTIONS), stack.gateway(SECTIONS)]);
  gateways = [one, two];
  client = new Client(one);
});
afterEach(async () => {
  await stopWorkers?.();
  stopWorkers = undefined;
  looks.length = 0;
  await stack.db.query("UPDATE jobs SET status = 'cancelled' WHERE status IN ('pending', 'exporting', 'exported')");
});
afterAll(async () => {
  await stack?.stop();
});

type Look = (request: { source: Source; vm_name: string }) => Machine | Promise<Machine>;
const work = async (look: Look = ({ vm_name: name }) => machine(name), more: Behaviour = {}): Promise<void> => {
  const describe: Look = (request) => {
    // An export asks as well: its request has the job.
    if (!('job_id' in request)) looks.push(request.vm_name);
    return look(request);
  };
  stopWorkers = await startWorkers(stack.nats.servers, { describe, ...more });
};
const ask = async (vm: string, options: object): Promise<ConvertAccepted> => {
  const response = await client.send('POST', '/api/v1/convert', { vm_name: vm, options, vcenter: VCENTER });
  expect(response.status).toBe(202);
  return (await response.json()) as ConvertAccepted;
};
const soon = (ms: number): string => new Date(Date.now() + ms).toISOString();
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const day = (offset: number): string => WEEKDAYS[(new Date().getUTCDay() + offset + 7) % 7] ?? '';
/** Closed today and tomorrow; open now. */
const CLOSED = `${day(3)} 08:00-09:00 UTC`;
const OPEN = `${day(-1)},${day(0)},${day(1)} 00:00-24:00 UTC`;
/** Its time comes as if the clock were put. */
const due = (id: string): Promise<unknown> =>
  stack.db.query("UPDATE jobs SET not_before = NULL, options = options - 'window' - 'not_before' WHERE id = $1", [id]);

// The first one: nobody has seen a converter yet.
it('without a converter no VM that is to go to a libvirt is asked for, and others go on', async () => {
  stopWorkers = await startWorkers(
    stack.nats.servers,
    {
      describe: (request) => {
        if (!('job_id' in request)) looks.push(request.vm_name);
        return machine(request.vm_name);
      },
    },
    ['exporter'],
  );
  const ids: string[] = [];
  for (const n of [1, 2, 3]) ids.push((await ask(`vm-libvirt-${n}`, { window: OPEN, to_libvirt: true })).job_id);
  await client.reaches((await ask('vm-files', { window: OPEN })).job_id, 'exported');
  expect(looks).toEqual(['vm-files']);
  expect((await client.job(ids[0] ?? '')).waiting_reason).toBe('no converter is running that could look at its target');
  await stopWorkers();
  await work();
  for (const id of ids) await client.reaches(id, 'completed');
});

it('a scheduled VM is not looked at before its time, says why it waits, and starts by itself', async () => {
  await work();
  const accepted = await ask('vm-later', { not_before: soon(3000) });
  expect(accepted).toMatchObject({ status: 'started', vm_name: 'vm-later', disks: [], estimated_duration: null });
  const waiting = await client.job(accepted.job_id);
  expect(waiting).toMatchObject({
    status: 'pending',
    machine: null,
    queue_position: 1,
    waiting_reason: expect.stringMatching(/^it does not start before \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/),
  });
  const closed = await ask('vm-closed', { window: CLOSED });
  expect(await client.job(closed.job_id)).toMatchObject({
    status: 'pending',
    window: CLOSED,
    waiting_reason: expect.stringMatching(`^its window opens on ${day(3)} .* 08:00 UTC \\(${CLOSED}\\)$`),
  });
  // One that was asked for later passes them.
  await client.reaches(await client.convert('vm-now'), 'completed');
  await client.reaches((await ask('vm-open', { window: OPEN })).job_id, 'completed');
  const started = await client.reaches(accepted.job_id, 'completed');
  expect(started.machine).toMatchObject({ cpus: 2 });
  expect((await client.job(closed.job_id)).status).toBe('pending');
  expect(looks.toSorted()).toEqual(['vm-later', 'vm-now', 'vm-open']);
  const { rows } = await stack.db.query<{ early: boolean }>(
    `SELECT bool_or(event.recorded_at < job.not_before OR job.released_at < job.not_before) AS early
     FROM jobs job JOIN job_events event ON event.job_id = job.id AND event.event = 'job.described' WHERE job.id = $1`,
    [accepted.job_id],
  );
  expect(rows).toEqual([{ early: false }]);
});

const refused = async (options: object, vcenter: object = VCENTER): Promise<string> => {
  const problem = await client.refused(client.send('POST', '/api/v1/convert', { vm_name: 'vm-x', options, vcenter }));
  expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  return problem.detail;
};

it('what is wrong with a schedule or missing in a login is said at once', async () => {
  expect(await refused({ window: 'Sat 22:00-06:00' })).toContain('"Sat 22:00-06:00" has no time zone');
  expect(await refused({ window: 'Caturday 22:00-06:00 UTC' })).toContain('"Caturday" is no day');
  expect(await refused({ window: CLOSED }, { server: 'vc.example.com' })).toContain('vcenter.username is missing');
});

it('a running job is not broken off when its window closes', async () => {
  const gate = new Gate();
  await work(undefined, { exporting: (_data, { signal }) => gate.passed(signal) });
  const { job_id: id } = await ask('vm-runs', { window: OPEN });
  await client.reaches(id, 'exporting');
  await stack.db.query('UPDATE jobs SET options = options || $2 WHERE id = $1', [id, { window: CLOSED }]);
  gate.open();
  await client.reaches(id, 'completed');
});

it('a VM that turns out to be moved already is refused, naming the first job', async () => {
  const gate = new Gate();
  await work(({ vm_name: name }) => machine(name, 'one-and-the-same'), {
    exporting: (_data, { signal }) => gate.passed(signal),
  });
  const first = await client.convert('vm-first');
  await client.reaches(first, 'exporting');
  const { job_id: id } = await ask('vm-second', { window: OPEN });
  const failed = await client.reaches(id, 'failed');
  expect(failed.failure).toMatchObject({
    code: 'VM_BUSY',
    message: `vm-second is already being moved by ${first} (exporting).`,
  });
  expect(failed).toMatchObject({ retry_available: true, cleanup: null });
  gate.open();
  await client.reaches(first, 'completed');
});

it('a passing error is tried again by the retry policy, any other fails the job', async () => {
  let tries = 0;
  await work(({ vm_name: name }) => {
    if (name === 'vm-gone') throw new JobError('VM_NOT_FOUND', 'There is no VM vm-gone.');
    if (name === 'vm-away' && (tries += 1) < 3) throw new JobError('VCENTER_UNREACHABLE', 'vCenter is away.');
    return machine(name);
  });
  const [away, gone] = [await ask('vm-away', { window: OPEN }), await ask('vm-gone', { window: OPEN })];
  const failed = await client.reaches(gone.job_id, 'failed');
  expect(failed.failure).toMatchObject({ code: 'VM_NOT_FOUND' });
  await client.when(away.job_id, (job) => job.waiting_reason?.startsWith('it is tried again at') === true);
  const done = await client.reaches(away.job_id, 'completed');
  expect(done).toMatchObject({ error: null, retry_count: 0 });
});

it('a job whose VM nobody can look at waits with the reason, and no retry is used up', async () => {
  // A heartbeat is all that is left of the exporter.
  const { job_id: id } = await ask('vm-alone', { window: CLOSED });
  await due(id);
  const waiting = await client
    .when(id, (job) => job.waiting_reason?.includes('no exporter') === true)
    .catch(() => null);
  expect(waiting).toMatchObject({ status: 'pending', error: null });
  const { rows } = await stack.db.query('SELECT phase_retries, failure FROM jobs WHERE id = $1', [id]);
  expect(rows).toEqual([{ phase_retries: 0, failure: null }]);
  await work();
  await client.reaches(id, 'completed');
}, 60_000);

it('jobs that were looked at and wait for their window keep nobody from being looked at', async () => {
  await work();
  const { job_id: model } = await ask('vm-model', { window: CLOSED });
  // As when a window has closed on a batch whose hosts were full.
  await copyJobs(
    stack.db,
    model,
    600,
    `jsonb_build_object('machine', '${JSON.stringify(machine('vm-model'))}'::jsonb)`,
  );
  await client.reaches((await ask('vm-in-time', { window: OPEN })).job_id, 'completed');
  await stack.db.query("DELETE FROM jobs WHERE id LIKE 'job-copy%'");
});

it('of two gateways one looks, at few VMs at a time and ahead; what it leaves by a crash the other takes on', async () => {
  await gateways[1]?.kill('SIGKILL');
  let [now, most] = [0, 0];
  const gate = new Gate();
  await work(
    async ({ vm_name: name }) => {
      now += 1;
      most = Math.max(most, now);
      await gate.passed();
      now -= 1;
      return machine(name);
    },
    { slots: 1, exporting: async () => {} },
  );
  const ids: string[] = [];
  for (let n = 0; n < 30; n += 1) ids.push((await ask(`vm-${n}`, { window: CLOSED })).job_id);
  await stack.db.query("UPDATE jobs SET options = options - 'window' WHERE id = ANY ($1)", [ids]);
  await until(
    async () => looks.length,
    (count) => count >= 6,
  );
  // As many as of one vCenter at a time; each by one gateway.
  const second = new Client(await stack.gateway(SECTIONS));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(looks.length).toBe(6);
  await gateways[0]?.kill('SIGKILL');
  gate.open();
  for (const id of ids) await second.reaches(id, 'completed');
  expect(most).toBeLessThanOrEqual(12);
  const twice = ids.length + 6;
  expect(looks.length).toBeGreaterThanOrEqual(ids.length);
  expect(looks.length).toBeLessThanOrEqual(twice);
}, 60_000);
