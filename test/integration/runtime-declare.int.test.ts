/** Streams and buckets, declared by all services at once on a server that has none. */
import { createLogger, openBus } from '@hyper2kvm/runtime';
import { expect, it } from 'vitest';
import { startNats } from '../support/nats.js';

it('services that start at the same moment on a new server all come up', async () => {
  for (let round = 0; round < 8; round += 1) {
    const nats = await startNats();
    try {
      const options = {
        nats: { servers: nats.servers, replicas: 1 },
        service: 'test',
        logger: createLogger('test', 'error'),
      };
      const opened = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => openBus({ ...options, workerId: `worker-${index}` })),
      );
      const why = opened.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
      for (const one of opened) if (one.status === 'fulfilled') await one.value.close();
      expect(why, `round ${round}`).toEqual([]);
    } finally {
      await nats.stop();
    }
  }
}, 60_000);
