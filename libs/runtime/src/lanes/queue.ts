import {
  commandSubject,
  LANES,
  laneStream,
  PHASES,
  type CommandDefinition,
  type CommandFence,
  type Lane,
  type Phase,
} from '@hyper2kvm/contracts';
import type { Bus } from '../bus/bus.js';
import { laneConsumer } from '../bus/declare.js';
import { Claims } from '../claims/claims.js';
import { sweepLane } from './sweep.js';

/** The phase a command begins: `export.requested` → export. */
export function phaseOfCommand(command: { name: string }): Phase {
  const [kind] = command.name.split('.');
  const phase = PHASES.find((candidate) => candidate === kind);
  if (phase === undefined) throw new Error(`${command.name} begins no phase`);
  return phase;
}

/** In the bucket `control`: the last attempt of a job that was cancelled. */
export const cancelKey = (jobId: string): string => `cancelled.${jobId}`;

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
    const phase = phaseOfCommand(command);
    const record = await this.claims.prepare(phase, data);
    const stream = laneStream(command.name, data.lane);
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
        messageId: `${phase}:${data.job_id}:${data.attempt}:${data.generation}`,
      },
    );
    await this.claims.change(phase, data.job_id, (now) => {
      if (now === undefined) throw new Error(`the record of ${data.job_id} vanished`);
      const same = now.attempt === data.attempt && now.generation === data.generation;
      return same && now.seq === null ? { ...now, seq } : now;
    });
    return { stream, seq };
  }

  /** Marks the phase cancelled, so that no worker starts or ends it, and removes the waiting message. */
  async cancel(command: CommandDefinition, jobId: string): Promise<void> {
    const phase = phaseOfCommand(command);
    if ((await this.claims.get(phase, jobId)) === undefined) return;
    const record = await this.claims.change(phase, jobId, (now) => {
      if (now === undefined) throw new Error(`the record of ${jobId} vanished`);
      return now.cancelled || now.done !== null ? now : { ...now, cancelled: true };
    });
    // The record decides; this reaches a worker that is at it at once.
    await this.bus.buckets.control.put(cancelKey(jobId), String(record.attempt));
    // By sequence, never by purge: on server 2.9 a purge strands every other waiting message.
    if (record.seq !== null)
      await this.bus.jsm.streams
        .deleteMessage(laneStream(command.name, record.lane), record.seq, false)
        .catch(() => {});
  }

  /** Removes what a killed server left in the lanes of jobs that ended; returns how many. Safe to run anywhere at any time. */
  async sweep(command: CommandDefinition): Promise<number> {
    let swept = 0;
    for (const lane of LANES) swept += await sweepLane(this.bus, this.claims, command, phaseOfCommand(command), lane);
    return swept;
  }

  /** How many wait in each lane, all pools together. */
  async depth(command: CommandDefinition): Promise<Record<Lane, number>> {
    const depth = { high: 0, normal: 0, low: 0 };
    for (const lane of LANES) {
      for await (const consumer of this.bus.jsm.consumers.list(laneStream(command.name, lane)))
        depth[lane] += consumer.num_pending;
    }
    return depth;
  }

  /** Place in the queue of its lane, from 1; undefined when it is not waiting there any more. */
  async position(command: CommandDefinition, jobId: string): Promise<number | undefined> {
    const found = await this.claims.get(phaseOfCommand(command), jobId);
    if (found === undefined || found.record.seq === null || found.record.owner !== null || found.record.done !== null)
      return undefined;
    const { record } = found;
    const stream = laneStream(command.name, record.lane);
    const consumer = await this.bus.jsm.consumers.info(stream, laneConsumer(record.pool)).catch(() => undefined);
    if (consumer === undefined) return undefined;
    const ahead = (record.seq ?? 0) - consumer.delivered.stream_seq;
    if (ahead <= 0) return undefined;
    const info = await this.bus.jsm.streams.info(stream, { deleted_details: true });
    const gone = (info.state.deleted ?? []).filter(
      (seq) => seq > consumer.delivered.stream_seq && seq < (record.seq ?? 0),
    ).length;
    return ahead - gone;
  }
}
