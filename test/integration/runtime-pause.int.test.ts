import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload, type MicroserviceOptions } from '@nestjs/microservices';
import {
  cleanupRequested,
  describeVm,
  verifyCompleted,
  verifyRequested,
  type CommandDefinition,
  type Machine,
  type VerifyRequested,
  type WorkerHeartbeat,
} from '@hyper2kvm/contracts';
import {
  createLogger,
  JetStreamStrategy,
  OnCommand,
  OnRequest,
  openBus,
  setDuty,
  startHeartbeat,
  WorkContext,
  type Bus,
  type CommandQueue,
} from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startNats, type NatsServer } from '../support/nats.js';
import { Gate } from './gateway-client.js';
import { until } from './gateway-stack.js';
import { machine } from './gateway-workers.js';

/** Longer than a worker's tick, in which it looks whether something waits. */
const TWO_TICKS_MS = 2500;
const logger = createLogger('test', 'error');
let nats: NatsServer;
let bus: Bus;
let queue: CommandQueue;
let close: () => Promise<void>;
let begun: string[] = [];
let gate = new Gate();
let serial = 0;

@Controller()
class TasksController {
  @OnCommand(verifyRequested)
  async verify(@Payload() data: VerifyRequested, @Ctx() work: WorkContext): Promise<unknown> {
    begun.push(`${work.workerId} ${data.job_id}`);
    await gate.passed(work.signal);
    return { identical: true, files: [], verified_at: new Date().toISOString(), duration_seconds: 1 };
  }
  @OnCommand(cleanupRequested)
  async cleanUp(@Payload() data: { job_id: string }, @Ctx() work: WorkContext): Promise<unknown> {
    begun.push(`${work.workerId} ${data.job_id}`);
    return Promise.resolve({ removed_snapshots: [], removed_files: true });
  }
  @OnRequest(describeVm)
  describe(@Payload() data: { vm_name: string }): Machine {
    return machine(data.vm_name);
  }
}
@Module({ controllers: [TasksController] })
class TasksModule {}

interface Started {
  readonly id: string;
  stop(): Promise<void>;
}
const running: Started[] = [];

/** A worker as a process is one: with its own connection and heartbeat. */
async function worker(id: string): Promise<Started> {
  const own = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'exporter',
    workerId: id,
    logger,
  });
  const common = { service: 'exporter', workerId: id, pools: ['any'], slots: 2 };
  const strategy = new JetStreamStrategy({ ...own, ...common, logger, graceMs: 0 });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(TasksModule, { strategy, logger: false });
  await app.listen();
  const { duty } = strategy;
  const heartbeat = await startHeartbeat(own.bus, { ...common, duty, activeJobs: () => strategy.activeJobs });
  const started = {
    id,
    stop: async () => {
      running.splice(running.indexOf(started), 1);
      await app.close();
      await heartbeat.stop();
      await own.close();
    },
  };
  running.push(started);
  return started;
}

const beat = async (id: string): Promise<WorkerHeartbeat | undefined> =>
  (await bus.workers()).find((one) => one.worker_id === id);
const told = (id: string, wanted: Partial<WorkerHeartbeat>): Promise<unknown> =>
  // Well within the ten seconds between two beats.
  until(
    async () => beat(id),
    (now) =>
      now !== undefined && Object.entries(wanted).every(([key, value]) => now[key as keyof WorkerHeartbeat] === value),
    3000,
  );

async function send(command: CommandDefinition = verifyRequested): Promise<string> {
  const jobId = `job-pause${String((serial += 1)).padStart(4, '0')}`;
  const fence = { job_id: jobId, attempt: 1, generation: 0, lane: 'normal' as const, pool: 'any' };
  const source = { kind: 'ova', path: '/images/a.ova' };
  const data = { ...fence, folder: '/work/x', vm_name: 'vm', source, remove_files: true };
  await queue.send(command, data, { eventId: `e-${jobId}` });
  return jobId;
}
const workers = (): string[] => [...new Set(begun.map((one) => one.split(' ')[0] ?? ''))];
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, TWO_TICKS_MS));

beforeAll(async () => {
  nats = await startNats();
  ({ bus, queue, close } = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'test',
    workerId: 'test',
    logger,
  }));
});
afterEach(async () => {
  gate.open();
  while (running.length > 0) await running.at(-1)?.stop();
  for (const id of ['w1', 'w2']) await setDuty(bus, 'exporter', id, 'running');
  begun = [];
  gate = new Gate();
});
afterAll(async () => {
  await close?.();
  await nats?.stop();
});

it('leaves everything that waits to others, on every queue, and takes again when it is resumed', async () => {
  gate.open();
  await worker('w1');
  await setDuty(bus, 'exporter', 'w1', 'paused');
  await told('w1', { paused: true });
  const first = await send();
  await send(cleanupRequested);
  await quiet();
  expect(begun).toEqual([]);
  expect(
    await bus.request(describeVm, { source: { kind: 'ova', path: '/images/a.ova' }, vm_name: 'vm' }),
  ).toMatchObject({
    name: 'vm',
  });

  await worker('w2');
  await until(
    () => Promise.resolve(begun.length),
    (count) => count === 2,
  );
  for (let count = 0; count < 30; count += 1) await send();
  await until(
    () => Promise.resolve(begun.length),
    (count) => count === 32,
  );
  expect(workers()).toEqual(['w2']);
  expect(await bus.last(verifyCompleted, first)).toMatchObject({ worker: 'w2' });

  await setDuty(bus, 'exporter', 'w2', 'paused');
  await told('w2', { paused: true });
  await setDuty(bus, 'exporter', 'w1', 'running');
  await told('w1', { paused: false });
  begun = [];
  await send();
  await until(
    () => Promise.resolve(begun.length),
    (count) => count === 1,
  );
  expect(workers()).toEqual(['w1']);
});

it('stays paused when it is started anew, and when NATS is', async () => {
  gate.open();
  const first = await worker('w1');
  await setDuty(bus, 'exporter', 'w1', 'paused');
  await told('w1', { paused: true });
  await first.stop();
  await send();
  await worker('w1');
  expect(await beat('w1')).toMatchObject({ paused: true });
  await nats.kill('SIGKILL');
  await nats.start();
  await until(
    async () => bus.ping(),
    (there) => there,
  );
  await send();
  await quiet();
  expect(begun).toEqual([]);
  await setDuty(bus, 'exporter', 'w1', 'running');
  await until(
    () => Promise.resolve(begun.length),
    (count) => count === 2,
  );
});

it('ends what it has while it drains; what is started after it works', async () => {
  const first = await worker('w1');
  const held = await send();
  await until(
    () => Promise.resolve(begun.length),
    (count) => count === 1,
  );
  await setDuty(bus, 'exporter', 'w1', 'draining');
  await told('w1', { paused: true, draining: true });
  const waiting = await send();
  await quiet();
  expect(begun).toEqual([`w1 ${held}`]);
  gate.open();
  await until(
    async () => bus.last(verifyCompleted, held),
    (fact) => fact !== undefined,
  );
  await quiet();
  expect(begun).toEqual([`w1 ${held}`]);

  await first.stop();
  await worker('w1');
  await until(
    async () => bus.last(verifyCompleted, waiting),
    (fact) => fact !== undefined,
  );
  expect(await beat('w1')).toMatchObject({ paused: false });
});
