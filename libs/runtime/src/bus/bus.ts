import { randomUUID } from 'node:crypto';
import {
  BUCKETS,
  factSubject,
  Failure,
  JobError,
  WorkerHeartbeat,
  type EventData,
  type EventDefinition,
  type RequestDefinition,
} from '@hyper2kvm/contracts';
import {
  ErrorCode as NatsCode,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
  type NatsError,
} from 'nats';
import { z } from 'zod';
import { traceparent as activeTraceparent, withSpan, SpanKind } from '../telemetry/tracing.js';
import { decode, encode, InvalidMessage } from './cloudevents.js';
import { BANDWIDTH_KEYS, bandwidthKey, readBandwidth, type BandwidthLimit, type BandwidthScope } from './bandwidth.js';
import { followControl } from './control.js';
import type { Buckets } from './declare.js';
import { followSubject } from './follow.js';

const PUBLISH_MS = 1_000;
const HISTORY_MS = 20_000;

/** An answer on the wire: the reply or a failure. */
const Answer = z.union([z.object({ ok: z.unknown() }), z.object({ failure: Failure })]);

export interface PublishOptions {
  /** CloudEvents id and dedupe id; the same one for every repetition of the same fact. */
  readonly eventId?: string;
  readonly traceparent?: string | undefined;
  readonly time?: string;
}

export interface Followed<Data> {
  readonly data: Data;
  /** Position in the stream, for resuming. */
  readonly seq: number;
  readonly time: string;
}

/** Publishes and follows the events of the catalogue, and asks questions. */
export class Bus {
  readonly js: JetStreamClient;

  constructor(
    readonly connection: NatsConnection,
    readonly jsm: JetStreamManager,
    readonly buckets: Buckets,
    /** CloudEvents `source`: the service and worker. */
    readonly source: string,
  ) {
    this.js = connection.jetstream();
  }

  status(): 'connected' | 'disconnected' {
    // The client has no flag for it: it knows its server only while it is connected.
    return this.connection.isClosed() || this.connection.info === undefined ? 'disconnected' : 'connected';
  }

  /** True when the server answers within `ms`. */
  async ping(ms = 1_000): Promise<boolean> {
    const limit = new Promise<false>((resolve) => setTimeout(() => resolve(false), ms).unref());
    return Promise.race([
      this.connection.flush().then(
        () => true as const,
        () => false as const,
      ),
      limit,
    ]);
  }

  /**
   * Publishes a fact into its stream; returns its sequence once the server stored it.
   * @param id the last token of the subject, mostly the job's id
   * @throws after one second without an answer: repeat it with the same eventId
   */
  async publish<D extends EventDefinition>(
    event: D,
    id: string,
    data: EventData<D>,
    options: PublishOptions = {},
  ): Promise<number> {
    return this.publishTo(factSubject(event, id), event, id, data, {
      ...options,
      eventId: options.eventId ?? randomUUID(),
    });
  }

  /** The same to any subject; used for commands, whose subjects name lane and pool. */
  async publishTo(
    subject: string,
    event: EventDefinition,
    id: string,
    data: unknown,
    options: PublishOptions & { eventId: string; messageId?: string },
  ): Promise<number> {
    const { headers, body } = encode(this.#envelope(event, id, options), event.schema.parse(data));
    const ack = await this.js.publish(subject, body, {
      headers,
      msgID: options.messageId ?? options.eventId,
      timeout: PUBLISH_MS,
    });
    return ack.seq;
  }

  /** Publishes without waiting for the store: for progress, of which only the newest matters. */
  send<D extends EventDefinition>(event: D, id: string, data: EventData<D>): void {
    if (this.connection.isClosed() || this.connection.isDraining()) return;
    const { headers, body } = encode(this.#envelope(event, id, { eventId: randomUUID() }), data);
    this.connection.publish(factSubject(event, id), body, { headers });
  }

  /**
   * Asks any one worker of a service and waits for its answer.
   * @throws JobError the worker's own; NO_WORKER when none is there or none answers in time
   */
  async request<Req extends z.ZodType, Reply extends z.ZodType>(
    definition: RequestDefinition<Req, Reply>,
    data: z.input<Req>,
  ): Promise<z.infer<Reply>> {
    return withSpan(
      `request ${definition.subject}`,
      {},
      async () => {
        const event = { type: definition.subject } as EventDefinition;
        const { headers, body } = encode(
          this.#envelope(event, definition.subject, { eventId: randomUUID() }),
          definition.request.parse(data),
        );
        const [service = ''] = definition.subject.split('.');
        let text: string;
        try {
          const reply = await this.connection.request(definition.subject, body, {
            headers,
            timeout: definition.timeoutMs,
          });
          text = reply.string();
        } catch (error) {
          const { code } = error as NatsError;
          if (code === (NatsCode.NoResponders as string))
            throw new JobError('NO_WORKER', `no ${service} is running`, { cause: error });
          throw new JobError('NO_WORKER', `no ${service} answered within ${definition.timeoutMs / 1000} s`, {
            cause: error,
          });
        }
        const answer = Answer.parse(JSON.parse(text));
        if ('failure' in answer) throw JobError.from(answer.failure);
        return definition.reply.parse(answer.ok);
      },
      { kind: SpanKind.CLIENT },
    );
  }

  /** The newest event of a subject. */
  async last<D extends EventDefinition>(event: D, id: string): Promise<EventData<D> | undefined> {
    const message = await this.#newest(event, id);
    return message === undefined ? undefined : (decode(message.header, message.data).data as EventData<D>);
  }

  /** The events of a subject, oldest first, then the new ones as they come, until the signal ends it. */
  async *follow<D extends EventDefinition>(
    event: D,
    id: string,
    options: { from: 'last' | 'all' | 'new'; afterSeq?: number; signal: AbortSignal },
  ): AsyncGenerator<Followed<EventData<D>>> {
    if (options.signal.aborted) return;
    // Always from a known place on, so that it can be gone on from there after a loss of connection.
    const after = options.afterSeq ?? (await this.#beginning(event, id, options.from));
    for await (const message of followSubject(
      this.connection,
      this.js,
      factSubject(event, id),
      after,
      options.signal,
    )) {
      const read = readable(() => decode(message.headers, message.data));
      if (read) yield { data: read.data as EventData<D>, seq: message.seq, time: read.envelope.time };
    }
  }

  /** The sequence after which following begins. */
  async #beginning(event: EventDefinition, id: string, from: 'last' | 'all' | 'new'): Promise<number> {
    if (from === 'all' || event.stream === 'by lane') return 0;
    // First the stream, then the subject: what is published in between is found by one of them.
    const { last_seq: end } = (await this.jsm.streams.info(event.stream)).state;
    const newest = from === 'last' ? await this.#newest(event, id) : undefined;
    return newest === undefined ? end : newest.seq - 1;
  }

  /** All events of a subject up to now, oldest first; at most the last `limit`. */
  async history<D extends EventDefinition>(event: D, id: string, limit: number): Promise<EventData<D>[]> {
    return (await this.range(event, id, { limit })).map(({ data }) => data);
  }

  /** The events of a subject up to now that are wanted, oldest first; at most the last `limit` of them. */
  async range<D extends EventDefinition>(
    event: D,
    id: string,
    options: { limit: number; afterSeq?: number; wanted?: (data: EventData<D>) => boolean },
  ): Promise<Followed<EventData<D>>[]> {
    const { limit, afterSeq = 0, wanted = () => true } = options;
    const end = await this.place(event, id);
    if (end <= afterSeq) return [];
    const kept: Followed<EventData<D>>[] = [];
    // The newest one may vanish meanwhile (its age, its number), or NATS with it: what was read by then is given.
    const signal = AbortSignal.timeout(HISTORY_MS);
    for await (const message of followSubject(this.connection, this.js, factSubject(event, id), afterSeq, signal)) {
      const read = readable(() => decode(message.headers, message.data));
      const data = read?.data as EventData<D>;
      if (read && wanted(data)) kept.push({ data, seq: message.seq, time: read.envelope.time });
      if (kept.length > limit) kept.shift();
      if (message.seq >= end) break;
    }
    return kept;
  }

  /** Where the newest event of a subject lies in its stream; 0 where there is none. */
  async place(event: EventDefinition, id: string): Promise<number> {
    return (await this.#newest(event, id))?.seq ?? 0;
  }

  async #newest(event: EventDefinition, id: string) {
    try {
      return await this.jsm.streams.getMessage(event.stream, { last_by_subj: factSubject(event, id) });
    } catch (error) {
      if ((error as { code?: string }).code === '404' || /no message found/.test(String(error))) return undefined;
      throw error;
    }
  }

  /** Limits a job or a worker from now on; null lifts the limit. */
  async setBandwidth(scope: BandwidthScope, id: string, bytesPerSecond: number | null): Promise<void> {
    await this.buckets.control.put(bandwidthKey(scope, id), String(bytesPerSecond));
  }

  /** Tells every limit that is set, then each change, until the signal ends it; outages of NATS are waited out. */
  watchBandwidth(callback: (limit: BandwidthLimit) => void, signal: AbortSignal): void {
    void followControl(this.connection, this.js, BANDWIDTH_KEYS, signal, (key, value) => {
      const limit = readBandwidth(key, value);
      if (limit) callback(limit);
    });
  }

  /** Workers whose heartbeat is fresh. */
  async workers(): Promise<WorkerHeartbeat[]> {
    // Not the client's own listing of keys: it waits for ever where the last of them is written anew or vanishes meanwhile.
    const prefix = `$KV.${BUCKETS.workers}.`;
    const { state } = await this.jsm.streams.info(`KV_${BUCKETS.workers}`, { subjects_filter: `${prefix}>` });
    const entries = await Promise.all(
      Object.keys(state.subjects ?? {}).map((subject) => this.buckets.workers.get(subject.slice(prefix.length))),
    );
    return entries.flatMap((entry) => {
      const parsed = entry?.operation === 'PUT' ? WorkerHeartbeat.safeParse(entry.json()) : undefined;
      return parsed?.success === true ? [parsed.data] : [];
    });
  }

  #envelope(event: EventDefinition, id: string, options: PublishOptions & { eventId: string }) {
    return {
      id: options.eventId,
      type: event.type,
      source: this.source,
      subject: id,
      time: options.time ?? new Date().toISOString(),
      traceparent: options.traceparent ?? activeTraceparent(),
    };
  }
}

/** One message that cannot be read (of another version) must not end the following of those that can. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidMessage) return undefined;
    throw error;
  }
}

/** The answer to a failed question. */
export function failureAnswer(error: unknown): { failure: Failure } {
  if (error instanceof JobError) return { failure: error.toFailure() };
  const known =
    error instanceof InvalidMessage
      ? new JobError('INVALID_MESSAGE', `the question could not be understood: ${error.message}`)
      : new JobError('INTERNAL', 'an unexpected error, see the log of the service');
  return { failure: known.toFailure() };
}
