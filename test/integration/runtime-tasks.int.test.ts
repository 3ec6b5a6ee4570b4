// Tasks: commands without lanes, all kinds in one stream; what they wait for, and what does not stop them. Limits while work runs.
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload, type MicroserviceOptions } from '@nestjs/microservices';
import {
  cleanupCompleted,
  cleanupRequested,
  ExportOptions,
  exportFailed,
  exportRequested,
  jobLog,
  verifyCompleted,
  verifyFailed,
  verifyRequested,
  type CleanupRequested,
  type ExportRequested,
  type VerifyRequested,
} from '@hyper2kvm/contracts';
import {
  createLogger,
  JetStreamStrategy,
  OnCommand,
  openBus,
  WorkContext,
  type BandwidthLimit,
  type Bus,
  type CommandQueue,
} from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startNats, type NatsServer } from '../support/nats.js';

type Handler = (work: WorkContext) => Promise<unknown>;
const cleaned = { removed_snapshots: ['hyper2kvm-x'], removed_files: false };
let onExport: Handler;
let onCleanup: Handler;
let onVerify: Handler;

/** Works until it is told to stop. */
const untilStopped: Handler = async (work) =>
  new Promise((_resolve, reject) => work.signal.addEventListener('abort', () => reject(work.signal.reason as Error)));

@Controller()
class TaskController {
  @OnCommand(exportRequested)
  async export(@Payload() _data: ExportRequested, @Ctx() work: WorkContext): Promise<unknown> {
    return onExport(work);
  }
  @OnCommand(cleanupRequested)
  async cleanup(@Payload() _data: CleanupRequested, @Ctx() work: WorkContext): Promise<unknown> {
    return onCleanup(work);
  }
  @OnCommand(verifyRequested)
  async verify(@Payload() _data: VerifyRequested, @Ctx() work: WorkContext): Promise<unknown> {
    return onVerify(work);
  }
}

@Module({ controllers: [TaskController] })
class TaskModule {}

const logger = createLogger('test', 'error');
let nats: NatsServer;
let bus: Bus;
let queue: CommandQueue;
let close: () => Promise<void>;
const stops: (() => Promise<void>)[] = [];
let serial = 0;

const source = {
  kind: 'vsphere' as const,
  server: 'x',
  username: 'u',
  password_sealed: 'v1.a.b.c',
  tls: { insecure: false },
};
const fence = (attempt = 1) => ({
  job_id: `job-task${String((serial += 1)).padStart(6, '0')}`,
  attempt,
  generation: 0,
  lane: 'normal' as const,
  pool: 'any',
});
type Fence = ReturnType<typeof fence>;

const askExport = async (to: Fence): Promise<unknown> =>
  queue.send(
    exportRequested,
    { ...to, vm_name: 'vm', source, options: ExportOptions.parse({}) },
    { eventId: `e-${to.job_id}` },
  );
const askCleanup = async (to: Fence): Promise<unknown> =>
  queue.send(cleanupRequested, { ...to, vm_name: 'vm', source, remove_files: false }, { eventId: `c-${to.job_id}` });
const askVerify = async (to: Fence): Promise<unknown> =>
  queue.send(verifyRequested, { ...to, folder: '/x' }, { eventId: `v-${to.job_id}-${to.attempt}` });
const waiting = async (): Promise<[number, number]> => [
  (await queue.depth(cleanupRequested)).normal,
  (await queue.depth(verifyRequested)).normal,
];

async function worker(): Promise<JetStreamStrategy> {
  const own = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'exporter',
    workerId: `w${stops.length}`,
    logger,
  });
  const strategy = new JetStreamStrategy({
    ...own,
    logger,
    service: 'exporter',
    workerId: `w${stops.length}`,
    pools: ['any'],
    slots: 1,
    graceMs: 0,
  });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(TaskModule, { strategy, logger: false });
  await app.listen();
  stops.push(async () => {
    await app.close();
    await own.close();
  });
  return strategy;
}

beforeAll(async () => {
  nats = await startNats();
  ({ bus, queue, close } = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'test',
    workerId: 'test',
    logger,
  }));
});
afterAll(async () => {
  await close?.();
  await nats?.stop();
});
beforeEach(() => {
  onExport = untilStopped;
  onCleanup = async () => cleaned;
  onVerify = untilStopped;
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

describe('a task', () => {
  it('ends in its completed fact, and its log names the activity', async () => {
    onCleanup = async (work) => {
      work.log('info', 'the snapshot is gone');
      return cleaned;
    };
    await worker();
    const to = fence();
    await askCleanup(to);
    await expect
      .poll(async () => bus.last(cleanupCompleted, to.job_id))
      .toMatchObject({ job_id: to.job_id, attempt: 1, removed_snapshots: ['hyper2kvm-x'] });
    expect(await bus.history(jobLog, to.job_id, 2)).toMatchObject([
      { phase: 'cleanup', message: 'the snapshot is gone' },
      { phase: 'cleanup', message: 'Clean-up, attempt 1, is completed after less than 1s' },
    ]);
    await expect.poll(async () => (await bus.jsm.streams.info('TASKS')).state.messages).toBe(0);
  });

  it('has its place among those of its kind alone', async () => {
    await (await worker()).close();
    const [first, other, second, third] = [fence(), fence(), fence(), fence()];
    await askVerify(first);
    await askCleanup(other);
    await askVerify(second);
    await askVerify(third);
    expect(await waiting()).toEqual([1, 3]);
    expect(await queue.position(verifyRequested, third.job_id)).toBe(3);
    expect(await queue.position(cleanupRequested, other.job_id)).toBe(1);
    await queue.cancel(verifyRequested, second.job_id);
    expect(await queue.position(verifyRequested, third.job_id)).toBe(2);
    expect(await waiting()).toEqual([1, 2]);
    for (const [command, { job_id }] of [
      [cleanupRequested, other],
      [verifyRequested, first],
      [verifyRequested, third],
    ] as const)
      await queue.cancel(command, job_id);
    expect(await waiting()).toEqual([0, 0]);
  });

  it('is not stopped by the cancelled export of the same job, but by its own cancellation, and only in that attempt', async () => {
    const strategy = await worker();
    const to = fence();
    await askExport(to);
    await askVerify(to);
    await expect.poll(() => strategy.activeJobs).toHaveLength(2);
    await queue.cancel(exportRequested, to.job_id);
    await expect.poll(() => strategy.activeJobs).toHaveLength(1);
    expect(await bus.last(exportFailed, to.job_id)).toBeUndefined();
    await askCleanup(to);
    await expect.poll(async () => bus.last(cleanupCompleted, to.job_id)).toBeDefined();
    expect(strategy.activeJobs).toEqual([to.job_id]);

    await queue.cancel(verifyRequested, to.job_id);
    await expect.poll(() => strategy.activeJobs).toEqual([]);
    onVerify = async () => ({
      identical: true,
      files: [],
      verified_at: new Date().toISOString(),
      duration_seconds: 0,
    });
    await askVerify({ ...to, attempt: 2 });
    await expect.poll(async () => bus.last(verifyCompleted, to.job_id)).toMatchObject({ attempt: 2 });
    expect(await bus.last(verifyFailed, to.job_id)).toBeUndefined();
  });

  it('that cleans up waits until the export of its job has let go, and begins soon after', async () => {
    const order: string[] = [];
    let release: (() => void) | undefined;
    onExport = async (work) =>
      untilStopped(work).catch(async (error: unknown) => {
        order.push('export is stopped');
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        order.push('export ends');
        throw error;
      });
    onCleanup = async () => {
      order.push('cleanup');
      return cleaned;
    };
    const strategy = await worker();
    const to = fence();
    await askExport(to);
    await expect.poll(() => strategy.activeJobs).toHaveLength(1);
    await queue.cancel(exportRequested, to.job_id);
    await expect.poll(() => order).toEqual(['export is stopped']);
    await askCleanup(to);
    // Taken, refused, and given back for a while.
    await expect.poll(async () => (await bus.jsm.consumers.info('TASKS', 'cleanup-any')).num_ack_pending).toBe(1);
    release?.();
    // Sooner than the lease of a worker that is gone would end.
    await expect.poll(() => order, { timeout: 15_000 }).toEqual(['export is stopped', 'export ends', 'cleanup']);
  });
});

describe('a bandwidth limit', () => {
  it('is told as it is and then with each change, also after the server was started anew', async () => {
    await bus.setBandwidth('job', 'job-abcdef', 1_000_000);
    await bus.setBandwidth('job', 'job-abcdef', 2_000_000);
    await bus.buckets.control.put('bandwidth.job.job-broken', 'many');
    const abort = new AbortController();
    const told: BandwidthLimit[] = [];
    bus.watchBandwidth((limit) => told.push(limit), abort.signal);
    await expect.poll(() => told).toEqual([{ scope: 'job', id: 'job-abcdef', bytesPerSecond: 2_000_000 }]);
    await bus.setBandwidth('worker', 'host1-exporter', 3_000_000);
    await expect.poll(() => told.at(-1)).toEqual({ scope: 'worker', id: 'host1-exporter', bytesPerSecond: 3_000_000 });
    await nats.kill('SIGKILL');
    // Somebody who begins to watch while NATS is away is told too.
    const late: BandwidthLimit[] = [];
    bus.watchBandwidth((limit) => late.push(limit), abort.signal);
    // Until the first try of it has failed.
    await expect.poll(() => bus.status()).toBe('disconnected');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await nats.start();
    const lift = async (): Promise<boolean> =>
      bus.setBandwidth('job', 'job-abcdef', null).then(
        () => true,
        () => false,
      );
    await expect.poll(lift, { timeout: 20_000 }).toBe(true);
    await expect
      .poll(() => told.at(-1), { timeout: 20_000 })
      .toEqual({ scope: 'job', id: 'job-abcdef', bytesPerSecond: null });
    await expect
      .poll(() => late.map(({ id }) => id), { timeout: 20_000 })
      .toEqual(expect.arrayContaining(['job-abcdef', 'host1-exporter']));
    abort.abort();
  });
});
