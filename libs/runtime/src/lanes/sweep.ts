import type { CommandDefinition, Lane } from '@hyper2kvm/contracts';
import type { Bus } from '../bus/bus.js';
import type { Claims } from '../claims/claims.js';
import { activityOf, consumerOf, isOf, streamOf } from './address.js';

/**
 * Deletes messages of a lane that were acknowledged and lie there all the same, of jobs that ended. A server that was killed
 * has the acknowledgement (the consumer's state) but not always the deletion (the stream's): nobody would ever get them again.
 * @returns how many
 */
export async function sweepLane(bus: Bus, claims: Claims, command: CommandDefinition, lane: Lane): Promise<number> {
  const stream = streamOf(command, lane);
  const { streams, consumers } = bus.jsm;
  /** Everything up to it was acknowledged, by the consumer's name. */
  const floors = new Map<string, number>();
  let expected = 0;
  for await (const consumer of consumers.list(stream)) {
    floors.set(consumer.name, consumer.ack_floor.stream_seq);
    expected += consumer.num_pending + consumer.num_ack_pending;
  }
  const { state } = await streams.info(stream, { deleted_details: true });
  if (state.messages <= expected) return 0;
  const gone = new Set(state.deleted);
  const last = Math.min(state.last_seq, Math.max(0, ...floors.values()));
  let swept = 0;
  for (let seq = state.first_seq; seq <= last; seq += 1) {
    if (gone.has(seq)) continue;
    const message = await streams.getMessage(stream, { seq }).catch(() => undefined);
    const [pool = '', jobId = ''] = message?.subject.split('.').slice(-2) ?? [];
    if (message === undefined || !isOf(command, message.subject)) continue;
    if (seq > (floors.get(consumerOf(command, pool)) ?? 0)) continue;
    const found = await claims.get(activityOf(command), jobId).catch(() => undefined);
    if (found === undefined || (found.record.done === null && !found.record.cancelled)) continue;
    // Another worker may be sweeping too.
    if (await streams.deleteMessage(stream, seq, false).catch(() => false)) swept += 1;
  }
  return swept;
}
