import { isDeepStrictEqual } from 'node:util';
import type { KV } from 'nats';
import { decodeRecord, encodeRecord, isConflict, LEASE_MS } from './entry.js';
import type { ClaimRecord } from './record.js';

/** The lease belongs to another worker, or the job's attempt is over: nothing may be done any more. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  constructor(
    message: string,
    /** Nobody else has it: the job was cancelled. */
    readonly cancelled = false,
  ) {
    super(message);
  }
}

/** A worker's right to one activity for one job, kept by renewing its record. */
export class Lease {
  #chain: Promise<unknown> = Promise.resolve();
  #lost = false;
  #cancelled = false;
  readonly #before: string | undefined;
  #startedIn: Pick<ClaimRecord, 'traceparent'> = {};

  constructor(
    private readonly kv: KV,
    private readonly key: string,
    private record: ClaimRecord,
    private revision: number,
    /** On the monotonic clock, counted from before the last successful write was sent. */
    private deadline: number,
  ) {
    this.#before = record.traceparent;
  }

  get epoch(): number {
    return this.record.epoch;
  }

  /** Span of the start before this one, of this attempt or another; undefined for the first. */
  get startedBefore(): string | undefined {
    return this.#before;
  }

  /** The span of this start; reaches the record with its next renewal. */
  startedIn(traceparent: string | undefined): void {
    if (traceparent !== undefined) this.#startedIn = { traceparent };
  }

  /** How often this attempt was started, with this start. */
  get starts(): number {
    return this.record.starts;
  }

  get attempt(): number {
    return this.record.attempt;
  }

  /** False past the deadline (cut off from NATS): then no heartbeat, no acknowledgement, nothing irreversible. */
  get valid(): boolean {
    return !this.#lost && performance.now() < this.deadline;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Lost because the job was cancelled: nobody else works on it, so its user may still be told things. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** @throws LeaseLost when it belongs to another; other errors are passing (NATS away) */
  async renew(): Promise<void> {
    await this.#write((record) => record);
  }

  /** The end: from now on every delivery of this message only emits `done` again. */
  async finish(done: NonNullable<ClaimRecord['done']>): Promise<void> {
    await this.#write((record) => ({ ...record, done, owner: null }));
  }

  /** Hands the work back; this start does not count when it was through no fault of the work. */
  async release(countStart: boolean): Promise<void> {
    await this.#write((record) => ({
      ...record,
      owner: null,
      starts: Math.max(0, record.starts - (countStart ? 0 : 1)),
    }));
    this.#lost = true;
  }

  /**
   * After cancelled work has ended: takes the owner out of the record, which is over, so that what waits for this end goes on.
   * A record that another one has by now stays as it is.
   */
  async leave(): Promise<void> {
    await this.#chain;
    const found = decodeRecord(await this.kv.get(this.key));
    if (found === undefined || !this.#isOurs(found.record)) return;
    const left = { ...found.record, owner: null };
    await this.kv.put(this.key, encodeRecord(left), { previousSeq: found.revision });
  }

  #isOurs(record: ClaimRecord): boolean {
    return record.owner?.incarnation === this.record.owner?.incarnation && record.epoch === this.record.epoch;
  }

  /** One write at a time: each needs the revision of the one before. */
  async #write(next: (record: ClaimRecord) => ClaimRecord): Promise<void> {
    const turn = this.#chain.then(() => this.#compareAndSet(next));
    this.#chain = turn.catch(() => {});
    await turn;
  }

  async #compareAndSet(next: (record: ClaimRecord) => ClaimRecord): Promise<void> {
    if (this.#lost) throw new LeaseLost('the lease was lost', this.#cancelled);
    for (;;) {
      const wanted = { ...next(this.record), ...this.#startedIn };
      const sent = performance.now();
      try {
        this.revision = await this.kv.put(this.key, encodeRecord(wanted), { previousSeq: this.revision });
        this.record = wanted;
        this.deadline = sent + LEASE_MS;
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
        if (await this.#adopt(wanted)) return;
      }
    }
  }

  /**
   * Someone wrote in between: an earlier write of ours that timed out (then it goes on; true when it was this very one), or
   * another worker (then it is over).
   */
  async #adopt(wanted: ClaimRecord): Promise<boolean> {
    const found = decodeRecord(await this.kv.get(this.key));
    const landed = found !== undefined && isDeepStrictEqual(found.record, JSON.parse(JSON.stringify(wanted)));
    const ours =
      landed ||
      (found !== undefined &&
        this.#isOurs(found.record) &&
        found.record.attempt === this.record.attempt &&
        !found.record.cancelled);
    if (!ours) {
      this.#lost = true;
      this.#cancelled = found?.record.cancelled === true;
      throw new LeaseLost(this.#cancelled ? 'the job was cancelled' : 'another worker took the lease', this.#cancelled);
    }
    this.record = found.record;
    this.revision = found.revision;
    return landed;
  }
}
