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
  const done = new AbortController();
  const beating = (async () => {
    for (let count = 0; !done.signal.aborted; count += 1) {
      await beat(ids[count % ids.length] ?? '');
      // One comes and goes beside them.
      if (count % 5 === 0) await beat('guest');
      if (count % 5 === 2) await writer.bus.buckets.workers.purge('exporter.guest');
    }
  })();
  try {
    for (let looks = 0; looks < 1500; looks += 1) {
      const found = (await reader.bus.workers()).map((worker) => worker.worker_id).filter((id) => id !== 'guest');
      expect(found.toSorted()).toEqual(ids.toSorted());
    }
  } finally {
    done.abort();
    await beating;
    await Promise.all([reader.close(), writer.close()]);
  }
}, 60_000);
