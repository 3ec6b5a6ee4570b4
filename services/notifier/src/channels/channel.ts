import type { BatchCompleted, NotificationChannel } from '@hyper2kvm/contracts';
import type { OutcomeFact } from '../fact.js';

export type ChannelName = NotificationChannel;

/** What is sent at once: one fact, or several that were held. */
export interface Message {
  /** Stable over repetitions: becomes the Message-ID, and the webhook-id. */
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly kind: 'fact' | 'digest' | 'test';
  /** One; several for a digest; none for a test. */
  readonly facts: readonly OutcomeFact[];
  readonly digest?: { readonly reason: 'batch' | 'quiet hours'; readonly batch?: BatchCompleted };
}

/** What became of a message at one target. */
export type Outcome =
  | { readonly target: string; readonly result: 'taken'; readonly answer: string }
  /** No repetition can mend it. */
  | { readonly target: string; readonly result: 'refused'; readonly reason: string }
  /** `afterMs`: not before, where the other side said so. */
  | { readonly target: string; readonly result: 'later'; readonly reason: string; readonly afterMs?: number };

/** One way to reach people or machines. It keeps nothing about facts: who has which message already is known to its caller. */
export interface Channel {
  readonly name: ChannelName;
  /**
   * Resolves with one outcome for each target, whatever happens.
   * @param targets addresses (e-mail) or URLs
   * @param signal aborts when the service stops
   */
  send(message: Message, targets: readonly string[], signal: AbortSignal): Promise<readonly Outcome[]>;
  /** As it may be shown and logged: webhooks without path and query. */
  shown(target: string): string;
  /** At the end of the service: connections that it keeps. */
  close?(): void;
}
