/** What became of one fact at each target of a channel. */
export interface Delivery {
  readonly taken: Set<string>;
  /** Targets refused for good, with the answer of the other side. */
  readonly refused: Map<string, string>;
}

/** The last facts of one channel, so that a repetition goes only where the message is not yet. Oldest go first. */
export class Ledger {
  readonly #deliveries = new Map<string, Delivery>();

  constructor(private readonly limit = 10_000) {}

  of(eventId: string): Delivery {
    const known = this.#deliveries.get(eventId);
    if (known) return known;
    const fresh: Delivery = { taken: new Set(), refused: new Map() };
    this.#deliveries.set(eventId, fresh);
    const oldest = this.#deliveries.keys().next();
    if (this.#deliveries.size > this.limit && !oldest.done) this.#deliveries.delete(oldest.value);
    return fresh;
  }
}
