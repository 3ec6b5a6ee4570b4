// The record decides who may work: races, takeovers and late writers, against a real key-value bucket.
import { spawnSync } from 'node:child_process';
import { conversionRequested, type CommandFence } from '@hyper2kvm/contracts';
import { AckPolicy } from 'nats';
import { Claims, createLogger, openBus, type Bus, type CommandQueue } from '@hyper2kvm/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNats, type NatsServer } from '../support/nats.js';

const DONE = { event_id: 'e', type: 'export.completed.v1', data: {}, time: '2026-01-01T00:00:00Z' };
let nats: NatsServer;
let close: () => Promise<void>;
let bus: Bus;
let queue: CommandQueue;
let serial = 0;

const read = (command: string): string => spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout.trim();

/** A process of this host; by default this one, which lives. */
const owner = (name: string, pid = process.pid, pidStart?: string) => {
  const start =
    pidStart ??
    spawnSync('sh', ['-c', `sed 's/.*) //' /proc/${pid}/stat | cut -d' ' -f20`], { encoding: 'utf8' }).stdout.trim();
  return {
    worker_id: name,
    incarnation: name,
    host: read('hostname'),
    boot_id: read('cat /proc/sys/kernel/random/boot_id'),
    pid_namespace: read('readlink /proc/self/ns/pid'),
    pid,
    pid_start: start,
  };
};
const claims = (name: string, pid?: number, pidStart?: string): Claims =>
  new Claims(bus.buckets.claims, owner(name, pid, pidStart));
const fence = (over: Partial<CommandFence> = {}): CommandFence => ({
  job_id: `job-claim${String((serial += 1)).padStart(4, '0')}`,
  attempt: 1,
  generation: 0,
  lane: 'normal',
  pool: 'any',
  ...over,
});

const subject = (one: CommandFence): string => `conversion.requested.normal.any.${one.job_id}`;
const inLane = async (): Promise<number> => (await bus.jsm.streams.info('CONVERSION_NORMAL')).state.messages;

beforeAll(async () => {
  nats = await startNats();
  ({ bus, queue, close } = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'test',
    workerId: 't',
    logger: createLogger('test', 'error'),
  }));
});
afterAll(async () => {
  await close?.();
  await nats?.stop();
});

describe('a claim', () => {
  it('goes to exactly one of eight workers that want it at once', async () => {
    const wanted = fence();
    const takes = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => claims(`w${index}`).take('export', wanted, 3)),
    );
    expect(takes.filter(({ kind }) => kind === 'taken')).toHaveLength(1);
    expect(takes.filter(({ kind }) => kind === 'busy')).toHaveLength(7);
  });

  it('of a process that died on this host is taken over at once, with a higher epoch', async () => {
    const wanted = fence();
    // A pid that lives, but started at another time: it was given to somebody else.
    const dead = await claims('dead', process.pid, '1').take('export', wanted, 3);
    const next = await claims('next').take('export', wanted, 3);
    if (dead.kind !== 'taken' || next.kind !== 'taken') throw new Error(`${dead.kind} ${next.kind}`);
    expect(next.lease.epoch).toBe(dead.lease.epoch + 1);
    await expect(dead.lease.renew()).rejects.toThrow(/another worker/);
    await expect(dead.lease.finish(DONE)).rejects.toThrow(/lost/);
    expect(dead.lease.valid).toBe(false);
    await next.lease.finish(DONE);
    expect(await claims('third').take('export', wanted, 3)).toMatchObject({ kind: 'done', record: { done: DONE } });
  });

  it('is refused for an older attempt or generation, and for a cancelled job', async () => {
    const wanted = fence({ attempt: 2, generation: 1 });
    const gateway = claims('gateway');
    await gateway.prepare('export', wanted);
    expect((await gateway.take('export', { ...wanted, attempt: 1 }, 3)).kind).toBe('stale');
    expect((await gateway.take('export', { ...wanted, generation: 0 }, 3)).kind).toBe('stale');
    await gateway.change('export', wanted.job_id, (record) => ({
      ...(record as NonNullable<typeof record>),
      cancelled: true,
    }));
    expect((await gateway.take('export', wanted, 3)).kind).toBe('stale');
  });

  it('is exhausted after as many starts as are allowed; a start that was handed back does not count', async () => {
    const wanted = fence();
    for (let start = 0; start < 5; start += 1) {
      const take = await claims(`back${start}`).take('export', wanted, 2);
      if (take.kind !== 'taken') throw new Error(take.kind);
      await take.lease.release(false);
    }
    for (let start = 0; start < 2; start += 1)
      expect((await claims('dies', process.pid, String(start)).take('export', wanted, 2)).kind).toBe('taken');
    expect((await claims('last').take('export', wanted, 2)).kind).toBe('exhausted');
  });

  it('starts anew with the next attempt, and goes on counting epochs', async () => {
    const wanted = fence();
    const first = await claims('w').take('export', wanted, 3);
    if (first.kind !== 'taken') throw new Error(first.kind);
    await first.lease.finish(DONE);
    await claims('gateway').prepare('export', { ...wanted, attempt: 2 });
    const second = await claims('w').take('export', { ...wanted, attempt: 2 }, 3);
    if (second.kind !== 'taken') throw new Error(second.kind);
    expect(second.lease.epoch).toBe(first.lease.epoch + 1);
    expect((await claims('w').take('export', wanted, 3)).kind).toBe('stale');
  });

  it('is not taken from a living worker whose record still moves', async () => {
    const wanted = fence();
    const held = await claims('holder').take('export', wanted, 3);
    if (held.kind !== 'taken') throw new Error(held.kind);
    const other = claims('other');
    for (let look = 0; look < 3; look += 1) {
      expect((await other.take('export', wanted, 3)).kind).toBe('busy');
      await held.lease.renew();
    }
    expect(held.lease.valid).toBe(true);
  });

  it('for a clean-up waits for the living owner of the export, not for a dead one, and the export for the clean-up', async () => {
    const wanted = fence();
    const held = await claims('exporter').take('export', wanted, 3);
    if (held.kind !== 'taken') throw new Error(held.kind);
    const cleaner = claims('cleaner');
    expect((await cleaner.take('cleanup', wanted, 3)).kind).toBe('busy');
    expect((await cleaner.take('conversion', wanted, 3)).kind).toBe('taken');
    await claims('gateway').change('export', wanted.job_id, (record) => ({
      ...(record as NonNullable<typeof record>),
      cancelled: true,
    }));
    expect((await cleaner.take('cleanup', wanted, 3)).kind).toBe('busy');
    await held.lease.leave();
    const cleanup = await cleaner.take('cleanup', wanted, 3);
    expect(cleanup.kind).toBe('taken');
    expect((await claims('exporter').take('export', { ...wanted, attempt: 2 }, 3)).kind).toBe('busy');
    if (cleanup.kind === 'taken') await cleanup.lease.finish({ ...DONE, type: 'cleanup.completed.v1' });
    expect((await claims('exporter').take('export', { ...wanted, attempt: 2 }, 3)).kind).toBe('taken');

    const other = fence();
    await claims('dead', process.pid, '1').take('export', other, 3);
    expect((await cleaner.take('cleanup', other, 3)).kind).toBe('taken');
  });

  it('that is done takes its message along, when a killed server kept it after its acknowledgement', async () => {
    const [ended, open, last] = [fence(), fence(), fence()];
    for (const one of [ended, open, last]) {
      await bus.js.publish(subject(one), 'x');
      const take = await claims('w').take('conversion', one, 3);
      if (take.kind === 'taken' && one !== open) await take.lease.finish(DONE);
    }
    // Its filter leaves out the first two: to it they lie behind what was acknowledged, as after such a kill.
    await bus.jsm.consumers.add('CONVERSION_NORMAL', {
      durable_name: 'workers-any',
      filter_subject: subject(last),
      ack_policy: AckPolicy.Explicit,
    });
    expect(await queue.sweep(conversionRequested)).toBe(0);
    const consumer = await bus.js.consumers.get('CONVERSION_NORMAL', 'workers-any');
    expect(await (await consumer.next())?.ackAck()).toBe(true);
    expect(await queue.sweep(conversionRequested)).toBe(1);
    expect(await inLane()).toBe(1);
    expect(await queue.sweep(conversionRequested)).toBe(0);
  });
});
