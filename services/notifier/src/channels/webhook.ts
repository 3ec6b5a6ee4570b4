import type { Channel, Message, Outcome } from './channel.js';
import { callable, hostOf, PAUSES_MS, Poster } from './poster.js';
import { UnderWay } from './under-way.js';
import { webhookBody } from './webhook-body.js';

export interface WebhookSettings {
  /** Signs what goes to callback URLs, and to endpoints without a secret of their own. */
  readonly secret?: string | undefined;
  readonly allow_urls?: readonly string[] | undefined;
  readonly timeout_seconds: number;
  /** By name. */
  readonly endpoints?: Readonly<Record<string, { readonly url: string; readonly secret?: string | undefined }>>;
}

/** One host, at the same time. */
const CALLS = 4;

/** Signed POSTs to callback URLs of jobs and batches, and to configured endpoints. Each fact is a call of its own. */
export class WebhookChannel implements Channel {
  readonly name = 'webhook';
  readonly #underWay = new UnderWay();
  readonly #poster: Poster;
  readonly #endpoints: readonly { readonly name: string; readonly url: string; readonly secret?: string | undefined }[];

  constructor(
    private readonly settings: WebhookSettings,
    pausesMs: readonly number[] = PAUSES_MS,
  ) {
    this.#poster = new Poster({ timeoutMs: settings.timeout_seconds * 1000, calls: CALLS, pausesMs });
    this.#endpoints = Object.entries(settings.endpoints ?? {}).map(([name, endpoint]) => ({ name, ...endpoint }));
  }

  async send(message: Message, targets: readonly string[], signal: AbortSignal): Promise<readonly Outcome[]> {
    return this.#underWay.join(message, targets, async (fresh) =>
      Promise.all(fresh.map(async (target) => this.#post(message, target, signal))),
    );
  }

  shown(target: string): string {
    return this.#endpoints.find(({ url }) => url === target)?.name ?? hostOf(target);
  }

  async #post(message: Message, target: string, signal: AbortSignal): Promise<Outcome> {
    const body = webhookBody(message);
    if (body === undefined) return { target, result: 'refused', reason: 'webhooks take one fact at a time' };
    const configured = this.#endpoints.map(({ url }) => url);
    const url = callable(target, configured, this.settings.allow_urls);
    if (typeof url === 'string') return { target, result: 'refused', reason: url };
    const secret = this.#endpoints.find((endpoint) => endpoint.url === target)?.secret ?? this.settings.secret;
    const anyway = message.kind === 'test';
    const post = { url, body: JSON.stringify(body), id: message.id, secret, receiver: url.host, anyway };
    return { target, ...(await this.#poster.post(post, signal)) };
  }
}
