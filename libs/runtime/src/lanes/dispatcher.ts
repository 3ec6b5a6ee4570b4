import type { CommandDefinition, Lane } from '@hyper2kvm/contracts';
import type { NatsConnection, Subscription } from 'nats';
import type { Logger } from '../telemetry/logger.js';
import { consumerOf, filterOf, streamOf } from './address.js';
import type { Delivery } from './delivery.js';
import { LanePuller } from './puller.js';

/** Every n-th pick goes to the waiting lower lane that was served longest ago, so that a busy high lane starves nobody. */
const GUARD_EVERY = 8;
/** The doorbell can overtake the store: after it rang on an empty queue, look again so many milliseconds later. */
const LOOK_AGAIN_MS = [2, 5, 15, 50, 150];
/** Redeliveries ring no bell. */
const TICK_MS = 1_000;

/** Between two attempts to make the consumers again. */
const HEAL_MS = 5_000;

type Wake = 'bell' | 'slot' | 'timer' | 'stop';

/** Gives a worker's free slots the next message in lane order, one at a time. Open pulls on several lanes would give one slot several. */
export class Dispatcher {
  readonly #pullers = new Map<Lane, LanePuller[]>();
  readonly #bells: Subscription[];
  readonly #lastServed = new Map<Lane, number>();
  #free: number;
  #picks = 0;
  #rung = false;
  #paused: boolean;
  #stopped = false;
  #healAfter = Number.NEGATIVE_INFINITY;
  #waiter: ((wake: Wake) => void) | undefined;
  readonly #loop: Promise<void>;

  constructor(
    private readonly options: {
      readonly connection: NatsConnection;
      readonly command: CommandDefinition;
      readonly pools: readonly string[];
      readonly slots: number;
      /** Begins without taking anything. */
      readonly paused?: boolean;
      readonly logger: Logger;
      /** Handles one message to its end; never rejects. */
      readonly run: (delivery: Delivery) => Promise<void>;
      /** Makes the lanes' consumers, when one is gone. */
      readonly declare: () => Promise<void>;
    },
  ) {
    const { connection, command, pools } = options;
    this.#free = options.slots;
    this.#paused = options.paused ?? false;
    for (const lane of command.lanes) {
      const stream = streamOf(command, lane);
      this.#pullers.set(
        lane,
        pools.map((pool) => new LanePuller(connection, stream, consumerOf(command, pool), () => this.#onLate())),
      );
    }
    this.#bells = pools.flatMap((pool) =>
      command.lanes.map((lane) =>
        connection.subscribe(filterOf(command, lane, pool), { callback: () => this.#wake('bell') }),
      ),
    );
    this.#loop = this.#run();
  }

  get slots(): number {
    return this.options.slots;
  }

  get busy(): number {
    return this.options.slots - this.#free;
  }

  get #takes(): boolean {
    return this.#free > 0 && !this.#paused && !this.#stopped;
  }

  /** While it is paused nothing new is taken; what runs goes on. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (paused) this.#giveBackLate();
    else this.#wake('slot');
  }

  /** Takes nothing new; what runs goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const bell of this.#bells) bell.unsubscribe();
    this.#wake('stop');
    await this.#loop;
    for (const pullers of this.#pullers.values()) for (const puller of pullers) puller.close();
  }

  async #run(): Promise<void> {
    let lookAgain = 0;
    while (!this.#stopped) {
      if (!this.#takes) {
        await this.#wait();
        continue;
      }
      this.#rung = false;
      const delivery = await this.#take();
      if (delivery) {
        lookAgain = 0;
        this.#start(delivery);
      } else if (!this.#rung) {
        const pause = LOOK_AGAIN_MS[lookAgain] ?? TICK_MS * (0.75 + Math.random() / 2);
        const wake = await this.#wait(pause);
        lookAgain = wake === 'timer' ? lookAgain + 1 : 0;
      }
    }
  }

  async #take(): Promise<Delivery | undefined> {
    for (const lane of this.#order()) {
      for (const puller of this.#pullers.get(lane) ?? []) {
        if (!this.#takes) return undefined;
        try {
          const delivery = await puller.pull();
          if (!delivery) continue;
          if (!this.#takes) {
            delivery.nak(1);
            return undefined;
          }
          this.#picks += 1;
          this.#lastServed.set(lane, this.#picks);
          return delivery;
        } catch (error) {
          // One sick lane must not stop the others.
          this.#heal(lane, error as Error);
        }
      }
    }
    return undefined;
  }

  /** A lane refuses while its server starts, and when somebody deleted its consumer: then nobody else would make it again. */
  #heal(lane: Lane, error: Error): void {
    const { connection, declare, logger } = this.options;
    const connected = connection.info !== undefined;
    if (this.#stopped || !connected || performance.now() < this.#healAfter) return;
    this.#healAfter = performance.now() + HEAL_MS;
    logger.warn({ lane, error: error.message }, 'a lane could not be read, its consumers are declared again');
    declare().catch((failure: unknown) =>
      logger.warn({ lane, error: (failure as Error).message }, 'the consumers could not be declared'),
    );
  }

  #order(): readonly Lane[] {
    const { lanes } = this.options.command;
    const [high, ...lower] = lanes;
    if (high === undefined || this.#picks % GUARD_EVERY !== GUARD_EVERY - 1) return lanes;
    const served = (lane: Lane): number => this.#lastServed.get(lane) ?? -1;
    return [...lower.toSorted((a, b) => served(a) - served(b)), high];
  }

  #start(delivery: Delivery): void {
    this.#free -= 1;
    void this.options.run(delivery).finally(() => {
      this.#free += 1;
      this.#wake('slot');
    });
  }

  #onLate(): void {
    if (this.#takes) this.#wake('bell');
    else this.#giveBackLate();
  }

  #giveBackLate(): void {
    for (const pullers of this.#pullers.values())
      for (const puller of pullers) for (const late of puller.drainLate()) late.nak(1);
  }

  #wake(why: Wake): void {
    this.#rung = true;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(why);
  }

  /** A full worker is woken by a freed slot alone. */
  async #wait(ms?: number): Promise<Wake> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#settle(resolve, 'timer'), ms);
      const waiter = (wake: Wake): void => {
        if (ms === undefined && wake === 'bell') {
          this.#waiter = waiter;
          return;
        }
        clearTimeout(timer);
        resolve(wake);
      };
      this.#waiter = waiter;
    });
  }

  #settle(resolve: (wake: Wake) => void, wake: Wake): void {
    this.#waiter = undefined;
    resolve(wake);
  }
}
