import type { NotificationChannel } from '@hyper2kvm/contracts';

/** What is set in the configuration of the services for a channel to be there. */
export const CHANNEL_KEYS: Readonly<Record<NotificationChannel, string>> = {
  email: 'notifier.smtp.host and notifier.smtp.to',
  slack: 'notifier.slack.webhooks',
  webhook: 'notifier.webhook.endpoints',
};

const WORDS: Readonly<Record<NotificationChannel, string>> = {
  email: 'e-mail',
  slack: 'Slack',
  webhook: 'other systems',
};

/** @param channel the one that was asked for; default: all */
export function keysToSet(channel?: NotificationChannel): string {
  const keys = Object.entries(CHANNEL_KEYS).filter(([name]) => channel === undefined || name === channel);
  const told = keys.map(([name, key]) => `${key} (${WORDS[name as NotificationChannel]})`).join(', ');
  return `set in the configuration of the services: ${told}; then start the notifier again. See docs/notifications.md`;
}
