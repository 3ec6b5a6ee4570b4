import { Backoff } from './backoff.js';

const KEY = 'pass';

/** Repeats a pass: at a tick, when it is kicked, and at once while there is more to do; with pauses that grow while it fails. */
export class Loop {
  #stopping = false;
  #running: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #kicked = false;

  constructor(
    private readonly options: {
      readonly tickMs: number;
      /** Whether there may be more at once. */
      readonly pass: () => Promise<boolean>;
      readonly failed: (error: unknown) => void;
    },
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.kick();
    await this.#running;
  }

  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { pass, failed, tickMs } = this.options;
    const outage = new Backoff({ firstMs: 250, maxMs: 5000 });
    while (!this.#stopping) {
      let pause = tickMs;
      try {
        this.#kicked = false;
        if (await pass()) pause = 0;
        outage.clear(KEY);
      } catch (error) {
        pause = outage.failed(KEY);
        failed(error);
      }
      if (pause > 0) await this.#sleep(pause);
    }
  }

  #sleep(ms: number): Promise<void> {
    if (this.#kicked || this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
