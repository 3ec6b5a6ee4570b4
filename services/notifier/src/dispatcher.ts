import { JobError } from '@hyper2kvm/contracts';
import { withSpan } from '@hyper2kvm/runtime';
import type { Channel } from './channels/index.js';
import type { OutcomeFact } from './fact.js';

/** The part of the service's logger that is used here (pino's shape). */
export interface DispatcherLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Hands a fact to every channel at once; a channel that fails keeps none of the others waiting. */
export class Dispatcher {
  constructor(
    private readonly channels: readonly Channel[],
    private readonly log: DispatcherLog,
  ) {}

  /**
   * Throws when a channel has to be tried again (any error that is not a JobError), else the first JobError, else returns.
   * Channels that are done do nothing when the fact comes again.
   */
  async dispatch(fact: OutcomeFact): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.channels.map((channel) =>
        withSpan(`notify ${channel.name}`, { 'hyper2kvm.job': fact.data.job_id }, async () => channel.deliver(fact)),
      ),
    );
    const errors: unknown[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const fields = { job: fact.data.job_id, event: fact.eventId, channel: this.channels[index]?.name };
      if (outcome.status === 'rejected') {
        errors.push(outcome.reason);
        this.log.warn({ ...fields, err: outcome.reason }, 'notification not delivered');
      } else if (outcome.value.length === 0) {
        this.log.debug(fields, 'nobody to notify, or told already');
      } else {
        this.log.info({ ...fields, to: outcome.value.length }, `notified of ${fact.kind}`);
      }
    }
    if (errors.length > 0) throw errors.find((error) => !(error instanceof JobError)) ?? errors[0];
  }
}
