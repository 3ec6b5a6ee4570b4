import { NOTIFICATION_CHANNELS } from '@hyper2kvm/contracts';
import { counter, histogram, scraped, SECONDS_TO_HOURS, sharedState } from '@hyper2kvm/runtime';
import type { ChannelName, Outcome } from './channels/index.js';
import type { Held } from './state/index.js';

const results = ['taken', 'refused', 'later', 'held'] as const satisfies readonly (Outcome['result'] | 'held')[];

const outcomes = counter('hyper2kvm_notifications_total', 'What became of notifications, for each target and try.', {
  channel: NOTIFICATION_CHANNELS,
  result: results,
});
const delays = histogram(
  'hyper2kvm_notification_delay_seconds',
  'From a fact, or from the time for which a digest was meant, until it was taken.',
  { channel: NOTIFICATION_CHANNELS },
  { buckets: [...SECONDS_TO_HOURS, 86_400] },
);

export const countOutcome = (channel: ChannelName, result: (typeof results)[number]): void =>
  outcomes.inc({ channel, result });

/** @param since milliseconds */
export const countDelay = (channel: ChannelName, since: number): void =>
  delays.observe({ channel }, Math.max(0, Date.now() - since) / 1000);

/** Of the state that all notifiers share: the same from each of them. */
export function showHeld(held: Held): void {
  const ask = sharedState(async () =>
    Promise.all(NOTIFICATION_CHANNELS.map(async (channel) => [channel, await held.count(channel)] as const)),
  );
  const help = 'Notifications that wait for a digest or for the end of quiet hours.';
  scraped('hyper2kvm_notifications_held', help, ['channel'], async (put) => {
    for (const [channel, count] of await ask()) put(count, { channel });
  });
}
