import { setTimeout as pause } from 'node:timers/promises';
import { HttpCallError, mayBeCalled, postSigned, RetryLater, type CallAnswer } from '@hyper2kvm/runtime';
import type { Outcome } from './channel.js';
import { Receiver } from './receiver.js';

/** Between tries within one send; after them, or where a receiver wants longer than the longest, it is `later`. */
export const PAUSES_MS: readonly number[] = [1_000, 5_000];
/** Timers may be a little early. */
const ROUNDING_MS = 20;
const MAX_RECEIVERS = 1_000;

export interface Post {
  readonly url: URL;
  readonly body: string;
  readonly id: string;
  readonly secret?: string | undefined;
  /** Calls with the same one share what is known of the other side. */
  readonly receiver: string;
  /** Also while the receiver is left alone. */
  readonly anyway: boolean;
  /** What the other side says of a refusal, in words that may be shown. */
  readonly explained?: (answer: CallAnswer) => string;
}

export interface PosterOptions {
  readonly timeoutMs: number;
  /** Of one receiver, at the same time. */
  readonly calls: number;
  readonly pausesMs: readonly number[];
}

type Settled = Outcome extends infer One ? (One extends Outcome ? Omit<One, 'target'> : never) : never;

const isSilence = (error: unknown): boolean => error instanceof HttpCallError && error.problem !== 'forbidden';

/** Posts JSON to receivers of other people: a slow one, or one that is gone, holds up its own messages only. */
export class Poster {
  readonly #receivers = new Map<string, Receiver>();

  constructor(private readonly options: PosterOptions) {}

  /** Resolves, whatever happens. What it says of a receiver has its host and nothing more. */
  async post(post: Post, signal: AbortSignal): Promise<Settled> {
    try {
      return await this.#tries(post, signal);
    } catch (error) {
      const reason = (error as Error).message;
      if (error instanceof HttpCallError && error.problem === 'forbidden') return { result: 'refused', reason };
      return error instanceof RetryLater
        ? { result: 'later', reason, afterMs: error.afterMs }
        : { result: 'later', reason };
    }
  }

  async #tries(post: Post, signal: AbortSignal): Promise<Settled> {
    const receiver = this.#receiver(post.receiver);
    const { pausesMs } = this.options;
    for (let tries = 0; ; tries += 1) {
      const call = {
        url: post.url.href,
        body: post.body,
        secret: post.secret,
        timeoutMs: this.options.timeoutMs,
        id: post.id,
        signal,
      };
      const answer = await receiver.take(async () => postSigned({ ...call, time: new Date() }), post.anyway);
      const { status } = answer;
      const said = `${post.url.host} answered ${status}${post.explained?.(answer) ?? ''}`;
      if (status >= 200 && status < 300) return { result: 'taken', answer: said };
      if (status < 500 && status !== 408 && status !== 429) return { result: 'refused', reason: said };
      const asked = answer.retryAfterMs ?? 0;
      // Meant for everybody who calls there, not for this message alone.
      if (status === 429 || status === 503) receiver.close(asked, said);
      const own = pausesMs[tries];
      if (asked > (pausesMs.at(-1) ?? 0)) return { result: 'later', reason: said, afterMs: asked };
      if (own === undefined) return { result: 'later', reason: said };
      await pause(Math.max(own, asked + ROUNDING_MS), undefined, { signal });
    }
  }

  #receiver(name: string): Receiver {
    const known = this.#receivers.get(name);
    if (known) return known;
    if (this.#receivers.size >= MAX_RECEIVERS)
      for (const [other, receiver] of this.#receivers) if (receiver.idle) this.#receivers.delete(other);
    const { calls, pausesMs } = this.options;
    const fresh = new Receiver({ calls, firstPauseMs: pausesMs[0] ?? 0, isSilence });
    this.#receivers.set(name, fresh);
    return fresh;
  }
}

/** The URL of a target, where it may be called; else why not. Configured ones always may. */
export function callable(
  target: string,
  configured: readonly string[],
  allowed: readonly string[] | undefined,
): URL | string {
  if (!URL.canParse(target)) return 'this is no URL';
  const url = new URL(target);
  if (configured.includes(target) || mayBeCalled(url.href, allowed)) return url;
  return `notifier.webhook.allow_urls has nothing for ${url.host}`;
}

/** A URL as it may be shown: its path and query are often a secret. */
export const hostOf = (target: string): string => (URL.canParse(target) ? new URL(target).host : 'an unreadable URL');
