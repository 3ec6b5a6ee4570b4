import type { NatsConnection } from 'nats';
import { Bus } from './bus/bus.js';
import { connectNats } from './bus/connection.js';
import { declareStreams, openBuckets } from './bus/declare.js';
import { isAway } from './bus/passing.js';
import { Claims } from './claims/claims.js';
import { thisProcess } from './claims/record.js';
import type { BaseConfig } from './config/base.js';
import { CommandQueue } from './lanes/queue.js';
import type { Logger } from './telemetry/logger.js';

const JETSTREAM_MS = 30_000;
const DRAIN_MS = 2_000;

/** Everything that a process needs of NATS: connected, streams and buckets declared. */
export async function openBus(options: {
  readonly nats: BaseConfig['nats'];
  readonly service: string;
  readonly workerId: string;
  readonly logger: Logger;
}): Promise<{ bus: Bus; claims: Claims; queue: CommandQueue; close: () => Promise<void> }> {
  const { nats, service, workerId, logger } = options;
  const connection = await connectNats(nats, `${service} ${workerId}`, logger);
  const jsm = await connection.jetstreamManager({ checkAPI: false });
  const buckets = await whenThere(async () => {
    await declareStreams(jsm, nats.replicas);
    return openBuckets(connection, nats.replicas);
  });
  const bus = new Bus(connection, jsm, buckets, `hyper2kvm/${service}/${workerId}`);
  const claims = new Claims(buckets.claims, thisProcess(workerId));
  return { bus, claims, queue: new CommandQueue(bus, claims), close: async () => closeConnection(connection) };
}

/** A server that just started takes connections before JetStream is ready, and a cluster before it has a leader. */
async function whenThere<T>(declare: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + JETSTREAM_MS;
  for (;;) {
    try {
      return await declare();
    } catch (error) {
      if (!isAway(error)) throw error;
      if (performance.now() > deadline)
        throw new Error(`NATS answers, but not its JetStream (is it enabled?): ${(error as Error).message}`, {
          cause: error,
        });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Sends what waits; a server that is away would have it wait for ever. */
async function closeConnection(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return;
  const limit = new Promise<void>((resolve) => setTimeout(resolve, DRAIN_MS).unref());
  await Promise.race([connection.drain().catch(() => {}), limit]);
  if (!connection.isClosed()) await Promise.race([connection.close().catch(() => {}), limit]);
}
