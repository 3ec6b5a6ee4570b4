import { setTimeout as pause } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import { HttpCallError, mayBeCalled, postSigned, RetryLater } from '@hyper2kvm/runtime';
import type { NotifierConfig } from '../config.js';
import { subjectOf, type OutcomeFact } from '../fact.js';
import type { OldChannel } from './old-channel.js';
import { Ledger } from './ledger.js';
import { Receiver } from './receiver.js';
import { isSlack, slackBody } from './old-slack.js';
import { factBody as webhookBody } from './webhook-body.js';

/** Between tries within one delivery; after them, or where a receiver wants longer than the longest, the bus brings the fact again. */
const PAUSES_MS: readonly number[] = [1_000, 5_000];
/** Timers may be a little early. */
const ROUNDING_MS = 20;
const MAX_HOSTS = 1_000;

/** Signed POSTs to the `callback_url` of jobs and batches. Many facts may be under way at once: a slow receiver holds up its own. */
export class OldWebhookChannel implements OldChannel {
  readonly name = 'webhook';
  readonly #ledger = new Ledger();
  readonly #underWay = new Map<string, Promise<readonly string[]>>();
  readonly #receivers = new Map<string, Receiver>();

  constructor(
    private readonly config: NotifierConfig['webhook'],
    private readonly pausesMs: readonly number[] = PAUSES_MS,
  ) {}

  deliver(fact: OutcomeFact, signal: AbortSignal): Promise<readonly string[]> {
    const { callback_url: url } = fact.data;
    if (url === undefined) return Promise.resolve([]);
    // A fact that is delivered again while its first delivery is still under way joins it.
    const running = this.#underWay.get(fact.eventId);
    if (running) return running;
    const delivery = this.#send(fact, new URL(url), signal).finally(() => this.#underWay.delete(fact.eventId));
    this.#underWay.set(fact.eventId, delivery);
    return delivery;
  }

  async #send(fact: OutcomeFact, url: URL, signal: AbortSignal): Promise<readonly string[]> {
    const delivery = this.#ledger.of(fact.eventId);
    if (delivery.taken.size > 0) return [];
    try {
      await this.#tries(fact, url, signal);
    } catch (error) {
      if (error instanceof JobError || signal.aborted || !this.#isOver(fact)) throw error;
      throw refusal(fact, `${(error as Error).message}; given up after ${this.config.give_up_after_hours ?? 72} h`);
    }
    delivery.taken.add(url.host);
    return [url.host];
  }

  #isOver(fact: OutcomeFact): boolean {
    return Date.now() - Date.parse(fact.time) > (this.config.give_up_after_hours ?? 72) * 3_600_000;
  }

  async #tries(fact: OutcomeFact, url: URL, signal: AbortSignal): Promise<void> {
    if (!mayBeCalled(url.href, this.config.allow_urls))
      throw refusal(fact, `notifier.webhook.allow_urls has nothing for ${url.host}`);
    const body = JSON.stringify(isSlack(url) ? slackBody(fact) : webhookBody(fact));
    const receiver = this.#receiver(url.host);
    for (let tries = 0; ; tries += 1) {
      const { status, retryAfterMs } = await receiver.take(async () => this.#post(fact, url, body, signal));
      if (status >= 200 && status < 300) return;
      const problem = `${url.host} answered ${status}`;
      if (status < 500 && status !== 408 && status !== 429) throw refusal(fact, problem);
      const asked = retryAfterMs ?? 0;
      // Meant for everybody who calls there, not for this message alone.
      if (status === 429 || status === 503) receiver.close(asked);
      const own = this.pausesMs[tries];
      if (asked > (this.pausesMs.at(-1) ?? 0)) throw new RetryLater(asked, problem);
      if (own === undefined) throw new Error(problem);
      const wait = Math.max(own, asked + ROUNDING_MS);
      await pause(wait, undefined, { signal });
    }
  }

  async #post(fact: OutcomeFact, url: URL, body: string, signal: AbortSignal) {
    try {
      return await postSigned({
        url: url.href,
        body,
        secret: this.config.secret,
        timeoutMs: this.config.timeout_seconds * 1000,
        id: fact.eventId,
        time: new Date(),
        signal,
      });
    } catch (error) {
      if (error instanceof HttpCallError && error.problem === 'forbidden') throw refusal(fact, error.message);
      throw error;
    }
  }

  #receiver(host: string): Receiver {
    const known = this.#receivers.get(host);
    if (known) return known;
    if (this.#receivers.size >= MAX_HOSTS)
      for (const [name, receiver] of this.#receivers) if (receiver.idle) this.#receivers.delete(name);
    const fresh = new Receiver({
      calls: 4,
      firstPauseMs: this.pausesMs[0] ?? 0,
      isSilence: (error) => error instanceof HttpCallError && error.problem !== 'forbidden',
    });
    this.#receivers.set(host, fresh);
    return fresh;
  }
}

const refusal = (fact: OutcomeFact, problem: string): JobError =>
  new JobError('BAD_REQUEST', `The callback of ${subjectOf(fact)} was not taken: ${problem}.`);
