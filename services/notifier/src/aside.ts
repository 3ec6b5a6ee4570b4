import {
  batchCompleted,
  factSubject,
  jobCancelled,
  jobCompleted,
  jobFailed,
  type EventDefinition,
} from '@hyper2kvm/contracts';
import { deadLetter, type Bus } from '@hyper2kvm/runtime';
import type { Message } from './channels/index.js';
import { namedIn, subjectOf, type OutcomeFact } from './fact.js';
import { refusal, type PipelineLog } from './pipeline.js';
import type { Deliveries, Group, Held, HeldEntry } from './state/index.js';

export const EVENTS: Readonly<Record<OutcomeFact['kind'], EventDefinition>> = {
  completed: jobCompleted,
  failed: jobFailed,
  cancelled: jobCancelled,
  batch: batchCompleted,
};

/** Removed jobs that are passed over. */
const MOST_LOOKS = 50;

/**
 * A digest that was refused becomes one dead letter: the batch's end, or else the first of its facts, as it came. Sent again, it
 * brings the whole digest back.
 */
export class Aside {
  constructor(
    private readonly bus: Bus,
    private readonly held: Held,
    private readonly deliveries: Deliveries,
    private readonly log: PipelineLog,
  ) {}

  async put(
    group: Group,
    message: Message,
    entries: readonly HeldEntry[],
    shown: string,
    reason: string,
  ): Promise<void> {
    const found = await this.#original(entries.map(({ value }) => value.fact));
    const others = entries.length === 1 ? '' : ` With it ${entries.length - 1} more were not told.`;
    if (found === undefined) {
      // Of jobs that were removed meanwhile the log is all that is left.
      this.log.error({ facts: entries.length, error: `${shown} (${reason})` }, 'a digest of removed jobs was refused');
      return;
    }
    const { fact, letter } = found;
    await this.held.park(message.id, entries);
    const ledger = await this.deliveries.of(group.channel, fact.eventId, subjectOf(fact));
    const digest = { id: message.id, gathering: group.gathering };
    await ledger.note(new Map([[group.target, { result: 'refused', reason, aside: true, digest }]]));
    const words = `${refusal(fact, group.channel, [`${shown} (${reason})`]).message}${others}`;
    this.log.error({ ...namedIn(fact), facts: entries.length, error: words }, 'a digest was put aside');
    await deadLetter(this.bus, EVENTS[fact.kind].name, letter, 'notifier', words);
  }

  /** The fact that stands for all, and its message as it lies in the stream. */
  async #original(facts: readonly OutcomeFact[]) {
    const batchFirst = facts.toSorted((one, other) => Number(other.kind === 'batch') - Number(one.kind === 'batch'));
    for (const fact of batchFirst.slice(0, MOST_LOOKS)) {
      const subject = factSubject(EVENTS[fact.kind], subjectOf(fact));
      const message = await this.bus.jsm.streams.getMessage('FACTS', { last_by_subj: subject }).catch(absent);
      // A job that was tried again since has a newer one.
      if (message?.header.get('ce-id') === fact.eventId)
        return { fact, letter: { subject, headers: message.header, data: message.data } };
    }
    return undefined;
  }
}

function absent(error: unknown): undefined {
  if ((error as { code?: string }).code === '404' || /no message found/.test(String(error))) return undefined;
  throw error;
}
