import type { Activity, CommandFence } from '@hyper2kvm/contracts';
import type { KV } from 'nats';
import { decodeRecord, encodeRecord, isConflict, LEASE_MS } from './entry.js';
import { Lease } from './lease.js';
import { excludedBy } from './exclusion.js';
import { type ClaimRecord, isDead, type Owner } from './record.js';

const CAS_TRIES = 50;

/** What a worker may do with a message. */
export type Take =
  | { readonly kind: 'taken'; readonly lease: Lease }
  /** It ended before: its fact is emitted again. */
  | { readonly kind: 'done'; readonly record: ClaimRecord }
  /** Of an older attempt or generation, or cancelled. */
  | { readonly kind: 'stale' }
  /** Another worker has it, or is at something of this job that has to end first. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'exhausted'; readonly lease: Lease };

/** The records of all activities for all jobs: who may work on what. */
export class Claims {
  readonly #seen = new Map<string, { revision: number; since: number }>();
  /** Epochs of takes that gave no answer: when the record shows one of them, it landed, and its work never began. */
  readonly #unanswered = new Map<string, number>();

  constructor(
    private readonly kv: KV,
    private readonly self: Owner,
  ) {}

  static key(activity: Activity, jobId: string): string {
    return `${activity}.${jobId}`;
  }

  async get(activity: Activity, jobId: string): Promise<{ record: ClaimRecord; revision: number } | undefined> {
    return decodeRecord(await this.kv.get(Claims.key(activity, jobId)));
  }

  /** Before a command is published: makes its record, or raises it to this attempt and generation. Idempotent. */
  async prepare(activity: Activity, fence: CommandFence): Promise<ClaimRecord> {
    return this.change(activity, fence.job_id, (record) => {
      return record === undefined || isOlder(record, fence) ? freshRecord(fence, record) : record;
    });
  }

  /**
   * Before a waiting command is published in another lane: raises its record to the new generation, which makes the old message
   * void. One that somebody has, or that came to its end, stays as it is. Idempotent.
   */
  async redirect(activity: Activity, fence: CommandFence): Promise<ClaimRecord> {
    return this.change(activity, fence.job_id, (record) => {
      if (record === undefined) return freshRecord(fence, record);
      if (!isOlder(record, fence)) return record;
      if (record.attempt < fence.attempt) return freshRecord(fence, record);
      if (record.owner !== null || record.done !== null || record.cancelled) return record;
      const { generation, lane, pool } = fence;
      const { seq } = record;
      const left = seq === null ? record.left : [...record.left, { lane: record.lane, seq }];
      return { ...record, generation, lane, pool, seq: null, left };
    });
  }

  /**
   * Compare-and-set until it holds.
   * @param next gives the new record from the current one; the same object means "leave it"
   */
  async change(
    activity: Activity,
    jobId: string,
    next: (record: ClaimRecord | undefined) => ClaimRecord,
  ): Promise<ClaimRecord> {
    const key = Claims.key(activity, jobId);
    for (let tries = 0; tries < CAS_TRIES; tries += 1) {
      const entry = await this.kv.get(key);
      const found = decodeRecord(entry);
      const wanted = next(found?.record);
      if (found !== undefined && wanted === found.record) return wanted;
      try {
        // A deleted entry has a revision too, and must be written over it.
        await this.kv.put(key, encodeRecord(wanted), { previousSeq: entry?.revision ?? 0 });
        return wanted;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    throw new Error(`the record ${key} could not be changed: too many others do`);
  }

  /** Takes the lease of a message's job, or says why not. Counts the start. */
  async take(activity: Activity, fence: CommandFence, maxStarts: number): Promise<Take> {
    const key = Claims.key(activity, fence.job_id);
    const other = excludedBy(activity);
    for (let tries = 0; tries < CAS_TRIES; tries += 1) {
      const entry = await this.kv.get(key);
      const found = decodeRecord(entry);
      let record = found?.record;
      // A record behind its message means that the bucket was lost: the message is all there is.
      if (record === undefined || isOlder(record, fence)) record = freshRecord(fence, record);
      if (record.attempt > fence.attempt || record.generation > fence.generation || record.cancelled)
        return { kind: 'stale' };
      if (record.done !== null) return { kind: 'done', record };
      const { owner } = record;
      const landed = owner?.incarnation === this.self.incarnation && this.#unanswered.get(key) === record.epoch;
      if (landed) record = { ...record, starts: Math.max(0, record.starts - 1) };
      else if (this.#lives(key, owner, entry?.revision ?? 0)) return { kind: 'busy' };
      if (other !== undefined && (await this.#isHeld(other, fence.job_id))) return { kind: 'busy' };
      const exhausted = record.starts >= maxStarts;
      const taken: ClaimRecord = {
        ...record,
        owner: this.self,
        epoch: record.epoch + 1,
        starts: record.starts + (exhausted ? 0 : 1),
      };
      const sent = performance.now();
      try {
        const revision = await this.kv.put(key, encodeRecord(taken), { previousSeq: entry?.revision ?? 0 });
        this.#seen.delete(key);
        this.#unanswered.delete(key);
        return {
          kind: exhausted ? 'exhausted' : 'taken',
          lease: new Lease(this.kv, key, taken, revision, sent + LEASE_MS),
        };
      } catch (error) {
        if (isConflict(error)) continue;
        this.#unanswered.set(key, taken.epoch);
        throw error;
      }
    }
    return { kind: 'busy' };
  }

  async #isHeld(activity: Activity, jobId: string): Promise<boolean> {
    const found = await this.get(activity, jobId);
    return found !== undefined && this.#lives(Claims.key(activity, jobId), found.record.owner, found.revision);
  }

  /** Whether a record's owner is still at its work, as far as can be told. */
  #lives(key: string, owner: Owner | null, revision: number): boolean {
    return owner !== null && !isDead(owner) && !this.#stoodStill(key, revision);
  }

  #stoodStill(key: string, revision: number): boolean {
    const seen = this.#seen.get(key);
    if (seen?.revision !== revision) {
      this.#seen.set(key, { revision, since: performance.now() });
      return false;
    }
    return performance.now() - seen.since >= LEASE_MS;
  }
}

const isOlder = (record: ClaimRecord, fence: CommandFence): boolean =>
  record.attempt < fence.attempt || (record.attempt === fence.attempt && record.generation < fence.generation);

const freshRecord = (fence: CommandFence, before: ClaimRecord | undefined): ClaimRecord => ({
  attempt: fence.attempt,
  generation: fence.generation,
  lane: fence.lane,
  pool: fence.pool,
  seq: null,
  left: [],
  epoch: before?.epoch ?? 0,
  starts: 0,
  owner: null,
  cancelled: false,
  ...(before?.traceparent === undefined ? {} : { traceparent: before.traceparent }),
  done: null,
});
