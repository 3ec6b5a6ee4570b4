import { BUCKETS, LANES, laneStream, STREAM_NAMES, type Lane, type WorkerHeartbeat } from '@hyper2kvm/contracts';
import { scraped, sharedState, type Bus } from '@hyper2kvm/runtime';
import type { DatabaseFigures } from './metrics-database.js';

/** All that say of themselves that they live. */
const SERVICES = ['gateway', 'exporter', 'converter', 'notifier'] as const;
const DUTIES = ['running', 'paused', 'draining'] as const;
const BUCKET_STREAMS = Object.values(BUCKETS).map((bucket) => `KV_${bucket}`);
const KNOWN: ReadonlySet<string> = new Set([...STREAM_NAMES, ...BUCKET_STREAMS]);

interface StreamFigures {
  readonly stream: string;
  readonly messages: number;
  readonly bytes: number;
}
interface ConsumerFigures {
  readonly stream: string;
  readonly consumer: string;
  readonly pending: number;
  readonly unacknowledged: number;
}

/** What NATS says now: the same to every gateway. */
interface BusFigures {
  readonly streams: readonly StreamFigures[];
  readonly consumers: readonly ConsumerFigures[];
}

async function readBus(bus: Bus): Promise<BusFigures> {
  const streams: StreamFigures[] = [];
  const consumers: ConsumerFigures[] = [];
  for await (const { config, state } of bus.jsm.streams.list())
    if (KNOWN.has(config.name)) streams.push({ stream: config.name, messages: state.messages, bytes: state.bytes });
  for (const stream of STREAM_NAMES)
    for await (const { config, num_ack_pending: unacknowledged, num_pending: pending } of bus.jsm.consumers.list(
      stream,
    ))
      // Those of followers have no name of their own: they come and go.
      if (config.durable_name !== undefined)
        consumers.push({ stream, consumer: config.durable_name, pending, unacknowledged });
  return { streams, consumers };
}

/** Nothing at all while NATS is away: its client would have every scrape wait, and what it said before may be wrong by now. */
function connected<T>(bus: Bus, ask: () => Promise<T>): () => Promise<T> {
  const shared = sharedState(ask);
  return () => (bus.status() === 'connected' ? shared() : Promise.reject(new Error('NATS is away')));
}

/** Shows the figures at scrapes. */
export function exposeBus(bus: Bus, database: () => Promise<DatabaseFigures>): void {
  const ask = connected(bus, () => readBus(bus));
  const workers = connected(bus, () => bus.workers());

  const inQueue = async (command: string): Promise<Record<Lane, number>> => {
    const { consumers } = await ask();
    const of = (lane: Lane): number =>
      consumers
        .filter(({ stream }) => stream === laneStream(command, lane))
        .reduce((sum, { pending }) => sum + pending, 0);
    return { high: of('high'), normal: of('normal'), low: of('low') };
  };
  scraped('hypervisord_queue_depth', 'Exports that wait for room or for a worker', ['priority'], async (put) => {
    const [{ held }, queued] = await Promise.all([database(), inQueue('export.requested')]);
    for (const priority of LANES) put(held[priority] + queued[priority], { priority });
  });
  scraped('hyper2kvm_queue_depth', 'Conversions that wait for a worker', [], async (put) => {
    const queued = await inQueue('conversion.requested');
    put(LANES.reduce((sum, lane) => sum + queued[lane], 0));
  });

  scraped('hyper2kvm_stream_messages', 'Messages in a stream of NATS; KV_ are its buckets', ['stream'], async (put) => {
    for (const { stream, messages } of (await ask()).streams) put(messages, { stream });
  });
  scraped('hyper2kvm_stream_bytes', 'Bytes of a stream of NATS', ['stream'], async (put) => {
    for (const { stream, bytes } of (await ask()).streams) put(bytes, { stream });
  });
  scraped('hyper2kvm_dead_letters', 'Messages that were put aside and are still there', [], async (put) => {
    const letters = (await ask()).streams.find(({ stream }) => stream === 'DEAD_LETTERS');
    if (letters !== undefined) put(letters.messages);
  });
  scraped(
    'hyper2kvm_consumer_pending',
    'Messages that a consumer has not been given yet',
    ['stream', 'consumer'],
    async (put) => {
      for (const { stream, consumer, pending } of (await ask()).consumers) put(pending, { stream, consumer });
    },
  );
  scraped(
    'hyper2kvm_consumer_unacknowledged',
    'Messages that a consumer was given and has not acknowledged',
    ['stream', 'consumer'],
    async (put) => {
      for (const { stream, consumer, unacknowledged } of (await ask()).consumers)
        put(unacknowledged, { stream, consumer });
    },
  );

  scraped(
    'hyper2kvm_workers',
    'Processes with a fresh heartbeat, by what they were told',
    ['service', 'state'],
    async (put) => {
      const beats = await workers();
      for (const service of SERVICES)
        for (const state of DUTIES)
          put(beats.filter((beat) => beat.service === service && dutyOf(beat) === state).length, { service, state });
    },
  );
}

const dutyOf = ({ draining, paused }: WorkerHeartbeat): (typeof DUTIES)[number] =>
  draining === true ? 'draining' : paused ? 'paused' : 'running';
