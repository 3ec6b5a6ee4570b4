import { isSlack, type ChannelName } from '../channels/index.js';
import type { NotifierConfig } from '../config.js';
import type { OutcomeFact } from '../fact.js';
import { fits } from '../rules/index.js';

/** One whom a channel tells. */
export interface Target {
  /** What is remembered by: `@name` of a configured webhook, so that its address may change and is stored nowhere; else the address. */
  readonly key: string;
  /** Of e-mail, or a URL. */
  readonly address: string;
  /** Neither gathered nor held. */
  readonly atOnce: boolean;
}

/** Whom this channel tells of a fact: by the rules, by the settings of old, and by the fact's own wishes; each once. */
export function targetsOf(fact: OutcomeFact, channel: ChannelName, config: NotifierConfig): Target[] {
  if (!isConfigured(channel, config)) return [];
  const found = new Map<string, Target>();
  const add = (key: string, atOnce: boolean): void => {
    const address = addressOf(key, channel, config);
    if (address === undefined) return;
    const remembered = channel === 'email' ? key : (nameOfUrl(address, channel, config) ?? address);
    const same = channel === 'email' ? sameMail(address) : new URL(address).href;
    const known = found.get(same);
    found.set(same, known ? { ...known, atOnce: known.atOnce || atOnce } : { key: remembered, address, atOnce });
  };
  const always = channel === 'webhook';
  for (const key of asked(fact, channel, config)) add(key, always);
  for (const rule of config.rules) {
    if (!fits(rule, fact)) continue;
    for (const name of rule.to[channel] ?? []) add(channel === 'email' ? name : `@${name}`, always || rule.at_once);
  }
  return [...found.values()];
}

/** Without rules. */
function asked(fact: OutcomeFact, channel: ChannelName, config: NotifierConfig): string[] {
  const { data } = fact;
  const callback = data.callback_url === undefined ? [] : [data.callback_url];
  if (channel === 'webhook') return callback.filter((url) => !isSlack(url));
  const wanted = isWanted(fact, config);
  const own = channel === 'email' ? data.notify_email : data.slack_webhook;
  return [
    ...(channel === 'email' && wanted ? config.smtp.to : []),
    ...(wanted && own !== undefined ? [own] : []),
    // As a callback it hears of every end.
    ...(channel === 'slack' ? callback.filter((url) => isSlack(url)) : []),
  ];
}

function isWanted(fact: OutcomeFact, config: NotifierConfig): boolean {
  switch (fact.kind) {
    case 'completed':
      return config.notify_on_complete;
    case 'failed':
      return config.notify_on_failure;
    case 'batch':
      return config.notify_on_complete || (fact.data.failed > 0 && config.notify_on_failure);
    // Whoever cancelled it knows.
    case 'cancelled':
      return false;
  }
}

/** Jobs bring webhooks of their own, so only e-mail can be out of use. */
export const isConfigured = (channel: ChannelName, { smtp }: NotifierConfig): boolean =>
  channel !== 'email' || smtp.host !== '';

/** Undefined of a name that is not configured (any more). */
export function addressOf(key: string, channel: ChannelName, config: NotifierConfig): string | undefined {
  if (!key.startsWith('@') || channel === 'email') return key;
  const name = key.slice(1);
  return channel === 'slack' ? config.slack.webhooks[name] : config.webhook.endpoints[name]?.url;
}

function nameOfUrl(address: string, channel: ChannelName, config: NotifierConfig): string | undefined {
  const known = configuredOf(channel, config).find(({ address: own }) => new URL(own).href === new URL(address).href);
  return known?.key;
}

const target = (key: string, address = key): Target => ({ key, address, atOnce: false });

/** Whom a channel knows without being told by a fact. */
export function configuredOf(channel: ChannelName, config: NotifierConfig): Target[] {
  switch (channel) {
    case 'email': {
      const all = [...config.smtp.to, ...config.rules.flatMap(({ to }) => to.email ?? [])];
      return [...new Map(all.map((address) => [sameMail(address), target(address)])).values()];
    }
    case 'slack':
      return Object.entries(config.slack.webhooks).map(([name, url]) => target(`@${name}`, url));
    case 'webhook':
      return Object.entries(config.webhook.endpoints).map(([name, { url }]) => target(`@${name}`, url));
  }
}

/** The case of the domain says nothing; of the other part only its own server knows. */
function sameMail(address: string): string {
  const at = address.lastIndexOf('@');
  return address.slice(0, at) + address.slice(at).toLowerCase();
}
