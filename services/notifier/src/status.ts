import { NOTIFICATION_CHANNELS, type NotificationStatus } from '@hyper2kvm/contracts';
import type { Bus } from '@hyper2kvm/runtime';
import type { Channel, ChannelName } from './channels/index.js';
import type { NotifierConfig } from './config.js';
import { waitingOf } from './consumers.js';
import { configuredOf, isConfigured } from './plan/index.js';
import { shownHours, summaryOf, type QuietClock } from './rules/index.js';
import type { Held } from './state/index.js';

interface Asked {
  readonly bus: Bus;
  readonly channels: ReadonlyMap<ChannelName, Channel>;
  readonly config: NotifierConfig;
  readonly held: Held;
  readonly quiet: QuietClock | undefined;
}

/** Who is notified of what, and what waits. */
export async function statusOf({ bus, channels, config, held, quiet }: Asked): Promise<NotificationStatus> {
  const until = quiet?.until(Date.now());
  return {
    channels: await Promise.all(
      NOTIFICATION_CHANNELS.map(async (channel) => {
        const targets = configuredOf(channel, config);
        return {
          channel,
          configured: isConfigured(channel, config) && (channel === 'email' || targets.length > 0),
          targets: targets.map(({ address }) => channels.get(channel)?.shown(address) ?? ''),
          held: await held.count(channel),
          waiting: await waitingOf(bus, channel),
        };
      }),
    ),
    rules: config.rules.map((rule) => ({ name: rule.name, summary: summaryOf(rule) })),
    quiet_hours: quiet === undefined ? null : shownHours(quiet.hours),
    quiet_until: until === undefined ? null : new Date(until).toISOString(),
  };
}
