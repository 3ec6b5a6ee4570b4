/** The list of workers, while they write their heartbeats, come and go. */
import { type WorkerHeartbeat } from '@hyper2kvm/contracts';
import { createLogger, openBus } from '@hyper2kvm/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNats, type NatsServer } from '../support/nats.js';

let nats: NatsServer;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats?.stop());

const heartbeat = (id: string): WorkerHeartbeat => ({
  worker_id: id,
  service: 'exporter',
  version: '0.0.0',
  host: 'localhost',
  pid: 1,
  pools: ['any'],
  slots: 2,
  active_jobs: [],
  paused: false,
  disk_free_bytes: null,
  started_at: new Date().toISOString(),
  time: new Date().toISOString(),
});

it('is told at any time, each worker once', async () => {
  const options = {
    nats: { servers: nats.servers, replicas: 1 },
    service: 'test',
    logger: createLogger('test', 'error'),
  };
  const [reader, writer] = await Promise.all([
    openBus({ ...options, workerId: 'reader' }),
    openBus({ ...options, workerId: 'writer' }),
  ]);
  expect(await reader.bus.workers()).toEqual([]);
  const ids = ['one', 'two', 'three'];
  const beat = (id: string): Promise<unknown> =>
    writer.bus.buckets.workers.put(`exporter.${id}`, JSON.stringify(heartbeat(id)));
  for (const id of ids) await beat(id);
  try {
    for (let looks = 0; looks < 600; looks += 1) {
      // A few heartbeats come in the midst of a look, and then none: nothing that comes later may have to end it.
      const beats = (async () => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 2));
        for (let count = 0; count < looks % 4; count += 1) await beat(ids[(looks + count) % ids.length] ?? '');
      })();
      const found = await Promise.race([
        reader.bus.workers(),
        new Promise<[]>((resolve) => setTimeout(resolve, 5000, [])),
      ]);
      await beats;
      expect(found.map((worker) => worker.worker_id).toSorted(), `look ${looks}`).toEqual(ids.toSorted());
    }
  } finally {
    await Promise.all([reader.close(), writer.close()]);
  }
}, 60_000);
