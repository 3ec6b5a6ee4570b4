import { RetryLater } from '@hyper2kvm/runtime';

/** More wait on the bus rather than here, so that what is meant for others gets through. */
const WAITING = 64;
/** After these they come again: as long as it has been so already, or thousands would come every other second. */
const FULL_MS = { least: 2_000, most: 60_000 };
const LONGEST_PAUSE_MS = 300_000;

export interface ReceiverOptions {
  /** At the same time. */
  readonly calls: number;
  /** How long it is left alone when it did not answer; twice as long each time that it goes on so, five minutes at most. */
  readonly firstPauseMs: number;
  /** Whether this error of a call means that the other side is not there, for anybody. */
  readonly isSilence: (error: unknown) => boolean;
}

/** The other side of a channel: few calls at a time, and none for a while when it does not answer. */
export class Receiver {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #silences = 0;
  #closedUntil = 0;
  /** Since when somebody has waited all the time. */
  #crowdedSince: number | undefined;
  #problem = '';

  constructor(private readonly options: ReceiverOptions) {}

  /** Whether it can be forgotten. */
  get idle(): boolean {
    return this.#running === 0 && Date.now() > this.#closedUntil;
  }

  /** Asked for by the other side itself, or for its sake. */
  close(ms: number, problem: string): void {
    const until = Date.now() + ms;
    if (until <= this.#closedUntil) return;
    this.#closedUntil = until;
    this.#problem = problem;
  }

  /**
   * Makes a call when its turn comes.
   * @param anyway also while the other side is left alone: somebody wants to know how it is now
   * @throws RetryLater when the other side does not answer, or did not a moment ago; what the call throws otherwise
   */
  async take<T>(call: () => Promise<T>, anyway = false): Promise<T> {
    if (!anyway) this.#assertOpen();
    if (this.#running >= this.options.calls) {
      if (this.#waiting.length >= WAITING) throw new RetryLater(this.#fullMs(), 'many messages wait for this receiver');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      if (!anyway) this.#assertOpen();
      const answer = await call();
      this.#silences = 0;
      return answer;
    } catch (error) {
      if (!this.options.isSilence(error)) throw error;
      // Calls that were made side by side all say the same: that is one silence.
      if (Date.now() >= this.#closedUntil) {
        this.close(
          Math.min(this.options.firstPauseMs * 2 ** this.#silences, LONGEST_PAUSE_MS),
          (error as Error).message,
        );
        this.#silences += 1;
      }
      throw new RetryLater(Math.max(0, this.#closedUntil - Date.now()), (error as Error).message, { cause: error });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#running -= 1;
        this.#crowdedSince = undefined;
      } else next();
    }
  }

  #fullMs(): number {
    const now = Date.now();
    this.#crowdedSince ??= now;
    return Math.min(Math.max(FULL_MS.least, now - this.#crowdedSince), FULL_MS.most);
  }

  #assertOpen(): void {
    const rest = this.#closedUntil - Date.now();
    if (rest > 0) throw new RetryLater(rest, `it is left alone for a while: ${this.#problem}`);
  }
}
