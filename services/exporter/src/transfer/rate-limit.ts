/** Bytes that may come at once after a pause, as a part of a second's worth. */
const BURST_SECONDS = 0.1;
const MIN_BURST_BYTES = 65_536;
const LONGEST_WAIT_MS = 1_000;

/** Counts bytes against a rate. What came already cannot be refused: it becomes a debt that is waited out. */
export class TokenBucket {
  private tokens: number;
  private at: number;

  /** @param now in milliseconds */
  constructor(
    private rate: number | null,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.at = now();
    this.tokens = this.burst();
  }

  /** A debt is kept, in bytes. */
  setRate(bytesPerSecond: number | null): void {
    this.refill();
    this.rate = bytesPerSecond;
    this.tokens = Math.min(this.tokens, this.burst());
  }

  take(bytes: number): void {
    if (this.rate === null) return;
    this.refill();
    this.tokens -= bytes;
  }

  /** Milliseconds to wait before more is read. */
  delay(): number {
    if (this.rate === null) return 0;
    this.refill();
    return this.tokens >= 0 ? 0 : (-this.tokens / this.rate) * 1000;
  }

  private refill(): void {
    const now = this.now();
    if (this.rate !== null) this.tokens = Math.min(this.burst(), this.tokens + ((now - this.at) / 1000) * this.rate);
    this.at = now;
  }

  private burst(): number {
    return this.rate === null ? 0 : Math.max(this.rate * BURST_SECONDS, MIN_BURST_BYTES);
  }
}

/** A rate limit that can be waited for, and changed meanwhile. */
export class RateLimit {
  private readonly bucket: TokenBucket;
  private readonly wakers = new Set<() => void>();

  constructor(
    bytesPerSecond: number | null,
    private readonly signal: AbortSignal,
  ) {
    this.bucket = new TokenBucket(bytesPerSecond);
    signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  set(bytesPerSecond: number | null): void {
    this.bucket.setRate(bytesPerSecond);
    this.wake();
  }

  take(bytes: number): void {
    this.bucket.take(bytes);
  }

  /** Undefined when more may be read at once. Ends early when the transfer is stopped. */
  wait(): Promise<void> | undefined {
    return this.bucket.delay() > 0 ? this.waitOut() : undefined;
  }

  private async waitOut(): Promise<void> {
    for (;;) {
      const ms = this.bucket.delay();
      if (ms <= 0 || this.signal.aborted) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.wakers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(Math.ceil(ms), LONGEST_WAIT_MS));
        this.wakers.add(wake);
      });
    }
  }

  private wake(): void {
    for (const wake of this.wakers) wake();
  }
}
