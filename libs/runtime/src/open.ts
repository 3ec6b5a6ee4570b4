import { Bus } from './bus/bus.js';
import { connectNats } from './bus/connection.js';
import { declareStreams, openBuckets } from './bus/declare.js';
import { Claims } from './claims/claims.js';
import { thisProcess } from './claims/record.js';
import type { BaseConfig } from './config/base.js';
import { CommandQueue } from './lanes/queue.js';
import type { Logger } from './telemetry/logger.js';

/** Everything that a process needs of NATS: connected, streams and buckets declared. */
export async function openBus(options: {
  readonly nats: BaseConfig['nats'];
  readonly service: string;
  readonly workerId: string;
  readonly logger: Logger;
}): Promise<{ bus: Bus; claims: Claims; queue: CommandQueue; close: () => Promise<void> }> {
  const { nats, service, workerId, logger } = options;
  const connection = await connectNats(nats, `${service} ${workerId}`, logger);
  const jsm = await connection.jetstreamManager();
  await declareStreams(jsm, nats.replicas);
  const buckets = await openBuckets(connection, nats.replicas);
  const bus = new Bus(connection, jsm, buckets, `hyper2kvm/${service}/${workerId}`);
  const claims = new Claims(buckets.claims, thisProcess(workerId));
  return { bus, claims, queue: new CommandQueue(bus, claims), close: async () => connection.drain().catch(() => {}) };
}
