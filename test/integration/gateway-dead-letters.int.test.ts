import { DeadLetterDetail, DeadLetterList, DeadLetterResent, JobError, type DeadLetter } from '@hyper2kvm/contracts';
import { createLogger, openBus, type Bus } from '@hyper2kvm/runtime';
import { headers } from 'nats';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

const PATH = '/api/v1/dead-letters';
const SECRET = 'v1.key1.bm9uY2Vub25jZQ.Y2lwaGVydGV4dC1hbmQtdGFn';
let stack: Stack;
let client: Client;
let bus: Bus;
let close: (() => Promise<void>) | undefined;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  stack = await startStack();
  client = new Client(await stack.gateway());
  const logger = createLogger('test', 'error');
  const nats = { servers: stack.nats.servers, replicas: 1 };
  ({ bus, close } = await openBus({ nats, service: 'test', workerId: 'test', logger }));
});
afterEach(async () => {
  await stop?.();
  stop = undefined;
});
afterAll(async () => {
  await close?.();
  await stack?.stop();
});

/** A message that somebody put aside, or published. */
async function publish(subject: string, body: unknown, ce: Record<string, string> = {}): Promise<void> {
  const hdrs = headers();
  for (const [name, value] of Object.entries(ce)) hdrs.set(name, value);
  await bus.js.publish(subject, typeof body === 'string' ? body : JSON.stringify(body), { headers: hdrs });
}
const list = async (query = ''): Promise<DeadLetterList> =>
  DeadLetterList.parse(await (await client.send('GET', `${PATH}${query}`)).json());
const letterOf = async (subject: string): Promise<DeadLetter> => {
  const found = await until(
    async () => (await list()).dead_letters.find((one) => one.subject === subject),
    (letter) => letter !== undefined,
  );
  if (found === undefined) throw new Error(`no dead letter ${subject}`);
  return found;
};
const resend = async (id: string): Promise<DeadLetterResent> => {
  const response = await client.send('POST', `${PATH}/${id}/resend`);
  expect(response.status).toBe(202);
  return DeadLetterResent.parse(await response.json());
};

it('lists them newest first in pages, shows them without secrets, and drops them', async () => {
  for (let count = 1; count <= 5; count += 1) {
    const body = { source: { password_sealed: SECRET, server: 'vc' }, count };
    const dead = {
      'h2k-dead-reason': 'because',
      'h2k-dead-source': 'exporter',
      'h2k-dead-time': new Date().toISOString(),
    };
    await publish(`dead.export.requested.low.any.job-aaaaa${count}`, body, {
      'ce-type': 'export.requested.v1',
      ...dead,
    });
  }
  await publish('dead.task.verify.any.hm', `password="geheim", sealed ${SECRET} in no JSON`);
  const first = await list('?limit=4');
  expect(first.total).toBe(6);
  expect(first.dead_letters[0]).toMatchObject({
    subject: 'task.verify.any.hm',
    type: null,
    about: null,
    source: 'unknown',
  });
  expect(first.dead_letters[1]).toMatchObject({ about: 'job-aaaaa5', reason: 'because', source: 'exporter' });
  const second = await list(`?limit=4&cursor=${first.next_cursor}`);
  expect([...first.dead_letters, ...second.dead_letters].map(({ id }) => Number(id))).toEqual([6, 5, 4, 3, 2, 1]);
  expect(second.next_cursor).toBeNull();
  expect(await client.refused(client.send('GET', `${PATH}?cursor=x`))).toMatchObject({ code: 'BAD_REQUEST' });

  const shown = DeadLetterDetail.parse(await (await client.send('GET', `${PATH}/5`)).json());
  expect(shown.headers).toEqual({ 'ce-type': 'export.requested.v1' });
  expect(shown.data).toEqual({ source: { password_sealed: '[redacted]', server: 'vc' }, count: 5 });
  const text = await (await client.send('GET', `${PATH}/6`)).text();
  expect(text).not.toMatch(/geheim|Y2lwaGVydGV4dC1hbmQtdGFn/);
  expect(text).toContain('in no JSON');

  for (const { id } of [...first.dead_letters, ...second.dead_letters])
    expect((await client.send('DELETE', `${PATH}/${id}`)).status).toBe(204);
  for (const [method, path] of [
    ['GET', `${PATH}/5`],
    ['DELETE', `${PATH}/5`],
    ['POST', `${PATH}/5/resend`],
    ['GET', `${PATH}/0`],
    ['GET', `${PATH}/9999999999999999`],
  ] as const)
    expect(await client.refused(client.send(method, path))).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  expect(await list()).toEqual({ dead_letters: [], total: 0, next_cursor: null });
});

it('has the job of a command tried again when it failed, and says why when it did not', async () => {
  const gate = new Gate();
  stop = await startWorkers(stack.nats.servers, {
    converting: async (_, work) => gate.passed(work.signal),
    slots: 1,
  });
  const holding = await client.convert('holding');
  await client.reaches(holding, 'converting');
  const job = await client.convert('spoilt');
  await client.reaches(job, 'exported');
  // Its message waits behind the one that is held: another, which nobody can read, ends the job.
  const subject = `conversion.requested.high.any.${job}`;
  await publish(subject, 'not JSON');
  gate.open();
  await client.reaches(holding, 'completed');
  const letter = await letterOf(subject);
  expect(letter).toMatchObject({ about: job, source: 'converter', bytes: 8 });
  expect(letter.reason).toMatch(/ce-id or ce-type/);
  expect((await client.reaches(job, 'failed')).failure?.code).toBe('INVALID_MESSAGE');
  expect(await resend(letter.id)).toMatchObject({ action: 'retried' });
  await client.reaches(job, 'completed');
  expect((await list()).total).toBe(0);

  await publish(`dead.${subject}`, 'not JSON');
  const again = await letterOf(subject);
  const refusal = await client.refused(client.send('POST', `${PATH}/${again.id}/resend`));
  expect(refusal).toMatchObject({ code: 'STATE_CONFLICT' });
  expect(refusal.detail).toMatch(/completed.*drop the message/);
  await publish('dead.export.requested.low.any.job-nobody00', 'x');
  const nobody = await letterOf('export.requested.low.any.job-nobody00');
  expect(await client.refused(client.send('POST', `${PATH}/${nobody.id}/resend`))).toMatchObject({ code: 'NOT_FOUND' });
  // What could not be sent again stays.
  expect((await list()).total).toBe(2);
});

it('publishes facts and tasks again, unless the record of a task says that it has its end', async () => {
  const gate = new Gate();
  stop = await startWorkers(stack.nats.servers, { exporting: async (_, work) => gate.passed(work.signal) });
  const job = await client.convert('told-late');
  await client.reaches(job, 'exporting');
  const failure = new JobError('VM_NOT_FOUND', 'it is gone').toFailure();
  const fact = { job_id: job, attempt: 1, worker: 'somebody', failure };
  const ce = {
    'ce-id': `late-${job}`,
    'ce-type': 'export.failed.v1',
    'ce-subject': job,
    'ce-time': new Date().toISOString(),
  };
  await publish(`dead.export.failed.${job}`, fact, {
    ...ce,
    'Nats-Msg-Id': 'x',
    'h2k-dead-reason': 'the database was gone',
  });
  const letter = await letterOf(`export.failed.${job}`);
  expect(await resend(letter.id)).toMatchObject({ action: 'republished' });
  expect((await client.reaches(job, 'failed')).failure?.message).toBe('it is gone');
  gate.open();

  const done = await client.convert('done');
  await client.reaches(done, 'completed');
  expect((await client.send('POST', `/api/v1/jobs/${done}/verify`)).status).toBe(202);
  await until(
    async () => (await (await client.send('GET', `/api/v1/jobs/${done}/verify`)).json()) as { status: string },
    ({ status }) => status === 'completed',
  );
  await publish(`task.verify.any.${done}`, 'not JSON');
  const task = await letterOf(`task.verify.any.${done}`);
  const refusal = await client.refused(client.send('POST', `${PATH}/${task.id}/resend`));
  expect(refusal.code).toBe('STATE_CONFLICT');
  expect(refusal.detail).toContain(`hyperctl verify --job ${done}`);

  await publish('task.import.any.job-unknown0', 'not JSON');
  const unknown = await letterOf('task.import.any.job-unknown0');
  expect(await resend(unknown.id)).toMatchObject({ action: 'republished' });
  // Its worker understands it no better than before.
  await until(
    async () => letterOf('task.import.any.job-unknown0'),
    ({ id }) => id !== unknown.id,
  );
  await publish('dead.nobody.knows', '{}');
  const strange = await letterOf('nobody.knows');
  expect(await client.refused(client.send('POST', `${PATH}/${strange.id}/resend`))).toMatchObject({
    code: 'STATE_CONFLICT',
  });
});
