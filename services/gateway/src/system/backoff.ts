const FORGET_MS = 10 * 60_000;

/** Doubling pauses per key, in milliseconds. */
export class Backoff {
  readonly #failures = new Map<string, { count: number; until: number }>();
  constructor(private readonly limits: { readonly firstMs: number; readonly maxMs: number }) {}

  /** Notes a failure; the pause from now. */
  failed(key: string): number {
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const pause = Math.min(this.limits.maxMs, this.limits.firstMs * 2 ** (count - 1));
    this.#failures.set(key, { count, until: performance.now() + pause });
    return pause;
  }

  clear(key: string): void {
    this.#failures.delete(key);
  }

  /** Keys whose pause is not over. */
  waiting(): string[] {
    const now = performance.now();
    // Another relay may have published them meanwhile: what was not met again for long is forgotten.
    for (const [key, { until }] of this.#failures) if (until < now - FORGET_MS) this.#failures.delete(key);
    return [...this.#failures].filter(([, { until }]) => until > now).map(([key]) => key);
  }
}
