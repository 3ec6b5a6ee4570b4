import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import {
  CATALOGUE,
  REQUESTS,
  type CommandDefinition,
  type EventDefinition,
  type RequestDefinition,
} from '@hyper2kvm/contracts';
import type { Msg } from 'nats';
import { isObservable, lastValueFrom } from 'rxjs';
import { failureAnswer, type Bus } from '../bus/bus.js';
import { envelopeOf, InvalidMessage } from '../bus/cloudevents.js';
import { declareLanes } from '../bus/declare.js';
import { followControl } from '../bus/control.js';
import { onReconnect } from '../bus/follow.js';
import type { Claims } from '../claims/claims.js';
import { FactConsumer } from '../facts/consumer.js';
import { Dispatcher } from '../lanes/dispatcher.js';
import { cancelKey } from '../lanes/cancellation.js';
import { CommandQueue } from '../lanes/queue.js';
import type { Logger } from '../telemetry/logger.js';
import { contextFrom, SpanKind, withSpan } from '../telemetry/tracing.js';
import { WorkerDuty } from '../work/duty.js';
import { CommandWorker } from '../work/worker.js';

const SWEEP_MS = 300_000;
/** By then what the server forgot to have been acknowledged was delivered again and settled. */
const SWEEP_SOON_MS = 45_000;

export interface StrategyOptions {
  readonly bus: Bus;
  readonly claims: Claims;
  readonly logger: Logger;
  readonly service: string;
  readonly workerId: string;
  readonly pools: readonly string[];
  /** Commands handled at the same time. */
  readonly slots: number;
  readonly graceMs: number;
  /** See ServiceOptions. Default: all. */
  readonly factsFrom?: 'all' | 'new';
}

/** The transport of all services: commands from lanes, facts from durable consumers, questions over core NATS. */
export class JetStreamStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('jetstream');
  override readonly propagatesEventHandlerErrors = true;
  readonly #workers: { worker: CommandWorker; dispatcher: Dispatcher }[] = [];
  readonly #facts: FactConsumer[] = [];
  readonly #stops: (() => void)[] = [];
  readonly duty: WorkerDuty;

  constructor(private readonly options: StrategyOptions) {
    super();
    this.duty = new WorkerDuty(options.bus, options.service, options.workerId);
  }

  get activeJobs(): string[] {
    return this.#workers.flatMap(({ worker }) => worker.activeJobs);
  }

  /** Of commands with lanes. Tasks have slots of their own, which nobody plans with. */
  get slots(): { all: number; busy: number } {
    const own = this.#workers.filter(({ worker }) => worker.hasLanes).map(({ dispatcher }) => dispatcher);
    return {
      all: own.reduce((sum, { slots }) => sum + slots, 0),
      busy: own.reduce((sum, { busy }) => sum + busy, 0),
    };
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      // Before the first lane is looked into: a paused worker that is started takes nothing.
      await this.duty.start();
      for (const [pattern, handler] of this.messageHandlers) await this.#attach(pattern, handler);
      this.duty.onChange(() => this.#obey());
      this.#obey();
      this.#watchCancellations();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    const stopped = Promise.all([
      ...this.#workers.map(({ dispatcher }) => dispatcher.stop()),
      ...this.#facts.map((consumer) => consumer.stop()),
    ]);
    const { graceMs } = this.options;
    const deadline = performance.now() + graceMs;
    while (this.#busy > 0 && performance.now() < deadline) await pause();
    for (const { worker } of this.#workers) worker.stopAll('shutdown');
    await stopped;
    while (this.#busy > 0) await pause();
    await this.duty.stop();
  }

  /**
   * Paused or draining, it takes no commands. Facts and questions go on: a question is short, and a job that is asked for
   * meanwhile is described and waits, rather than being refused.
   */
  #obey(): void {
    const { current } = this.duty;
    for (const { dispatcher } of this.#workers) dispatcher.pause(current !== 'running');
    if (this.#workers.length > 0 && current !== 'running')
      this.options.logger.info(`${current}: nothing new is taken until the worker is resumed`);
  }

  /** Messages in hand, also those whose record is still being asked for. */
  get #busy(): number {
    return this.#workers.reduce((sum, { dispatcher }) => sum + dispatcher.busy, 0);
  }

  on(): never {
    throw new Error('this transport has no events of its own');
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is NestJS's
  unwrap<T>(): T {
    return this.options.bus.connection as T;
  }

  async #attach(pattern: string, handler: MessageHandler): Promise<void> {
    if (handler.next) throw new Error(`two handlers for ${pattern}`);
    const call = async (data: unknown, context: unknown): Promise<unknown> => {
      const result: unknown = await handler(data, context);
      return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
    };
    const request = REQUESTS.get(pattern);
    if (request) return this.#answer(request, call);
    // `job.completed.v1#callbacks`: see OnFact.
    const [type = '', group] = pattern.split('#');
    const event = CATALOGUE.get(type);
    if (event === undefined) throw new Error(`a handler for ${pattern}, which is in no catalogue`);
    if (event.kind === 'command') await this.#work(event as CommandDefinition, call);
    else await this.#consume(event, call, { group, parallel: handler.extras?.['parallel'] as number | undefined });
  }

  async #work(
    command: CommandDefinition,
    handler: (data: unknown, context: unknown) => Promise<unknown>,
  ): Promise<void> {
    const { bus, claims, logger, pools, service, slots, workerId } = this.options;
    await declareLanes(bus.jsm, command, pools);
    const worker = new CommandWorker({
      bus,
      claims,
      command,
      control: bus.buckets.control,
      handler,
      logger,
      service,
      workerId,
    });
    const dispatcher = new Dispatcher({
      connection: bus.connection,
      command,
      pools,
      slots,
      paused: this.duty.current !== 'running',
      logger,
      run: async (delivery) => worker.run(delivery),
      declare: async () => declareLanes(bus.jsm, command, pools),
    });
    this.#workers.push({ worker, dispatcher });
    this.#sweepNowAndThen(command);
  }

  async #consume(
    event: EventDefinition,
    handler: (data: unknown, context: unknown) => Promise<unknown>,
    { group, parallel }: { group: string | undefined; parallel: number | undefined },
  ): Promise<void> {
    const { bus, logger } = this.options;
    const service = group === undefined ? this.options.service : `${this.options.service}-${group}`;
    const from = this.options.factsFrom ?? 'all';
    const consumer = new FactConsumer({ bus, service, event, handler, logger, from, parallel });
    this.#facts.push(consumer);
    await consumer.start();
  }

  #answer(request: RequestDefinition, handler: (data: unknown, context: unknown) => Promise<unknown>): void {
    const { bus, logger, service } = this.options;
    const subscription = bus.connection.subscribe(request.subject, {
      queue: service,
      callback: (error, message) => {
        if (error) return;
        const parent = contextFrom(envelopeOf(message.headers).traceparent);
        void withSpan(
          `${request.subject} process`,
          {},
          async () => {
            const parsed = request.request.safeParse(readJson(message));
            if (!parsed.success) {
              const [issue] = parsed.error.issues;
              throw new InvalidMessage(
                `${request.subject} at ${issue?.path.join('.') ?? '?'}: ${issue?.message ?? ''}`,
              );
            }
            return { ok: request.reply.parse(await handler(parsed.data, {})) };
          },
          { kind: SpanKind.SERVER, parent },
        )
          .catch((failure: unknown) => {
            logger.warn({ err: failure }, `${request.subject} failed`);
            return failureAnswer(failure);
          })
          .then((answer) => message.respond(JSON.stringify(answer)))
          .catch((failure: unknown) => {
            logger.warn({ err: failure }, `the answer to ${request.subject} could not be sent`);
          });
      },
    });
    this.#stops.push(() => subscription.unsubscribe());
  }

  /** After each reconnection, when there may be something, and seldom otherwise. */
  #sweepNowAndThen(command: CommandDefinition): void {
    const { bus, claims, logger } = this.options;
    const queue = new CommandQueue(bus, claims);
    const sweep = (): void => {
      queue.sweep(command).then(
        (swept) => {
          if (swept > 0) logger.info({ swept }, `${command.name}: messages of ended jobs were removed`);
        },
        (error: unknown) => logger.debug({ err: error }, 'the lanes could not be swept'),
      );
    };
    let soon: NodeJS.Timeout | undefined;
    const forget = onReconnect(bus.connection, () => {
      clearTimeout(soon);
      soon = setTimeout(sweep, SWEEP_SOON_MS).unref();
    });
    const timer = setInterval(sweep, SWEEP_MS).unref();
    this.#stops.push(() => {
      forget();
      clearTimeout(soon);
      clearInterval(timer);
    });
  }

  #watchCancellations(): void {
    if (this.#workers.length === 0) return;
    const { bus } = this.options;
    const stop = new AbortController();
    // While NATS is away the renewal of the lease tells of cancellations.
    void followControl(bus.connection, bus.js, cancelKey('*', '*'), stop.signal, (key, mark) => {
      const [, activity, jobId = ''] = key.split('.');
      for (const { worker } of this.#workers) if (worker.activity === activity) worker.cancel(jobId, mark);
    });
    this.#stops.push(() => stop.abort());
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 25));

function readJson(message: Msg): unknown {
  try {
    return message.json();
  } catch (error) {
    throw new InvalidMessage('its body is not JSON', { cause: error });
  }
}
