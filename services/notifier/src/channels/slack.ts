import type { CallAnswer } from '@hyper2kvm/runtime';
import type { Templates } from '../messages/index.js';
import type { Channel, Message, Outcome } from './channel.js';
import { callable, hostOf, PAUSES_MS, Poster } from './poster.js';
import { UnderWay } from './under-way.js';

export interface SlackSettings {
  /** Incoming webhooks by name. */
  readonly webhooks?: Readonly<Record<string, string>>;
  /** For webhooks that jobs name. */
  readonly allow_urls?: readonly string[] | undefined;
  readonly timeout_seconds: number;
}

/** One webhook is one place: one message after the other keeps them in order, and below Slack's one a second. */
const CALLS = 1;

/** Incoming webhooks of Slack, commercial and government. */
export function isSlack(url: URL | string): boolean {
  if (typeof url === 'string' && !URL.canParse(url)) return false;
  return /^hooks\.slack(-gov)?\.com$/.test(new URL(url).hostname);
}

/**
 * Messages of blocks to incoming webhooks of Slack, and of servers that take the same: they show `text`.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export class SlackChannel implements Channel {
  readonly name = 'slack';
  readonly #underWay = new UnderWay();
  readonly #poster: Poster;
  readonly #webhooks: readonly (readonly [name: string, url: string])[];

  constructor(
    private readonly settings: SlackSettings,
    private readonly templates: Templates,
    pausesMs: readonly number[] = PAUSES_MS,
  ) {
    this.#poster = new Poster({ timeoutMs: settings.timeout_seconds * 1000, calls: CALLS, pausesMs });
    this.#webhooks = Object.entries(settings.webhooks ?? {});
  }

  async send(message: Message, targets: readonly string[], signal: AbortSignal): Promise<readonly Outcome[]> {
    return this.#underWay.join(message, targets, async (fresh) => {
      const body = JSON.stringify(this.templates.slack(message));
      return Promise.all(fresh.map(async (target) => this.#post(message, body, target, signal)));
    });
  }

  shown(target: string): string {
    return this.#webhooks.find(([, url]) => url === target)?.[0] ?? hostOf(target);
  }

  async #post(message: Message, body: string, target: string, signal: AbortSignal): Promise<Outcome> {
    const url = callable(
      target,
      this.#webhooks.map(([, own]) => own),
      this.settings.allow_urls,
    );
    if (typeof url === 'string') return { target, result: 'refused', reason: url };
    const post = { url, body, id: message.id, receiver: url.href, anyway: message.kind === 'test', explained };
    return { target, ...(await this.#poster.post(post, signal)) };
  }
}

/** Slack's answers are a word: `no_service`, `invalid_payload`. What is longer might repeat the address. */
const explained = ({ text }: CallAnswer): string => (/^[a-z_]{2,60}$/.test(text.trim()) ? `: ${text.trim()}` : '');
