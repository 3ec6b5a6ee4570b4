import { BUCKETS, STREAMS, type CommandDefinition } from '@hyper2kvm/contracts';
import {
  AckPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  nanos,
  type JetStreamManager,
  type KV,
  type NatsConnection,
  type StreamConfig,
} from 'nats';
import { consumerOf, filterOf, streamOf } from '../lanes/address.js';
import { isAway } from './passing.js';

/** Within it a message with a known id is dropped: longer than any publisher goes on repeating itself. */
const DUPLICATE_WINDOW_MS = 120_000;
/** Work messages are always acknowledged by the record's rules; this is only a backstop that never matters. */
const MAX_ACK_PENDING = 10_000;
const WORKER_TTL_MS = 30_000;
/** A fact that comes again later than this is not known any more; nothing is held for as long. */
const NOTIFICATIONS_TTL_MS = 30 * 24 * 3_600_000;
/** JetStream: "stream name already in use with a different configuration". */
const NAME_IN_USE = 10_058;
/** "subjects overlap with an existing stream", "stream not found" */
const SUBJECTS_OVERLAP = 10_065;
const NOT_FOUND = 10_059;
const MOST_TRIES = 20;
const TRY_AGAIN_MS = 100;

/** Declares every stream; safe to run at each start and by all services at once. */
export async function declareStreams(jsm: JetStreamManager, replicas: number): Promise<void> {
  for (const stream of STREAMS) {
    const config: Partial<StreamConfig> & { name: string } = {
      name: stream.name,
      subjects: [...stream.subjects],
      retention: stream.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
      storage: StorageType.File,
      num_replicas: replicas,
      duplicate_window: nanos(DUPLICATE_WINDOW_MS),
      // A full queue refuses new work; a full log drops its oldest line.
      discard: stream.retention === 'workqueue' ? DiscardPolicy.New : DiscardPolicy.Old,
      max_age: nanos(stream.maxAgeMs ?? 0),
      max_msgs_per_subject: stream.maxPerSubject ?? -1,
      // Not in bytes: what a stream may hold in bytes NATS sets aside, and refuses the stream where there is less.
      max_msgs: stream.maxMessages ?? -1,
    };
    await addOrUpdate(jsm, config);
  }
}

async function addOrUpdate(jsm: JetStreamManager, config: Partial<StreamConfig> & { name: string }): Promise<void> {
  try {
    await untilMade(() =>
      jsm.streams.add(config).catch(async (error: unknown) => {
        if (codeOf(error) !== NAME_IN_USE) throw error;
        // There already, perhaps with other limits (an older version, another number of replicas): brought to this state.
        return jsm.streams.update(config.name, config);
      }),
    );
  } catch (error) {
    if (isAway(error)) throw error;
    throw new Error(`the stream ${config.name} cannot be declared: ${(error as Error).message}`, { cause: error });
  }
}

/** While another service is making the very same stream or bucket, its subjects are taken and its name is not known yet. */
async function untilMade<T>(make: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await make();
    } catch (error) {
      if (![SUBJECTS_OVERLAP, NOT_FOUND].includes(codeOf(error)) || tries === MOST_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    }
  }
}

const codeOf = (error: unknown): number => (error as { api_error?: { err_code?: number } }).api_error?.err_code ?? 0;

/** Declares the consumers of a command's lanes for these pools. */
export async function declareLanes(
  jsm: JetStreamManager,
  command: CommandDefinition,
  pools: readonly string[],
): Promise<void> {
  for (const lane of command.lanes) {
    for (const pool of pools) {
      await jsm.consumers.add(streamOf(command, lane), {
        durable_name: consumerOf(command, pool),
        filter_subject: filterOf(command, lane, pool),
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(command.policy.ackWaitMs),
        max_deliver: -1,
        max_ack_pending: MAX_ACK_PENDING,
        max_waiting: 512,
      });
    }
  }
}

export interface Buckets {
  readonly control: KV;
  readonly claims: KV;
  readonly workers: KV;
  readonly notifications: KV;
}

/** Opens the buckets, making them where needed. Direct reads are off: on a cluster they may be stale, and the records decide. */
export async function openBuckets(connection: NatsConnection, replicas: number): Promise<Buckets> {
  const { views } = connection.jetstream();
  const open = (name: string, more: { ttl?: number } = {}): Promise<KV> =>
    untilMade(() => views.kv(name, { replicas, history: 1, allow_direct: false, ...more }));
  return {
    control: await open(BUCKETS.control),
    claims: await open(BUCKETS.claims),
    workers: await open(BUCKETS.workers, { ttl: WORKER_TTL_MS }),
    notifications: await open(BUCKETS.notifications, { ttl: NOTIFICATIONS_TTL_MS }),
  };
}
