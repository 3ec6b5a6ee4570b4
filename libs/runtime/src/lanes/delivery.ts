import { nanos, type Msg, type NatsConnection } from 'nats';

const encoder = new TextEncoder();
const WORKING = encoder.encode('+WPI');
const ACK = encoder.encode('+ACK');
/** An acknowledgement is asked for again until the server confirmed it, for at most this long. */
const ACK_BUDGET_MS = 60_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * One message of a work queue in a worker's hands. Not the client's JsMsg: its `ackAck` cannot be repeated after a time-out
 * (it returns false without sending), and an acknowledgement sent while the server is down is lost.
 */
export class Delivery {
  /** Position in its stream. */
  readonly sequence: number;
  readonly stream: string;
  /** From 1; above it the message was delivered before. */
  readonly deliveries: number;

  constructor(
    private readonly connection: NatsConnection,
    readonly message: Msg,
  ) {
    // $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>; newer servers put
    // <domain>.<account hash> after ACK and a token at the end.
    const tokens = (message.reply ?? '').split('.');
    const at = tokens.length >= 11 ? 4 : 2;
    this.stream = tokens[at] ?? '';
    this.sequence = Number(tokens[at + 3] ?? 0);
    this.deliveries = Number(tokens[at + 2] ?? 1);
  }

  /** Holds the message for another ack wait. Harmless while the server is down. */
  working(): void {
    this.#tell(WORKING);
  }

  /** Gives it back; it is delivered again after `delayMs`. */
  nak(delayMs: number): void {
    this.#tell(encoder.encode(`-NAK ${JSON.stringify({ delay: nanos(Math.max(1, delayMs)) })}`));
  }

  /** Removes it from the queue. Returns once the server confirmed, or gave no answer for a minute: then it is delivered again, and found done. */
  async ack(): Promise<void> {
    const deadline = performance.now() + ACK_BUDGET_MS;
    while (performance.now() < deadline && !this.connection.isClosed()) {
      try {
        await this.connection.request(this.#reply, ACK, { timeout: 1_000 });
        return;
      } catch {
        await sleep(150);
      }
    }
  }

  #tell(payload: Uint8Array): void {
    try {
      this.connection.publish(this.#reply, payload);
    } catch {
      // The connection is closing: the message comes again after its ack wait.
    }
  }

  get #reply(): string {
    return this.message.reply ?? '';
  }
}
