import { commandSubject, type CommandDefinition, type CommandFence, type Lane } from '@hyper2kvm/contracts';
import type { Bus } from '../bus/bus.js';
import { isAway } from '../bus/passing.js';
import { Claims } from '../claims/claims.js';
import type { ClaimRecord } from '../claims/record.js';
import { activityOf, consumerOf, filterOf, isOf, streamOf } from './address.js';
import { cancelKey } from './cancellation.js';
import { sweepLane } from './sweep.js';

type CommandData = CommandFence & Record<string, unknown>;
interface SendOptions {
  readonly eventId: string;
  readonly traceparent?: string | undefined;
}

/** Puts commands into lanes and takes them out again. The record is written first: it fences everything that follows. */
export class CommandQueue {
  constructor(
    private readonly bus: Bus,
    private readonly claims: Claims,
  ) {}

  /** Idempotent: repeated after a crash it finds the record, and the stored message. */
  async send(command: CommandDefinition, data: CommandData, options: SendOptions): Promise<void> {
    await this.#publish(command, data, options, await this.claims.prepare(activityOf(command), data));
  }

  /**
   * Sends a waiting command in another lane, as a message of a higher generation; what a worker has by now stays where it is.
   * Repeated after a crash, it goes on from where it was.
   */
  async move(command: CommandDefinition, data: CommandData, options: SendOptions): Promise<void> {
    const activity = activityOf(command);
    const record = await this.#publish(command, data, options, await this.claims.redirect(activity, data));
    if (record.left.length === 0) return;
    for (const { lane, seq } of record.left) await this.#remove(command, lane, seq);
    await this.claims.change(activity, data.job_id, (now) => {
      if (now === undefined) throw new Error(`the record of ${data.job_id} vanished`);
      return isSame(now, data) ? { ...now, left: [] } : now;
    });
  }

  /** Unless the record knows where the message lies, or was raised further; the record afterwards. */
  async #publish(
    command: CommandDefinition,
    data: CommandData,
    options: SendOptions,
    record: ClaimRecord,
  ): Promise<ClaimRecord> {
    if (!isSame(record, data) || record.seq !== null) return record;
    const activity = activityOf(command);
    const seq = await this.bus.publishTo(
      commandSubject(command, data.lane, data.pool, data.job_id),
      command,
      data.job_id,
      data,
      {
        ...options,
        messageId: `${activity}:${data.job_id}:${data.attempt}:${data.generation}`,
      },
    );
    return this.claims.change(activity, data.job_id, (now) => {
      if (now === undefined) throw new Error(`the record of ${data.job_id} vanished`);
      return isSame(now, data) && now.seq === null ? { ...now, seq } : now;
    });
  }

  /** Marks the activity cancelled, so that no worker starts or ends it, and removes the waiting message. */
  async cancel(command: CommandDefinition, jobId: string): Promise<void> {
    const activity = activityOf(command);
    if ((await this.claims.get(activity, jobId)) === undefined) return;
    const record = await this.claims.change(activity, jobId, (now) => {
      if (now === undefined) throw new Error(`the record of ${jobId} vanished`);
      return now.cancelled || now.done !== null ? now : { ...now, cancelled: true };
    });
    // The record decides; this reaches a worker that is at it at once.
    await this.bus.buckets.control.put(cancelKey(activity, jobId), String(record.attempt));
    const waiting = record.seq === null ? record.left : [...record.left, { lane: record.lane, seq: record.seq }];
    for (const { lane, seq } of waiting) await this.#remove(command, lane, seq);
  }

  /** By sequence, never by purge: on server 2.9 a purge strands every other waiting message. */
  async #remove(command: CommandDefinition, lane: Lane, seq: number): Promise<void> {
    try {
      await this.bus.jsm.streams.deleteMessage(streamOf(command, lane), seq, false);
    } catch (error) {
      // Gone already; a message that is left is void all the same.
      if (isAway(error)) throw error;
    }
  }

  /** Removes what a killed server left in the lanes of jobs that ended; returns how many. Safe to run anywhere at any time. */
  async sweep(command: CommandDefinition): Promise<number> {
    let swept = 0;
    for (const lane of command.lanes) swept += await sweepLane(this.bus, this.claims, command, lane);
    return swept;
  }

  /** How many wait in each lane, all pools together. */
  async depth(command: CommandDefinition): Promise<Record<Lane, number>> {
    const depth = { high: 0, normal: 0, low: 0 };
    for (const lane of command.lanes) {
      for await (const consumer of this.bus.jsm.consumers.list(streamOf(command, lane)))
        if (isOf(command, consumer.config.filter_subject ?? '')) depth[lane] += consumer.num_pending;
    }
    return depth;
  }

  /** Place in the queue of its lane, from 1; undefined when it is not waiting there any more. */
  async position(command: CommandDefinition, jobId: string): Promise<number | undefined> {
    const found = await this.claims.get(activityOf(command), jobId);
    if (found === undefined || found.record.seq === null || found.record.owner !== null || found.record.done !== null)
      return undefined;
    const { record } = found;
    const stream = streamOf(command, record.lane);
    const consumer = await this.bus.jsm.consumers.info(stream, consumerOf(command, record.pool)).catch(() => undefined);
    if (consumer === undefined) return undefined;
    const [from, to] = [consumer.delivered.stream_seq, record.seq ?? 0];
    if (to <= from) return undefined;
    const info = await this.bus.jsm.streams.info(stream, { deleted_details: true });
    const gone = new Set((info.state.deleted ?? []).filter((seq) => seq > from && seq < to));
    if (command.stream === 'by lane') return to - from - gone.size;
    // Other tasks lie in between. They are few: each is looked at.
    const own = filterOf(command, record.lane, record.pool).slice(0, -1);
    let position = 1;
    for (let seq = Math.max(from + 1, info.state.first_seq); seq < to; seq += 1) {
      if (gone.has(seq)) continue;
      const message = await this.bus.jsm.streams.getMessage(stream, { seq }).catch(() => undefined);
      if (message?.subject.startsWith(own) === true) position += 1;
    }
    return position;
  }
}

const isSame = (record: ClaimRecord, { attempt, generation }: CommandFence): boolean =>
  record.attempt === attempt && record.generation === generation;
