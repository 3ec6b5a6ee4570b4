/** A number of places that may be taken at once; whoever waited longest is next. */
export class Slots {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly size: number) {}

  /** Runs `work` in a place. @throws the signal's reason when it was aborted while waiting */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.take(signal);
    try {
      return await work();
    } finally {
      this.taken--;
      this.waiting.shift()?.();
    }
  }

  private async take(signal: AbortSignal): Promise<void> {
    while (this.taken >= this.size) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          const at = this.waiting.indexOf(wake);
          if (at >= 0) this.waiting.splice(at, 1);
          resolve();
        };
        this.waiting.push(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    if (signal.aborted) {
      this.waiting.shift()?.();
      signal.throwIfAborted();
    }
    this.taken++;
  }
}
