import type { Bus, FactOptions } from '@hyper2kvm/runtime';
import type { ChannelName } from './channels/index.js';
import { EVENTS } from './aside.js';

/**
 * Facts reach each channel on its own, and several at a time: what one side does not take holds up neither the other channels nor
 * other facts. The names of old stay, so that their consumers go on from where they were.
 */
export const TAKEN: Readonly<Record<ChannelName, FactOptions>> = {
  email: { parallel: 16 },
  slack: { group: 'slack', parallel: 64 },
  webhook: { group: 'callbacks', parallel: 256 },
};

/** In what state the channel's consumers are. */
async function consumersOf(bus: Bus, channel: ChannelName) {
  const { group } = TAKEN[channel];
  const service = group === undefined ? 'notifier' : `notifier-${group}`;
  return Promise.all(
    Object.entries(EVENTS).map(async ([kind, { name }]) => ({
      kind,
      ...(await bus.jsm.consumers.info('FACTS', `${service}-${name.replaceAll('.', '-')}`)),
    })),
  );
}

/** Facts that are tried again, or wait behind those. */
export const waitingOf = async (bus: Bus, channel: ChannelName): Promise<number> =>
  (await consumersOf(bus, channel)).reduce(
    (sum, { num_pending, num_ack_pending }) => sum + num_pending + num_ack_pending,
    0,
  );

/**
 * Whether the channel has done with every job's end up to this place of the stream.
 * @param patient false: those that were handed out and are not done yet are waited for no longer
 */
export const isThrough = async (bus: Bus, channel: ChannelName, seq: number, patient: boolean): Promise<boolean> =>
  (await consumersOf(bus, channel))
    .filter(({ kind }) => kind !== 'batch')
    .every(
      ({ num_pending, num_ack_pending, delivered, ack_floor }) =>
        (num_pending === 0 || delivered.stream_seq >= seq) &&
        (!patient || num_ack_pending === 0 || ack_floor.stream_seq >= seq),
    );
