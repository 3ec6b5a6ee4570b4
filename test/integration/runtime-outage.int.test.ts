// Restarts of the server, deleted consumers and rubbish: nothing of it may leave a service deaf, or be told twice.
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload, type MicroserviceOptions } from '@nestjs/microservices';
import {
  describeVm,
  ExportOptions,
  exportRequested,
  jobCancelled,
  jobLog,
  JobError,
  LANES,
  laneStream,
  type ExportRequested,
  type JobLog,
} from '@hyper2kvm/contracts';
import {
  createLogger,
  FactContext,
  JetStreamStrategy,
  OnCommand,
  OnFact,
  OnRequest,
  openBus,
  WorkContext,
} from '@hyper2kvm/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNats, type NatsServer } from '../support/nats.js';

const facts: string[] = [];
const started: string[] = [];
let stopped: unknown;
let reply: unknown;

@Controller()
class AllController {
  @OnCommand(exportRequested)
  async work(@Payload() data: ExportRequested, @Ctx() work: WorkContext): Promise<unknown> {
    started.push(data.job_id);
    if (data.vm_name === 'stays')
      await new Promise((_resolve, reject) =>
        work.signal.addEventListener('abort', () => reject(work.signal.reason as Error)),
      ).catch((error: unknown) => {
        stopped = error;
        throw error;
      });
    throw new JobError('VM_NOT_FOUND', 'no VM of that name');
  }

  @OnFact(jobCancelled)
  async fact(@Payload() _data: unknown, @Ctx() context: FactContext): Promise<void> {
    facts.push(context.eventId);
  }

  @OnRequest(describeVm)
  async describe(): Promise<unknown> {
    return reply;
  }
}

@Module({ controllers: [AllController] })
class AllModule {}

const logger = createLogger('test', 'fatal');
let nats: NatsServer;
let end: () => Promise<void>;
let test: Awaited<ReturnType<typeof openBus>>;

const source = {
  kind: 'vsphere' as const,
  server: 'x',
  username: 'u',
  password_sealed: 'v1.a.b.c',
  tls: { insecure: false },
};
const command = (jobId: string, vmName = 'vm'): ExportRequested => ({
  job_id: jobId,
  attempt: 1,
  generation: 0,
  lane: 'normal',
  pool: 'any',
  options: ExportOptions.parse({}),
  vm_name: vmName,
  source,
});
const send = async (data: ExportRequested) => test.queue.send(exportRequested, data, { eventId: `e-${data.job_id}` });
const tell = async (eventId: string) =>
  test.bus.publish(jobCancelled, 'job-abcdef', { job_id: 'job-abcdef', vm_name: 'vm', cancelled_by: 'x' }, { eventId });
const again = async (pause: number): Promise<void> => {
  await nats.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, pause));
  await nats.start();
};
const dead = async (): Promise<string[]> =>
  Object.keys((await test.bus.jsm.streams.info('DEAD_LETTERS', { subjects_filter: '>' })).state.subjects ?? {});
/** Repeated until the server that just started takes it. */
const surely = async (action: () => Promise<unknown>): Promise<void> =>
  expect
    .poll(
      async () =>
        action().then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);

beforeAll(async () => {
  nats = await startNats();
  const options = { nats: { servers: nats.servers, replicas: 1 }, logger };
  test = await openBus({ ...options, service: 'test', workerId: 'test' });
  const own = await openBus({ ...options, service: 'exporter', workerId: 'w' });
  const strategy = new JetStreamStrategy({
    ...own,
    logger,
    service: 'exporter',
    workerId: 'w',
    pools: ['any'],
    slots: 1,
    graceMs: 0,
  });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(AllModule, { strategy, logger: false });
  await app.listen();
  end = async () => {
    await app.close();
    await own.close();
  };
});
afterAll(async () => {
  await end();
  await test.close();
  await nats.stop();
});

describe('a service', () => {
  it('goes on hearing facts and taking work after the server was started anew, and after its consumers were deleted', async () => {
    await tell('first');
    await expect.poll(() => facts).toEqual(['first']);
    await again(500);
    await surely(async () => tell('second'));
    await expect.poll(() => facts, { timeout: 15_000 }).toEqual(['first', 'second']);
    await surely(async () => send(command('job-after1')));
    await expect.poll(() => started, { timeout: 15_000 }).toContain('job-after1');

    const { consumers } = test.bus.jsm;
    await consumers.delete('FACTS', 'exporter-job-cancelled');
    for (const lane of LANES) await consumers.delete(laneStream(exportRequested.name, lane), 'workers-any');
    await tell('third');
    await send(command('job-after2'));
    await expect.poll(() => facts, { timeout: 15_000 }).toContain('third');
    await expect.poll(() => started, { timeout: 15_000 }).toContain('job-after2');
  });

  it('puts aside what it cannot understand, whatever its subject and size', async () => {
    const subjects = ['job$bad', 'job-abcdef.more', 'job-toolarge1'].map((id) => `export.requested.normal.any.${id}`);
    for (const subject of subjects)
      await test.bus.js.publish(subject, subject.includes('large') ? 'x'.repeat(1024 * 1024) : 'x');
    await expect
      .poll(dead, { timeout: 15_000 })
      .toEqual(expect.arrayContaining(subjects.map((subject) => `dead.${subject}`)));
    await expect.poll(async () => (await test.bus.jsm.streams.info('EXPORT_NORMAL')).state.messages).toBe(0);
  });

  it('answers every question, also with the defect of its answer', async () => {
    reply = { not: 'a machine' };
    await expect(test.bus.request(describeVm, { source, vm_name: 'vm' })).rejects.toMatchObject({ code: 'INTERNAL' });
    const raw = await test.bus.connection.request(describeVm.subject, 'not json', { timeout: 5_000 });
    expect(raw.json()).toMatchObject({ failure: { code: 'INVALID_MESSAGE' } });
  });

  it('is told at once that its job was cancelled, and that it was not taken by another', async () => {
    const data = command('job-cancel1', 'stays');
    await send(data);
    await expect.poll(() => started).toContain(data.job_id);
    await test.queue.cancel(exportRequested, data.job_id);
    // Sooner than the lease is renewed.
    await expect.poll(() => stopped, { timeout: 5_000 }).toMatchObject({ kind: 'cancelled' });
  });
});

describe('following a subject', () => {
  it('goes on without gap or duplicate when the server is started anew, and skips what cannot be read', async () => {
    const jobId = 'job-follow1';
    const line = async (index: number) => {
      const data: JobLog = {
        job_id: jobId,
        time: new Date().toISOString(),
        level: 'info',
        phase: 'export',
        message: `${index}`,
      };
      await test.bus.publish(jobLog, jobId, data, { eventId: `line-${index}` });
    };
    for (let index = 0; index < 5; index += 1) await line(index);
    const { last_seq: afterSeq } = (await test.bus.jsm.streams.info('LOGS')).state;
    const abort = new AbortController();
    const seen = { after: [] as string[], fresh: [] as string[] };
    const follow = async (into: string[], options: { from: 'all' | 'new'; afterSeq?: number }) => {
      for await (const { data } of test.bus.follow(jobLog, jobId, { ...options, signal: abort.signal }))
        into.push(data.message);
    };
    const running = Promise.all([follow(seen.after, { from: 'all', afterSeq }), follow(seen.fresh, { from: 'new' })]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await again(300);
    for (let index = 5; index < 40; index += 1) {
      await surely(async () => line(index));
      if (index === 20) await test.bus.js.publish(`job.log.${jobId}`, 'rubbish');
      if (index === 25) await again(300);
    }
    const wanted = Array.from({ length: 35 }, (_, index) => `${index + 5}`);
    await expect.poll(() => seen, { timeout: 5_000 }).toEqual({ after: wanted, fresh: wanted });
    abort.abort();
    await running;
  });
});
