import { createInbox, type Msg, type NatsConnection, type Subscription } from 'nats';
import { Delivery } from './delivery.js';

/** After this long without an answer a pull counts as parked at the server. */
const ANSWER_MS = 1_000;
/** After this long a parked request is given up and the inbox renewed. */
const PARKED_MS = 5_000;

/** The server refused a pull or did not answer it: the consumer is gone, or too many requests wait. */
class PullRefused extends Error {
  override readonly name = 'PullRefused';
}

interface Outstanding {
  readonly since: number;
  settled: boolean;
  resolve(delivery: Delivery | undefined): void;
  reject(error: Error): void;
}

/**
 * Pulls one message at a time from one consumer without waiting. One permanent inbox and at most one request under way: a
 * no-wait pull is sometimes never answered, the server parks it and delivers a later message there, and that must not be lost.
 */
export class LanePuller {
  readonly #subject: string;
  #inbox = '';
  #subscription: Subscription | undefined;
  #outstanding: Outstanding | undefined;
  #late: Delivery[] = [];

  constructor(
    private readonly connection: NatsConnection,
    readonly stream: string,
    consumer: string,
    /** Called when a message came after its pull was given up. */
    private readonly onLate: () => void,
  ) {
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    this.#open();
  }

  /** The next message, or undefined when none waits. */
  async pull(): Promise<Delivery | undefined> {
    const late = this.#late.shift();
    if (late) return late;
    if (this.#outstanding) {
      if (performance.now() - this.#outstanding.since < PARKED_MS) return undefined;
      this.#renew();
      // A server answers nothing at all for a consumer that does not exist.
      throw new PullRefused('no answer');
    }
    return new Promise((resolve, reject) => {
      const outstanding: Outstanding = { since: performance.now(), settled: false, resolve, reject };
      const timer = setTimeout(() => {
        outstanding.settled = true;
        resolve(undefined);
      }, ANSWER_MS);
      outstanding.resolve = (delivery) => {
        clearTimeout(timer);
        resolve(delivery);
      };
      outstanding.reject = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      this.#outstanding = outstanding;
      try {
        this.connection.publish(this.#subject, JSON.stringify({ batch: 1, no_wait: true }), { reply: this.#inbox });
      } catch (error) {
        this.#outstanding = undefined;
        outstanding.reject(error as Error);
      }
    });
  }

  /** Messages that came late and were not taken. */
  drainLate(): Delivery[] {
    return this.#late.splice(0);
  }

  close(): void {
    this.#subscription?.unsubscribe();
    for (const delivery of this.drainLate()) delivery.nak(1);
  }

  #open(): void {
    const inbox = createInbox();
    this.#inbox = inbox;
    this.#subscription = this.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (!error) this.#answer(inbox, message);
      },
    });
  }

  #renew(): void {
    const old = this.#subscription;
    setTimeout(() => old?.unsubscribe(), PARKED_MS).unref();
    this.#outstanding = undefined;
    this.#open();
  }

  #answer(inbox: string, message: Msg): void {
    // A status has the inbox as its subject and no body; a delivered message carries its original subject.
    const status = message.subject === inbox && message.data.length === 0 ? (message.headers?.code ?? 0) : 0;
    if (status === 100) return;
    const outstanding = inbox === this.#inbox ? this.#outstanding : undefined;
    if (outstanding) this.#outstanding = undefined;
    if (outstanding && !outstanding.settled) {
      outstanding.settled = true;
      if (status === 404 || status === 408) outstanding.resolve(undefined);
      else if (status > 0) outstanding.reject(new PullRefused(`${status} ${message.headers?.description ?? ''}`));
      else outstanding.resolve(new Delivery(this.connection, message));
    } else if (status === 0) {
      this.#late.push(new Delivery(this.connection, message));
      this.onLate();
    }
  }
}
