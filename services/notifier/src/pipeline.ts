import { JobError } from '@hyper2kvm/contracts';
import { RetryLater, withSpan } from '@hyper2kvm/runtime';
import type { Channel, Outcome } from './channels/index.js';
import type { NotifierConfig } from './config.js';
import { namedIn, nameOf, subjectOf, type BatchFact, type OutcomeFact } from './fact.js';
import { countDelay, countOutcome } from './metrics.js';
import { givenUp, isGivenUp, pauseAfter } from './pauses.js';
import { holdOf, targetsOf, type Hold, type Target } from './plan/index.js';
import type { QuietClock } from './rules/index.js';
import type { Deliveries, Fate, Held, Ledger } from './state/index.js';

/** The part of the service's logger that is used here (pino's shape). */
export interface PipelineLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface PipelineOptions {
  readonly channel: Channel;
  readonly config: NotifierConfig;
  readonly deliveries: Deliveries;
  readonly held: Held;
  readonly quiet: Pick<QuietClock, 'until'> | undefined;
  readonly log: PipelineLog;
  /** Where the fact of a batch's end lies in its stream. */
  readonly placeOf: (fact: BatchFact) => Promise<number>;
}

/** The way of facts on one channel: whom to tell, who knows already, who is told later, and what became of it. */
export class Pipeline {
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(private readonly options: PipelineOptions) {}

  /**
   * Returns when everybody took it, or waits for his digest.
   * @throws RetryLater when it is worth while to try somebody again
   * @throws JobError when somebody refused it for good; it names him and what he said
   */
  async handle(fact: OutcomeFact, signal: AbortSignal): Promise<void> {
    // A fact that is delivered again while it is still under way joins it.
    const running = this.#underWay.get(fact.eventId);
    if (running) return running;
    const handling = this.#handle(fact, signal).finally(() => this.#underWay.delete(fact.eventId));
    this.#underWay.set(fact.eventId, handling);
    return handling;
  }

  async #handle(fact: OutcomeFact, signal: AbortSignal): Promise<void> {
    const { channel, config, deliveries } = this.options;
    if (fact.kind === 'batch' && gathers(this.options))
      await this.options.held.endBatch(channel.name, fact, async () => this.options.placeOf(fact));
    const targets = targetsOf(fact, channel.name, config);
    if (targets.length === 0) return;
    const ledger = await deliveries.of(channel.name, fact.eventId, subjectOf(fact));
    const fates = targets.map(({ key }) => ledger.of(key));
    const comesBack = fates.some((fate) => fate?.result === 'later');
    const open = targets.filter((_, at) => isOpen(fates[at], comesBack));
    if (open.length === 0) return this.#conclude(fact, targets, ledger);
    await withSpan(
      `notify ${channel.name}`,
      { 'hyper2kvm.subject': subjectOf(fact), 'hyper2kvm.targets': open.length },
      async () => {
        await this.#tell(fact, await this.#hold(fact, open, ledger), ledger, signal);
        await this.#conclude(fact, targets, ledger);
      },
    );
  }

  /** @returns who is told now */
  async #hold(fact: OutcomeFact, targets: readonly Target[], ledger: Ledger): Promise<Target[]> {
    const { channel, held } = this.options;
    const now: Target[] = [];
    const fates = new Map<string, Fate>();
    for (const target of targets) {
      const known = ledger.of(target.key);
      if (known?.result === 'refused' && known.digest !== undefined) {
        await held.unpark(known.digest.id, channel.name, target.key, known.digest.gathering);
      } else {
        // Who was tried at once is tried at once again.
        const hold = target.atOnce || known?.result === 'later' ? undefined : await this.#holdFor(fact, target);
        if (hold === undefined) {
          now.push(target);
          continue;
        }
        await held.add(channel.name, target.key, fact, hold);
      }
      fates.set(target.key, { result: 'held' });
      countOutcome(channel.name, 'held');
    }
    await ledger.note(fates);
    if (fates.size > 0) this.#log('info', fact, [...fates.keys()], 'a notification waits for its digest');
    return now;
  }

  async #holdFor(fact: OutcomeFact, target: Target): Promise<Hold | undefined> {
    const { channel, config, held, quiet } = this.options;
    const now = Date.now();
    const quietUntil = quiet?.until(now);
    const { batch_id: batch } = fact.data;
    const gathering =
      quietUntil !== undefined &&
      batch !== undefined &&
      (await held.gathers(channel.name, target.key, { kind: 'batch', batch }));
    return holdOf(fact, config, { now, quietUntil, gathers: gathering });
  }

  async #tell(fact: OutcomeFact, targets: readonly Target[], ledger: Ledger, signal: AbortSignal): Promise<void> {
    const { channel } = this.options;
    const now = Date.now();
    const due = targets.filter(({ key }) => {
      const known = ledger.of(key);
      return known?.result !== 'later' || known.notBefore <= now;
    });
    if (due.length === 0) return;
    const message = { id: fact.eventId, time: fact.time, kind: 'fact', facts: [fact] } as const;
    const addresses = due.map(({ address }) => address);
    const outcomes = await channel.send(message, addresses, signal);
    const fates = new Map<string, Fate>();
    for (const { key, address } of due) {
      const outcome = outcomes.find(({ target }) => target === address);
      // Stopped in the middle: nothing was learned of the other side.
      if (outcome === undefined || (signal.aborted && outcome.result === 'later')) continue;
      const fate = this.#fateOf(outcome, ledger.of(key));
      fates.set(key, fate);
      countOutcome(channel.name, outcome.result);
      if (fate.result === 'taken') countDelay(channel.name, Date.parse(fact.time));
    }
    await ledger.note(fates);
    signal.throwIfAborted();
    const taken = due.filter(({ key }) => fates.get(key)?.result === 'taken');
    if (taken.length > 0)
      this.#log(
        'info',
        fact,
        taken.map(({ key }) => key),
        `notified of ${nameOf(fact)}`,
      );
  }

  #fateOf(outcome: Outcome, before: Fate | undefined): Fate {
    const { channel, config } = this.options;
    if (outcome.result === 'taken') return { result: 'taken' };
    if (outcome.result === 'refused') return { result: 'refused', reason: outcome.reason };
    // Not since the fact: it may be old when it comes, and old when its dead letter is sent again.
    const { since, tries } = before?.result === 'later' ? before : { since: Date.now(), tries: 0 };
    if (isGivenUp(since, channel.name, config))
      return { result: 'refused', reason: givenUp(outcome.reason, channel.name, config) };
    const notBefore = Date.now() + pauseAfter(tries + 1, outcome.afterMs);
    return { result: 'later', reason: outcome.reason, tries: tries + 1, since, notBefore };
  }

  /** Again as long as somebody may still take it; aside when nobody may and somebody did not. */
  async #conclude(fact: OutcomeFact, targets: readonly Target[], ledger: Ledger): Promise<void> {
    const { channel } = this.options;
    const fates = targets.flatMap((target) => {
      const fate = ledger.of(target.key);
      return fate ? [{ ...target, fate, shown: channel.shown(target.address) }] : [];
    });
    const waiting = fates.flatMap(({ fate, shown }) => (fate.result === 'later' ? [{ ...fate, shown }] : []));
    if (waiting.length > 0) {
      const words = waiting.map(({ shown, reason }) => `${shown}: ${reason}`).join('; ');
      this.#log(
        waiting.some(({ tries }) => tries === 1) ? 'warn' : 'info',
        fact,
        waiting.map(({ shown }) => shown),
        `a notification waits for its receiver: ${words}`,
      );
      throw new RetryLater(Math.max(1, Math.min(...waiting.map(({ notBefore }) => notBefore)) - Date.now()), words);
    }
    // A digest has its own dead letter.
    const refused = fates.flatMap(({ key, fate, shown }) =>
      fate.result === 'refused' && fate.digest === undefined ? [{ key, fate, shown }] : [],
    );
    if (refused.length === 0) return;
    await ledger.note(new Map(refused.map(({ key, fate }) => [key, { ...fate, aside: true }])));
    throw refusal(
      fact,
      channel.name,
      refused.map(({ shown, fate }) => `${shown} (${fate.reason})`),
    );
  }

  #log(level: 'info' | 'warn', fact: OutcomeFact, targets: readonly string[], words: string): void {
    const { channel, log } = this.options;
    log[level]({ ...namedIn(fact), event: fact.eventId, channel: channel.name, to: targets.length }, words);
  }
}

/** Why a notification became a dead letter. */
export const refusal = (fact: OutcomeFact, channel: string, refused: readonly string[]): JobError =>
  new JobError(
    'BAD_REQUEST',
    `The ${channel} notification of ${nameOf(fact)} ${subjectOf(fact)} was not taken by ${refused.join(', ')}.`,
  );

/** A batch's end matters to those for whom its jobs are gathered. */
const gathers = ({ channel, config }: PipelineOptions): boolean => channel.name !== 'webhook' && config.digest.batches;

/**
 * Nobody is told twice; who refused is tried again when somebody sent the dead letter again.
 * @param comesBack by itself, for somebody who may still take it
 */
const isOpen = (fate: Fate | undefined, comesBack: boolean): boolean =>
  fate === undefined || fate.result === 'later' || (fate.result === 'refused' && fate.aside === true && !comesBack);
