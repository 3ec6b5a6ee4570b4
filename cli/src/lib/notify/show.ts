import type { NotificationChannel, NotificationStatus, NotificationTestResult } from '@hyper2kvm/contracts';
import { printable } from '../format.js';
import { table } from '../table.js';
import { fullTime } from '../when.js';
import type { Paint } from '../width.js';
import { keysToSet } from './keys.js';

/** What helps where a channel does not deliver. */
const HELP: Readonly<Record<NotificationChannel, string>> = {
  email: 'e-mail: compare notifier.smtp with what the mail server wants (hyperctl doctor --only smtp)',
  slack: 'Slack: is the webhook still there? A new one comes into notifier.slack.webhooks',
  webhook: 'webhook: the receiver has to answer 2xx; notifier.webhook has its address, the secret and allow_urls',
};

const seconds = (value: number): string => (value < 0.05 ? '0.0' : value.toFixed(1));

export const testTable = (results: readonly NotificationTestResult[], columns?: number): string[] =>
  table(
    ['CHANNEL', 'TARGET', 'RESULT', 'SECONDS', 'ANSWER'],
    results.map((one) => [
      one.channel,
      printable(one.target),
      one.delivered ? 'delivered' : 'failed',
      seconds(one.duration_seconds),
      printable(one.message),
    ]),
    columns,
  );

/** What to do about those that did not arrive; empty where all did. */
export function helpLines(results: readonly NotificationTestResult[]): string[] {
  const failed = new Set(results.filter(({ delivered }) => !delivered).map(({ channel }) => channel));
  if (failed.size === 0) return [];
  return [
    ...[...failed].map((channel) => `  try:   ${HELP[channel]}`),
    '         the log has each try: hyperctl daemon logs notifier',
  ];
}

/** Channels, rules and what waits. */
export function statusLines(status: NotificationStatus, paint: Paint, columns?: number, now = new Date()): string[] {
  const { channels, rules } = status;
  return [
    ...table(
      ['CHANNEL', 'CONFIGURED', 'HELD', 'WAITING', 'TARGETS'],
      channels.map((one) => [
        one.channel,
        one.configured ? 'yes' : 'no',
        String(one.held),
        String(one.waiting),
        one.targets.map(printable).join(', '),
      ]),
      columns,
    ),
    '',
    ...(rules.length === 0
      ? ['Rules:       none']
      : ['Rules:', ...rules.map(({ name, summary }) => `  ${printable(name)}: ${printable(summary)}`)]),
    `Quiet hours: ${quietWord(status, now)}`,
    ...(channels.some(({ configured }) => configured)
      ? []
      : ['', paint('yellow', `Nobody is told of anything, but who a job names: ${keysToSet()}`)]),
  ];
}

function quietWord({ quiet_hours: hours, quiet_until: until }: NotificationStatus, now: Date): string {
  if (hours === null) return 'none';
  const ends = until === null ? '' : `, now, until ${fullTime(new Date(until), now)}`;
  return `${printable(hours)}${ends}`;
}
