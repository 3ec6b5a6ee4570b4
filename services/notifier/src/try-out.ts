import { randomUUID } from 'node:crypto';
import {
  JobError,
  NOTIFICATION_CHANNELS,
  type NotificationTest,
  type NotificationTestRequest,
  type NotificationTestResult,
} from '@hyper2kvm/contracts';
import type { Channel, ChannelName, Message, Outcome } from './channels/index.js';
import type { NotifierConfig } from './config.js';
import { addressOf, configuredOf, isConfigured } from './plan/index.js';

/** Whoever asks waits 45 s for the answer. */
const LIMIT_MS = 40_000;

interface Asked {
  readonly channels: ReadonlyMap<ChannelName, Channel>;
  readonly config: NotifierConfig;
  readonly limitMs?: number;
}

/** Sends a message that says it is a test, to everybody who is configured or to the one who was asked for. */
export async function tryOut(
  { channel, to }: NotificationTestRequest,
  { channels, config, limitMs = LIMIT_MS }: Asked,
): Promise<NotificationTest> {
  if (to !== undefined && channel === undefined)
    throw new JobError('BAD_REQUEST', `to: ${repeated(to)} could be of any channel: name the channel, too.`);
  const wanted = (channel === undefined ? NOTIFICATION_CHANNELS : [channel]).flatMap((name) =>
    (to === undefined ? configuredOf(name, config).map(({ address }) => address) : [wish(name, to, config)]).map(
      (address) => ({ name, address }),
    ),
  );
  const open = wanted.filter(({ name }) => isConfigured(name, config));
  if (open.length === 0) return { results: [], message: whyNone(channel, config) };
  const message = { id: `test-${randomUUID()}`, time: new Date().toISOString(), kind: 'test', facts: [] } as const;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  try {
    const results = open.map(async ({ name, address }) => ask(channels.get(name), message, address, limit.signal));
    return { results: (await Promise.all(results)).flat() };
  } finally {
    clearTimeout(timer);
  }
}

async function ask(
  channel: Channel | undefined,
  message: Message,
  address: string,
  signal: AbortSignal,
): Promise<NotificationTestResult[]> {
  if (channel === undefined) return [];
  const began = performance.now();
  // A channel may take longer to give up than whoever asks can wait.
  const late = new Promise<Outcome[]>((resolve) => {
    const reason = (): string => (signal.reason as Error).message;
    signal.addEventListener('abort', () => resolve([{ target: address, result: 'later', reason: reason() }]));
  });
  const [outcome] = await Promise.race([channel.send(message, [address], signal), late]);
  const answer = outcome?.result === 'taken' ? outcome.answer : (outcome?.reason ?? 'nothing was heard of it');
  return [
    {
      channel: channel.name,
      target: channel.shown(address),
      delivered: outcome?.result === 'taken',
      message: answer,
      duration_seconds: Math.round(performance.now() - began) / 1000,
    },
  ];
}

/** An address, or the name of what is configured. */
function wish(channel: ChannelName, to: string, config: NotifierConfig): string {
  const named = channel === 'email' ? undefined : addressOf(`@${to}`, channel, config);
  if (named !== undefined) return named;
  const isAddress = channel === 'email' ? /^[^\s@]+@[^\s@]+$/.test(to) : /^https?:\/\//.test(to) && URL.canParse(to);
  if (isAddress) return to;
  if (channel === 'email') throw new JobError('BAD_REQUEST', `to: ${repeated(to)} is no e-mail address.`);
  const names = configuredOf(channel, config).map(({ key }) => key.slice(1));
  throw new JobError(
    'BAD_REQUEST',
    `to: ${repeated(to)} is neither an address nor configured for ${channel}; configured is ${names.join(', ') || 'nothing'}.`,
  );
}

/** An address of a webhook that lost its beginning is still a secret: errors are kept in logs and traces. */
const repeated = (to: string): string => (to.includes('/') ? 'what is given' : to);

function whyNone(channel: ChannelName | undefined, config: NotifierConfig): string {
  const smtp = 'notifier.smtp.host is not set';
  switch (channel) {
    case 'email':
      return config.smtp.host === ''
        ? `${smtp}: no e-mail can be sent.`
        : 'notifier.smtp.to is empty: name an address.';
    case 'slack':
      return 'notifier.slack.webhooks is empty: name the address of a webhook.';
    case 'webhook':
      return 'notifier.webhook.endpoints is empty: name the address of an endpoint.';
    case undefined:
      return `No channel is configured: ${config.smtp.host === '' ? smtp : 'notifier.smtp.to is empty'}, notifier.slack.webhooks and notifier.webhook.endpoints are empty.`;
  }
}
