import type { NotificationChannel } from '@hyper2kvm/contracts';

/** How an address is reached; undefined for a name, which the notifier knows. */
export function channelOf(to: string): NotificationChannel | undefined {
  if (/^https?:\/\//i.test(to)) return /^https?:\/\/hooks\.slack(-gov)?\.com(?![\w.-])/i.test(to) ? 'slack' : 'webhook';
  return to.includes('@') ? 'email' : undefined;
}
