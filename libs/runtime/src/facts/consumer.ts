import { setMaxListeners } from 'node:events';
import { BaseRpcContext } from '@nestjs/microservices';
import { JobError, type EventDefinition } from '@hyper2kvm/contracts';
import { AckPolicy, DeliverPolicy, nanos, type Consumer, type ConsumerMessages, type JsMsg } from 'nats';
import type { Bus } from '../bus/bus.js';
import { decode, InvalidMessage, type Envelope } from '../bus/cloudevents.js';
import type { Logger } from '../telemetry/logger.js';
import { expectEvent, startHandling } from '../telemetry/runtime-metrics.js';
import { withLongSpan } from '../telemetry/long-span.js';
import { context, contextFrom, SpanKind } from '../telemetry/tracing.js';
import { deadLetter } from '../work/dead-letters.js';
import { namedIn } from '../bus/named-in.js';

/** What a fact's handler gets beside its data. */
export class FactContext extends BaseRpcContext<[]> {
  constructor(
    private readonly envelope: Envelope,
    /** From 1; above it the fact was delivered before. */
    readonly deliveries: number,
    /** Aborts when the service stops: what takes long ends then, and is begun again by the next instance. */
    readonly signal: AbortSignal,
  ) {
    super([]);
  }
  /** The same for every repetition of one fact: what an inbox remembers. */
  get eventId(): string {
    return this.envelope.id;
  }
  get type(): string {
    return this.envelope.type;
  }
  get time(): string {
    return this.envelope.time;
  }
}

/**
 * A pull waits this long for a fact. Also the longest deafness after the server came back: the client's endless `consume`
 * may sleep for its whole expiry then, and ends without a word when its consumer is gone.
 */
const PULL_MS = 5_000;
const PAUSE_MS = 500;

/** Thrown by a handler that knows when it is worth while to try again; nothing is wrong with the fact or with the handler. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  constructor(
    readonly afterMs: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type FactHandler = (data: unknown, context: FactContext) => Promise<unknown>;

/** Waiting for a late repetition, facts count as handed out: above this number nothing new would come. */
const MAX_UNSETTLED = 50_000;

/**
 * One service's durable consumer of one kind of fact: each of them reaches one instance, at least once; in order, unless several
 * are handled at the same time.
 */
export class FactConsumer {
  #messages: ConsumerMessages | undefined;
  readonly #stop = new AbortController();
  readonly #inHand = new Set<Promise<void>>();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: {
      readonly bus: Bus;
      readonly service: string;
      readonly event: EventDefinition;
      readonly handler: FactHandler;
      readonly logger: Logger;
      /** Where the durable begins when it is first made; later it goes on from where it was. */
      readonly from: 'all' | 'new';
      /** Facts at the same time. Default: 1 */
      readonly parallel?: number | undefined;
    },
  ) {
    setMaxListeners(0, this.#stop.signal);
    expectEvent(options.event.name);
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async start(): Promise<void> {
    this.#running = this.#run(await this.#declare());
  }

  async #declare(): Promise<Consumer> {
    const { bus, service, event } = this.options;
    if (event.stream === 'by lane') throw new Error(`${event.type} is a command`);
    const durable = `${service}-${event.name.replaceAll('.', '-')}`;
    await bus.jsm.consumers.add(event.stream, {
      durable_name: durable,
      filter_subject: `${event.name}.>`,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(event.policy.ackWaitMs),
      deliver_policy: await this.#policy(durable),
      max_deliver: -1,
      ...(this.#parallel > 1 ? { max_ack_pending: MAX_UNSETTLED } : {}),
    });
    return bus.js.consumers.get(event.stream, durable);
  }

  /** Of one that is there already it may not be changed. */
  async #policy(durable: string): Promise<DeliverPolicy> {
    const { bus, event, from } = this.options;
    const found = await bus.jsm.consumers.info(event.stream, durable).catch(() => undefined);
    return found?.config.deliver_policy ?? (from === 'new' ? DeliverPolicy.New : DeliverPolicy.All);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the service stops'));
    void this.#messages?.close();
    await this.#running;
    await Promise.all(this.#inHand);
  }

  get #parallel(): number {
    return this.options.parallel ?? 1;
  }

  async #take(message: JsMsg): Promise<void> {
    const handled = this.#handle(message);
    this.#inHand.add(handled);
    void handled.then(() => this.#inHand.delete(handled));
    if (this.#inHand.size >= this.#parallel) await Promise.race(this.#inHand);
  }

  /** No more than are handled at once: facts that wait in this process behind a slow one would be delivered again meanwhile. */
  async #run(first: Consumer): Promise<void> {
    const { bus, event, logger } = this.options;
    let consumer: Consumer | undefined = first;
    while (!this.#stopped) {
      try {
        consumer ??= await this.#declare();
        this.#messages = await consumer.fetch({ max_messages: 1, expires: PULL_MS });
        for await (const message of this.#messages) {
          if (this.#stopped) message.nak(1);
          else await this.#take(message);
        }
      } catch (error) {
        if (this.#stopped) return;
        if (consumer !== undefined && bus.status() === 'connected')
          logger.warn({ err: error, event: event.type }, 'facts could not be read, trying again');
        consumer = undefined;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  /** Whatever is logged of it belongs to its trace. */
  #handle(message: JsMsg): Promise<void> {
    return context.with(contextFrom(message.headers?.get('traceparent')), () => this.#settle(message));
  }

  async #settle(message: JsMsg): Promise<void> {
    const { bus, event, handler, logger, service } = this.options;
    const hold = setInterval(() => message.working(), event.policy.ackWaitMs / 3);
    const ended = startHandling(event.name, message.info.deliveryCount);
    try {
      const { envelope, data } = decode(message.headers, message.data);
      const fact = new FactContext(envelope, message.info.deliveryCount, this.#stop.signal);
      const attributes = {
        ...idsOf(event.name, data),
        'messaging.system': 'nats',
        'messaging.destination.name': message.subject,
        ...(fact.deliveries > 1 ? { 'hyper2kvm.deliveries': fact.deliveries } : {}),
      };
      await withLongSpan(`${event.name} process`, attributes, async () => handler(data, fact), {
        kind: SpanKind.CONSUMER,
      });
      message.ack();
      ended('done');
    } catch (error) {
      const hopeless = error instanceof InvalidMessage || (error instanceof JobError && !error.retryable);
      ended(hopeless ? 'failed' : 'again');
      if (hopeless) {
        logger.error({ ...namedIn(message.subject), error: error.message }, 'a fact was put aside');
        await deadLetter(bus, event.name, message, service, error.message).then(
          () => message.ack(),
          () => message.nak(PAUSE_MS),
        );
        return;
      }
      if (error instanceof RetryLater || this.#stopped) {
        logger.debug({ err: error, ...namedIn(message.subject) }, 'a fact waits');
        message.nak(error instanceof RetryLater && !this.#stopped ? error.afterMs : 1);
        return;
      }
      const { backoffMs } = event.policy;
      const pause = backoffMs[Math.min(message.info.deliveryCount, backoffMs.length) - 1] ?? 1_000;
      logger.warn(
        { err: error, ...namedIn(message.subject), deliveries: message.info.deliveryCount },
        `a fact could not be handled; again in ${pause / 1000} s`,
      );
      message.nak(pause);
    } finally {
      clearInterval(hold);
    }
  }
}

/** Of whom the fact is. */
function idsOf(name: string, data: unknown): Record<string, string> {
  const { job_id: id, batch_id: batch } = data as { readonly job_id?: string; readonly batch_id?: string };
  const key = name.startsWith('hook.') ? 'hook.id' : 'job.id';
  return { ...(id === undefined ? {} : { [key]: id }), ...(batch === undefined ? {} : { 'batch.id': batch }) };
}
