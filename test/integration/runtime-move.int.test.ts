// A waiting command goes to another lane: at every point where the mover may be killed, on a real JetStream.
import { exportRequested, type CommandFence, type Lane } from '@hyper2kvm/contracts';
import { Claims, CommandQueue, createLogger, openBus, type Bus } from '@hyper2kvm/runtime';
import { AckPolicy, NatsError } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNats, type NatsServer } from '../support/nats.js';

let nats: NatsServer;
let close: () => Promise<void>;
let bus: Bus;
let claims: Claims;
let queue: CommandQueue;
let serial = 0;

const SOURCE = { kind: 'ova', path: '/images/vm.ova' };
const command = (lane: Lane = 'low') => ({
  job_id: `job-moved${String((serial += 1)).padStart(4, '0')}`,
  attempt: 1,
  generation: 0,
  lane,
  pool: 'any',
  vm_name: 'vm',
  source: SOURCE,
  options: {},
});
const to = (data: ReturnType<typeof command>, lane: Lane, generation = data.generation + 1) => ({
  ...data,
  lane,
  generation,
});
const options = (data: CommandFence) => ({ eventId: `${data.job_id}-${data.generation}` });

/** What workers of a lane would get now, in order: the jobs whose record lets them start. */
async function starts(lane: Lane): Promise<string[]> {
  const consumer = await bus.js.consumers.get(`EXPORT_${lane.toUpperCase()}`, 'workers-any');
  const started: string[] = [];
  while ((await consumer.info()).num_pending > 0) {
    const message = await consumer.next({ expires: 1000 });
    if (message === null) break;
    const data = message.json<CommandFence>();
    const take = await claims.take('export', data, 3);
    if (take.kind === 'taken') started.push(data.job_id);
    if (take.kind === 'taken') await take.lease.finish({ event_id: 'e', type: 'x', data: {}, time: '' });
    expect(await message.ackAck()).toBe(true);
  }
  return started;
}
const record = async (jobId: string) => (await claims.get('export', jobId))?.record;
const inLane = async (lane: Lane): Promise<number> =>
  (await bus.jsm.streams.info(`EXPORT_${lane.toUpperCase()}`)).state.messages;

const dies = (): never => {
  throw new NatsError('killed', 'TIMEOUT');
};

/** A mover that is killed at its n-th call of one of its tools. */
function killed(at: 'publish' | 'delete' | 'change', times = 1): CommandQueue {
  let calls = 0;
  const changing = Object.create(claims, {
    change: {
      value: (...call: Parameters<Claims['change']>) =>
        at === 'change' && (calls += 1) === times ? dies() : claims.change(...call),
    },
  }) as Claims;
  const streams = Object.create(bus.jsm.streams, {
    deleteMessage: { value: at === 'delete' ? dies : bus.jsm.streams.deleteMessage.bind(bus.jsm.streams) },
  }) as Bus['jsm']['streams'];
  const broken = Object.create(bus, {
    publishTo: { value: at === 'publish' ? dies : bus.publishTo.bind(bus) },
    jsm: { value: { streams } },
  }) as Bus;
  return new CommandQueue(broken, changing);
}

beforeAll(async () => {
  nats = await startNats();
  ({ bus, claims, queue, close } = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'test',
    workerId: 't',
    logger: createLogger('test', 'error'),
  }));
  for (const lane of ['HIGH', 'NORMAL', 'LOW'])
    await bus.jsm.consumers.add(`EXPORT_${lane}`, {
      durable_name: 'workers-any',
      filter_subject: `export.requested.${lane.toLowerCase()}.any.>`,
      ack_policy: AckPolicy.Explicit,
    });
});
afterAll(async () => {
  await close?.();
  await nats?.stop();
});

it.each([
  ['before the record', 'change', 1],
  ['after the record', 'publish', 1],
  ['after the publish', 'change', 2],
  ['before the delete', 'delete', 1],
  ['before the end is noted', 'change', 3],
] as const)('a mover killed %s: one start in the new lane, none in the old', async (_, at, times) => {
  const [data, behind] = [command(), command()];
  for (const one of [data, behind]) await queue.send(exportRequested, one, options(one));
  const moved = to(data, 'high');
  const mover = killed(at, times);
  await mover
    .move(exportRequested, moved, options(moved))
    .catch((error: Error) => expect(error.message).toBe('killed'));
  await queue.move(exportRequested, moved, options(moved));
  expect(await record(data.job_id)).toMatchObject({ lane: 'high', generation: 1, left: [] });
  expect(await inLane('low')).toBe(1);
  expect(await starts('high')).toEqual([data.job_id]);
  // The one behind it in the old lane is not stranded.
  expect(await starts('low')).toEqual([behind.job_id]);
});

it('between record and publish the old message starts nothing, and the job is not lost', async () => {
  const data = command();
  await queue.send(exportRequested, data, options(data));
  const moved = to(data, 'high');
  await expect(killed('publish').move(exportRequested, moved, options(moved))).rejects.toThrow('killed');
  expect(await starts('low')).toEqual([]);
  await queue.move(exportRequested, moved, options(moved));
  expect(await starts('high')).toEqual([data.job_id]);
});

it('after the publish the new message may start before the mover goes on, which then changes nothing', async () => {
  const data = command();
  await queue.send(exportRequested, data, options(data));
  const moved = to(data, 'high');
  await expect(killed('change', 2).move(exportRequested, moved, options(moved))).rejects.toThrow('killed');
  expect(await starts('high')).toEqual([data.job_id]);
  await queue.move(exportRequested, moved, options(moved));
  expect([await starts('high'), await starts('low')]).toEqual([[], []]);
});

it('moved several times, there and back, it starts once and where it was moved last', async () => {
  const data = command();
  await queue.send(exportRequested, data, options(data));
  for (const [index, lane] of (['high', 'low', 'normal', 'low'] as const).entries()) {
    const moved = to(data, lane, index + 1);
    // Every second one is cut off in its midst, and is repeated by the relay before the next.
    if (index % 2 === 1)
      await killed('publish')
        .move(exportRequested, moved, options(moved))
        .catch(() => {});
    await queue.move(exportRequested, moved, options(moved));
  }
  expect([await starts('high'), await starts('normal')]).toEqual([[], []]);
  expect(await starts('low')).toEqual([data.job_id]);
});

it('what a worker has stays with it; what ended or was cancelled does not come again', async () => {
  const [held, ended, cancelled] = [command(), command(), command()];
  for (const one of [held, ended, cancelled]) await queue.send(exportRequested, one, options(one));
  const take = await claims.take('export', held, 3);
  const end = await claims.take('export', ended, 3);
  if (take.kind !== 'taken' || end.kind !== 'taken') throw new Error('not taken');
  await end.lease.finish({ event_id: 'e', type: 'x', data: {}, time: '' });
  await queue.cancel(exportRequested, cancelled.job_id);
  for (const one of [held, ended, cancelled]) {
    const before = await record(one.job_id);
    await queue.move(exportRequested, to(one, 'high'), options(to(one, 'high')));
    expect(await record(one.job_id)).toEqual(before);
  }
  await take.lease.renew();
  expect(await inLane('high')).toBe(0);
});

it('what was not sent yet is sent in the new lane, and a late send of the old one does nothing', async () => {
  const data = command();
  const moved = to(data, 'high');
  await queue.move(exportRequested, moved, options(moved));
  await queue.send(exportRequested, data, options(data));
  expect([await starts('low'), await starts('high')]).toEqual([[], [data.job_id]]);
});

it('a cancel in the midst of a move takes both messages out', async () => {
  const data = command();
  await queue.send(exportRequested, data, options(data));
  const before = [await inLane('low'), await inLane('high')];
  const moved = to(data, 'high');
  await killed('change', 3)
    .move(exportRequested, moved, options(moved))
    .catch(() => {});
  await queue.cancel(exportRequested, data.job_id);
  expect([await inLane('low'), await inLane('high')]).toEqual([(before[0] ?? 0) - 1, before[1]]);
});

it('a command whose place is known is not sent again, also when the window for duplicates is over', async () => {
  const data = command('normal');
  await queue.send(exportRequested, data, options(data));
  const { config } = await bus.jsm.streams.info('EXPORT_NORMAL');
  // In nanoseconds: nothing is recognised by its id any more.
  await bus.jsm.streams.update('EXPORT_NORMAL', { ...config, duplicate_window: 100_000_000 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await queue.send(exportRequested, data, options(data));
  expect(await inLane('normal')).toBe(1);
});
