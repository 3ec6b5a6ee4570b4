/** A stretch of the disk, asked for by one request. `end` is the first byte behind it. */
export interface Range {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a disk into ranges, gives them to whoever asks next, and hands their content on in the order of the disk. Never more
 * than `limit` ranges are between being given out and being taken: what came too early waits, and so do those who ask.
 */
export class RangeWindow<Content> {
  private given = 0;
  private taken = 0;
  private readonly arrived = new Map<number, Content>();
  private failure: { readonly error: unknown } | undefined;
  private wakers: (() => void)[] = [];

  constructor(
    private readonly startAt: number,
    private readonly sizeBytes: number,
    private readonly rangeBytes: number,
    private readonly limit: number,
  ) {}

  /** The next range; undefined when there is none left. @throws what `fail` was told */
  async next(): Promise<Range | undefined> {
    for (;;) {
      this.check();
      const range = this.range(this.given);
      if (range === undefined) return undefined;
      if (this.given < this.taken + this.limit) {
        this.given++;
        return range;
      }
      await this.change();
    }
  }

  put(range: Range, content: Content): void {
    this.arrived.set(range.index, content);
    this.wake();
  }

  /** The next content in the order of the disk; undefined at its end. @throws what `fail` was told */
  async take(): Promise<{ readonly range: Range; readonly content: Content } | undefined> {
    const range = this.range(this.taken);
    if (range === undefined) return undefined;
    for (;;) {
      this.check();
      const content = this.arrived.get(range.index);
      if (content !== undefined) {
        this.arrived.delete(range.index);
        this.taken++;
        this.wake();
        return { range, content };
      }
      await this.change();
    }
  }

  /** Ends everybody who waits; the first error counts. */
  fail(error: unknown): void {
    this.failure ??= { error };
    this.wake();
  }

  private range(index: number): Range | undefined {
    const start = this.startAt + index * this.rangeBytes;
    if (start >= this.sizeBytes) return undefined;
    return { index, start, end: Math.min(start + this.rangeBytes, this.sizeBytes) };
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  private async change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wakers.push(resolve);
    });
  }

  private wake(): void {
    const { wakers } = this;
    this.wakers = [];
    for (const wake of wakers) wake();
  }
}
