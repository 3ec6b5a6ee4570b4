import type { OutcomeFact } from '../fact.js';

/**
 * One way to reach people or machines. A channel is at-least-once: after a crash between the other side's "taken" and our ack the
 * fact comes again, and the message with it. Within one process it sends a fact to a target once.
 */
export interface OldChannel {
  readonly name: string;
  /**
   * Resolves with the targets that took the message in this call; none when there was nothing to send.
   * Throws a JobError for what no repetition can mend, anything else for what should be tried again (RetryLater: and when).
   * @param signal aborts when the service stops
   */
  deliver(fact: OutcomeFact, signal: AbortSignal): Promise<readonly string[]>;
}
