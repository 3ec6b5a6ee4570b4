// What a user can see of a job afterwards: its tries, its timeline, its log.
import { AttemptList, exportFailed, JobError, jobLog, JobLogs, Timeline, type Attempt } from '@hyper2kvm/contracts';
import { createLogger, openBus } from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

let stack: Stack;
let client: Client;
let stopWorkers: () => Promise<void> = async () => {};
let url: string;
let serial = 0;
const vm = (): string => `vm-${(serial += 1)}`;

beforeAll(async () => {
  stack = await startStack();
  const gateway = await stack.gateway({ retry_policy: { retry_delay: 0.1, max_retries: 1 } });
  ({ url } = gateway);
  client = new Client(gateway);
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
});
afterAll(async () => {
  await stack?.stop();
});

const work = async (behaviour: Behaviour): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, behaviour);
};
const ask = async (path: string): Promise<unknown> => (await client.send('GET', path)).json();
const attempts = async (id: string): Promise<Attempt[]> =>
  AttemptList.parse(await ask(`/api/v1/jobs/${id}/attempts`)).attempts;
const timeline = async (id: string) => Timeline.parse(await ask(`/api/v1/jobs/${id}/timeline`)).events;
const named = async (id: string): Promise<string[]> => (await timeline(id)).map(({ event }) => event);

describe('the history of a job', () => {
  it('has every try with its worker, its times and its error, and each step with who asked', async () => {
    let exports = 0;
    await work({
      exporting: async () => {
        if ((exports += 1) === 1) throw new JobError('EXPORT_TRANSFER', 'the line broke');
      },
      converting: async ({ attempt }) => {
        if (attempt === 1) throw new JobError('GUEST_NO_OS', 'nothing that boots');
      },
    });
    const id = await client.convert(vm());
    await client.reaches(id, 'failed');
    await client.send('POST', `/api/v1/jobs/${id}/retry`, {});
    await client.reaches(id, 'completed');
    await client.send('POST', `/api/v1/jobs/${id}/verify`);
    const tried = await until(
      async () => attempts(id),
      (all) => all.some(({ activity, outcome }) => activity === 'verify' && outcome === 'completed'),
    );
    expect(tried.map(({ activity, attempt, outcome, worker }) => [activity, attempt, outcome, worker])).toEqual([
      ['export', 1, 'failed', 'exporter-1'],
      ['export', 2, 'completed', 'exporter-1'],
      ['conversion', 1, 'failed', 'converter-1'],
      ['conversion', 2, 'completed', 'converter-1'],
      ['verify', 1, 'completed', 'converter-1'],
    ]);
    expect(tried[0]?.failure).toMatchObject({ code: 'EXPORT_TRANSFER', message: 'the line broke' });
    expect(tried[1]).toMatchObject({ duration_seconds: 445, failure: null });
    for (const { started_at, ended_at } of tried) {
      expect(started_at).not.toBeNull();
      expect(ended_at).not.toBeNull();
    }
    const events = await timeline(id);
    // Which of two facts of a worker comes first, their consumers decide.
    const begun = ['export.started', 'conversion.started'];
    expect(events.filter(({ event }) => begun.includes(event))).toHaveLength(4);
    const others = events.filter(({ event }) => !begun.includes(event));
    expect(others.map(({ event }) => event)).toEqual([
      'job.created',
      'export.requested',
      'export.failed',
      'job.retried',
      'export.requested',
      'export.completed',
      'conversion.requested',
      'conversion.failed',
      'job.failed',
      'request.retry',
      'job.retried',
      'conversion.requested',
      'conversion.completed',
      'job.completed',
      'request.verify',
      'task.verify',
      'verify.completed',
    ]);
    expect(others[0]).toMatchObject({ by: 'local', message: 'The job is asked for, with priority normal.' });
    expect(others[2]).toMatchObject({ attempt: 1, by: 'exporter-1', message: 'Export 1 failed: the line broke' });
    expect(others[9]).toMatchObject({ by: 'local', message: 'Another attempt is asked for by local.' });
    const recorded = events.map(({ recorded_at }) => recorded_at);
    expect(recorded).toEqual(recorded.toSorted());
  });

  it('ends the tries of a cancelled job, those that ran and those that waited', async () => {
    const gate = new Gate();
    await work({ converting: async (_, { signal }) => gate.passed(signal), slots: 1 });
    const [first, second] = [await client.convert(vm()), await client.convert(vm())];
    await until(
      async () => Promise.all([client.job(first), client.job(second)]),
      (both) => both.some(({ status }) => status === 'converting') && both.every(({ phase }) => phase === 'conversion'),
    );
    for (const id of [first, second]) {
      expect((await attempts(id)).at(-1)).toMatchObject({ activity: 'conversion', ended_at: null });
      await client.send('DELETE', `/api/v1/jobs/${id}`);
      const tried = await attempts(id);
      expect(tried.find(({ activity }) => activity === 'conversion')).toMatchObject({
        outcome: 'cancelled',
        attempt: 1,
      });
      expect(tried.find(({ activity }) => activity === 'conversion')?.ended_at).not.toBeNull();
      const events = await named(id);
      expect(events).toEqual(expect.arrayContaining(['request.cancel', 'conversion.withdrawn', 'job.cancelled']));
    }
  });

  it('notes a fact once, however often it comes, and one that came too late as well', async () => {
    await work({});
    const id = await client.convert(vm());
    await client.reaches(id, 'completed');
    const before = await timeline(id);
    const { rows } = await stack.db.query<{ version: number }>('SELECT version FROM jobs WHERE id = $1', [id]);
    const { bus, close } = await openBus({
      nats: { servers: stack.nats.servers, replicas: 1 },
      service: 'test',
      workerId: 'late',
      logger: createLogger('test', 'error'),
    });
    const failure = new JobError('EXPORT_TRANSFER', 'long ago').toFailure();
    const { config } = await bus.jsm.streams.info('FACTS');
    await bus.jsm.streams.update('FACTS', { ...config, duplicate_window: 100_000_000 });
    for (let times = 0; times < 3; times += 1) {
      await bus.publish(
        exportFailed,
        id,
        { job_id: id, attempt: 1, worker: 'late', failure },
        { eventId: `late-${id}` },
      );
      // Past the window for duplicates: the server takes it again, the inbox does not.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const after = await until(
      async () => timeline(id),
      (events) => events.length > before.length,
    );
    await close();
    expect(after.slice(before.length)).toEqual([
      expect.objectContaining({ event: 'export.failed', by: 'late', message: 'Export 1 failed: long ago' }),
    ]);
    expect((await stack.db.query('SELECT version FROM jobs WHERE id = $1', [id])).rows).toEqual(rows);
    expect((await attempts(id))[0]).toMatchObject({ activity: 'export', outcome: 'completed' });
  });

  it('is not there of a job that is not', async () => {
    for (const what of ['attempts', 'timeline', 'logs?follow=true'])
      expect(await client.refused(client.send('GET', `/api/v1/jobs/job-notthere/${what}`))).toMatchObject({
        code: 'JOB_NOT_FOUND',
      });
  });
});

interface Told {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Events of a stream of the API, as they come; `ended` when the gateway closed it. */
function follow(path: string, headers: Record<string, string> = {}): { events: Told[]; ended: Promise<void> } {
  const events: Told[] = [];
  const ended = (async () => {
    const response = await fetch(url + path, { headers });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const event = field('event');
        if (event !== undefined) events.push({ id: field('id'), event, data: JSON.parse(field('data') ?? '{}') });
      }
    }
  })();
  return { events, ended };
}

const texts = (lines: JobLogs['lines']): string[] => lines.map(({ message }) => message);

describe('the log of a job', () => {
  it('is given by time, level, place and number, and followed until its last line', async () => {
    const gate = new Gate();
    await work({
      exporting: async (_, own) => {
        for (let line = 1; line <= 20; line += 1) own.log(line % 5 === 0 ? 'warn' : 'info', `line ${line}`);
        await gate.passed(own.signal);
        own.enterStep('trim');
        own.output('qemu-img', 'what a program printed');
        own.log('error', 'the last one of the export');
      },
    });
    const id = await client.convert(vm());
    const logs = async (query = ''): Promise<JobLogs['lines']> =>
      JobLogs.parse(await ask(`/api/v1/jobs/${id}/logs${query}`)).lines;
    const all = await until(logs, (lines) => lines.some(({ message }) => message === 'line 20'));
    const own = all.filter(({ message }) => message.startsWith('line '));
    expect(texts(await logs('?level=warn'))).toEqual(['line 5', 'line 10', 'line 15', 'line 20']);
    expect(texts(await logs('?level=warn&tail=2'))).toEqual(['line 15', 'line 20']);
    expect(texts(await logs(`?after=${own[17]?.seq}`))).toEqual(['line 19', 'line 20']);
    expect(await logs(`?until=2020-01-01T00:00:00Z`)).toEqual([]);
    expect(await logs(`?since=${own[0]?.time}`)).toEqual(all.slice(all.indexOf(own[0] as (typeof all)[number])));

    const warnings = follow(`/api/v1/jobs/${id}/logs?follow=true&tail=2&level=warn`);
    const resumed = follow(`/api/v1/jobs/${id}/logs?follow=true&tail=1`, { 'last-event-id': String(own[17]?.seq) });
    for (const { events } of [warnings, resumed])
      await until(
        async () => events.length,
        (count) => count === 2,
      );
    gate.open();
    await Promise.all([warnings.ended, resumed.ended]);
    expect(warnings.events.map(({ event, data }) => [event, data['message'] ?? data['status']])).toEqual([
      ['log', 'line 15'],
      ['log', 'line 20'],
      ['log', 'the last one of the export'],
      ['end', 'completed'],
    ]);
    expect(warnings.events[1]?.id).toBe(String(own[19]?.seq));
    const printed = await logs();
    expect(printed.filter(({ source }) => source !== undefined)).toMatchObject([
      { level: 'debug', source: 'qemu-img', step: 'trim', message: 'what a program printed' },
    ]);
    expect(texts(await logs('?level=info'))).not.toContain('what a program printed');
    const rest = resumed.events.map(({ data }) => data['message']);
    expect(rest.slice(0, 2)).toEqual(['line 19', 'line 20']);
    expect(rest).toContain('the last one of the export');
    expect(resumed.events.at(-1)?.event).toBe('end');
  });

  it('of a job that ended long ago is told whole, with its end', async () => {
    await work({});
    const id = await client.convert(vm());
    await client.reaches(id, 'completed');
    const { bus, close } = await openBus({
      nats: { servers: stack.nats.servers, replicas: 1 },
      service: 'test',
      workerId: 'logger',
      logger: createLogger('test', 'error'),
    });
    const line = { job_id: id, time: new Date().toISOString(), level: 'info', phase: 'conversion' } as const;
    for (let n = 0; n < 1500; n += 1) bus.send(jobLog, id, { ...line, message: `more ${n}` });
    await bus.publish(jobLog, id, { ...line, message: 'at last' });
    for (const path of [`/api/v1/jobs/${id}/logs?follow=true&tail=10000`, `/api/v1/jobs/${id}/events`]) {
      const { events, ended } = follow(path);
      await ended;
      const lines = events.filter(({ event }) => event === 'log');
      expect(lines.filter(({ data }) => String(data['message']).startsWith('more '))).toHaveLength(1500);
      expect(lines.at(-1)?.data['message']).toBe('at last');
    }
    // However old: lines go with their job, or by their number.
    expect((await bus.jsm.streams.info('LOGS')).config).toMatchObject({ max_age: 0, max_msgs: 10_000_000 });
    // The limits of the stream take the oldest away: the log says so, where its beginning is shown.
    const first = async (query: string): Promise<string | undefined> =>
      JobLogs.parse(await ask(`/api/v1/jobs/${id}/logs${query}`)).lines[0]?.message;
    expect(await first('?tail=10000')).toMatch(/^Export, attempt 1, begins/);
    const oldest = JobLogs.parse(await ask(`/api/v1/jobs/${id}/logs?tail=10000`)).lines[0]?.seq ?? 0;
    await bus.jsm.streams.deleteMessage('LOGS', oldest);
    expect(await first('?tail=10000')).toMatch(/^Older lines of this log are not kept any more/);
    expect(await first('?tail=3')).toBe('more 1498');
    expect(await first(`?after=${oldest}`)).not.toMatch(/^Older/);
    const { events, ended } = follow(`/api/v1/jobs/${id}/logs?follow=true&tail=10000`);
    await ended;
    expect(events[0]?.data['message']).toMatch(/^Older lines/);
    await close();
  });
});
