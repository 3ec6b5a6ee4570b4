import { commandSubject, type CommandDefinition, type CommandFence, type Lane } from '@hyper2kvm/contracts';
import type { Bus } from '../bus/bus.js';
import { Claims } from '../claims/claims.js';
import { activityOf, consumerOf, filterOf, isOf, streamOf } from './address.js';
import { cancelKey } from './cancellation.js';
import { sweepLane } from './sweep.js';

/** Puts commands into lanes and takes them out again. The record is written first: it fences everything that follows. */
export class CommandQueue {
  constructor(
    private readonly bus: Bus,
    private readonly claims: Claims,
  ) {}

  /** Idempotent: repeated after a crash it finds the record and the stored message. */
  async send(
    command: CommandDefinition,
    data: CommandFence & Record<string, unknown>,
    options: { eventId: string; traceparent?: string | undefined },
  ): Promise<{ stream: string; seq: number }> {
    const activity = activityOf(command);
    const record = await this.claims.prepare(activity, data);
    const stream = streamOf(command, data.lane);
    // Overtaken by a newer attempt or move: nothing to send any more.
    if (record.attempt !== data.attempt || record.generation !== data.generation)
      return { stream, seq: record.seq ?? 0 };
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
    await this.claims.change(activity, data.job_id, (now) => {
      if (now === undefined) throw new Error(`the record of ${data.job_id} vanished`);
      const same = now.attempt === data.attempt && now.generation === data.generation;
      return same && now.seq === null ? { ...now, seq } : now;
    });
    return { stream, seq };
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
    // By sequence, never by purge: on server 2.9 a purge strands every other waiting message.
    if (record.seq !== null)
      await this.bus.jsm.streams.deleteMessage(streamOf(command, record.lane), record.seq, false).catch(() => {});
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
