import { JobError } from '@hyper2kvm/contracts';
import { RetryLater, withSpan } from '@hyper2kvm/runtime';
import type { OldChannel } from './channels/index.js';
import { subjectOf, type OutcomeFact } from './fact.js';

/** The part of the service's logger that is used here (pino's shape). */
export interface DispatcherLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Hands a fact to every channel at once; a channel that fails keeps none of the others waiting. */
export class Dispatcher {
  constructor(
    private readonly channels: readonly OldChannel[],
    private readonly log: DispatcherLog,
  ) {}

  /**
   * Throws when a channel has to be tried again (any error that is not a JobError), else the first JobError, else returns.
   * Channels that are done do nothing when the fact comes again.
   */
  async dispatch(fact: OutcomeFact, signal: AbortSignal): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.channels.map((channel) =>
        withSpan(`notify ${channel.name}`, { 'hyper2kvm.subject': subjectOf(fact) }, async () =>
          channel.deliver(fact, signal),
        ),
      ),
    );
    const errors: unknown[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const fields = { subject: subjectOf(fact), event: fact.eventId, channel: this.channels[index]?.name };
      if (outcome.status === 'rejected') {
        errors.push(outcome.reason);
        if (outcome.reason instanceof RetryLater)
          this.log.info({ ...fields, reason: outcome.reason.message }, 'notification waits for its receiver');
        else this.log.warn({ ...fields, err: outcome.reason }, 'notification not delivered');
      } else if (outcome.value.length === 0) {
        this.log.debug(fields, 'nobody to notify, or told already');
      } else {
        this.log.info({ ...fields, to: outcome.value.length }, `notified of ${fact.kind}`);
      }
    }
    if (errors.length > 0) throw errors.find((error) => !(error instanceof JobError)) ?? errors[0];
  }
}
