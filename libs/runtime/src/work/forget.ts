import {
  ACTIVITIES,
  BUCKETS,
  CATALOGUE,
  commandSubject,
  factSubject,
  type CommandDefinition,
  type StreamName,
} from '@hyper2kvm/contracts';
import type { Bus } from '../bus/bus.js';
import { bandwidthKey } from '../bus/bandwidth.js';
import { Claims } from '../claims/claims.js';
import { decodeRecord } from '../claims/entry.js';
import { activityOf, streamOf } from '../lanes/address.js';
import { cancelKey } from '../lanes/cancellation.js';
import { isMissing } from './dead-letter-store.js';

const FACTS: StreamName = 'FACTS';

/**
 * Removes all that NATS keeps of a job, batch or hook that is over: what of it still lies in a queue, its facts, log and
 * progress, its marks and its records. The records go last: while a message is there, they keep workers from it. May be repeated.
 *
 * Message by message: on server 2.9 a purge by subject takes from the stream's durable consumers every other message that
 * waits, and from those who follow a bucket its changes (measured: of 300 changes made beside such purges 5 were told).
 * @returns how many messages
 */
export async function forgetSubject(bus: Bus, id: string): Promise<number> {
  const events = [...CATALOGUE.values()];
  const commands = events.filter(({ kind }) => kind === 'command') as CommandDefinition[];
  const facts = events.filter(({ kind }) => kind === 'fact');
  const marks = [...ACTIVITIES.map((activity) => cancelKey(activity, id)), bandwidthKey('job', id)];
  return (
    (await sum(commands.map(async (command) => removeWaiting(bus, command, id)))) +
    (await sum(facts.map(async (fact) => removeAll(bus, fact.stream, factSubject(fact, id))))) +
    (await sum(marks.map(async (key) => removeKey(bus, BUCKETS.control, key)))) +
    (await sum(ACTIVITIES.map(async (activity) => removeKey(bus, BUCKETS.claims, Claims.key(activity, id)))))
  );
}

const sum = async (counts: Promise<number>[]): Promise<number> =>
  (await Promise.all(counts)).reduce((all, count) => all + count, 0);

/** A command that was withdrawn, or whose acknowledgement a killed server forgot, may lie there still. */
async function removeWaiting(bus: Bus, command: CommandDefinition, id: string): Promise<number> {
  const found = decodeRecord(await bus.buckets.claims.get(Claims.key(activityOf(command), id)));
  if (found === undefined) return 0;
  const { pool } = found.record;
  return sum(
    command.lanes.map(async (lane) => removeAll(bus, streamOf(command, lane), commandSubject(command, lane, pool, id))),
  );
}

const removeKey = (bus: Bus, bucket: string, key: string): Promise<number> =>
  removeAll(bus, `KV_${bucket}`, `$KV.${bucket}.${key}`);

/** The newest first, so that what is cut off leaves a beginning. */
async function removeAll({ jsm: { streams } }: Bus, stream: string, subject: string): Promise<number> {
  for (let removed = 0; ; removed += 1) {
    const last = await streams.getMessage(stream, { last_by_subj: subject }).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (last === undefined) return removed;
    // False where another gateway was faster.
    await streams.deleteMessage(stream, last.seq, false).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}

/**
 * When the oldest fact was published that a service has got and not acknowledged: it comes again, so whoever remembers what was
 * handled must not forget it. Undefined where there is none.
 */
export async function oldestUnhandled({ jsm }: Bus, service: string): Promise<Date | undefined> {
  let oldest: Date | undefined;
  for await (const { ack_floor: floor, config, name, num_ack_pending: unhandled } of jsm.consumers.list(FACTS)) {
    if (!name.startsWith(`${service}-`) || unhandled === 0) continue;
    // The client's type leaves this question, which the server has answered since 2.9, to its direct access.
    const next = { seq: floor.stream_seq + 1, next_by_subj: config.filter_subject ?? '>' } as { seq: number };
    const message = await jsm.streams.getMessage(FACTS, next).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (message !== undefined && (oldest === undefined || message.time < oldest)) oldest = message.time;
  }
  return oldest;
}
