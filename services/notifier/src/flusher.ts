import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { withSpan } from '@hyper2kvm/runtime';
import type { Channel, ChannelName, Message, Outcome } from './channels/index.js';
import type { NotifierConfig } from './config.js';
import { digestOf } from './digest.js';
import { countDelay, countOutcome } from './metrics.js';
import { givenUp, isGivenUp, pauseAfter } from './pauses.js';
import type { PipelineLog } from './pipeline.js';
import { addressOf, SETTLE_MS } from './plan/index.js';
import type { QuietClock } from './rules/index.js';
import { isBefore, type BatchEnd, type Group, type Held, type HeldEntry, type HeldGroup } from './state/index.js';

export interface FlusherOptions {
  readonly channels: ReadonlyMap<ChannelName, Channel>;
  readonly config: NotifierConfig;
  readonly held: Held;
  readonly quiet: Pick<QuietClock, 'until'> | undefined;
  readonly log: PipelineLog;
  /** See consumers.ts. */
  readonly isThrough: (channel: ChannelName, seq: number, patient: boolean) => Promise<boolean>;
  /** Puts aside what was refused for good. */
  readonly putAside: (
    group: Group,
    message: Message,
    entries: readonly HeldEntry[],
    shown: string,
    reason: string,
  ) => Promise<void>;
  readonly pollMs?: number;
  readonly leaseMs?: number;
}

const POLL_MS = 1_000;
/** Nor before so many times as long as the question took: NATS looks through all that is remembered, which may be much. */
const REST = 25;
const LONGEST_REST_MS = 10_000;
/** Where nothing waits, so many times as long. */
const IDLE = 5;
/** A claim that stands still for so long belongs to a notifier that is gone. */
const LEASE_MS = 10_000;
/** By then facts that a killed notifier had in hand were handled by another. What is still under way waits for a receiver. */
const IN_HAND_MS = 45_000;
/** The end of a batch is told after so long, even if facts of its jobs still wait to be handled. */
const LONGEST_SETTLE_MS = 600_000;

/**
 * Tells what was gathered when its time has come. Every notifier has one; a claim in the group's record decides which of them
 * sends, and whoever takes over the claim of one that is gone sends the same message, with the same id.
 */
export class Flusher {
  readonly #by = randomUUID();
  readonly #stop = new AbortController();
  readonly #inHand = new Map<string, Promise<void>>();
  /** Claims of others, as they were first seen. */
  readonly #seen = new Map<string, { readonly revision: number; readonly at: number }>();
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly options: FlusherOptions) {}

  start(): void {
    this.#running = this.#run();
  }

  /** Waits for what is being sent. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the service stops'));
    await this.#running;
    await Promise.all(this.#inHand.values());
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const began = performance.now();
      const waiting = await this.tick().catch((error: unknown) => {
        this.options.log.debug({ err: error }, 'what waits for a digest could not be read');
        return 0;
      });
      const rest = Math.min(REST * (performance.now() - began), LONGEST_REST_MS);
      const pauseMs = Math.max((this.options.pollMs ?? POLL_MS) * (waiting > 0 ? 1 : IDLE), rest);
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Begins to send what is due; a group that takes long keeps no other waiting. @returns how many groups there are */
  async tick(): Promise<number> {
    const keys = await this.options.held.groups();
    for (const key of this.#seen.keys()) if (!keys.includes(key)) this.#seen.delete(key);
    for (const key of keys) {
      if (this.#inHand.has(key) || this.#stop.signal.aborted) continue;
      const flushing = this.#flush(key)
        .catch((error: unknown) => this.options.log.warn({ err: error, group: key }, 'a digest could not be sent'))
        .finally(() => this.#inHand.delete(key));
      this.#inHand.set(key, flushing);
    }
    return keys.length;
  }

  async #flush(key: string): Promise<void> {
    const { held } = this.options;
    const group = await held.group(key);
    if (group === undefined) return;
    if (group.value.closing) return held.close(group, this.#dueOf);
    const now = Date.now();
    if (Math.max(group.value.due, group.value.notBefore ?? 0) > now || this.#isOthers(group)) return;
    const quietUntil = group.value.urgent ? undefined : this.options.quiet?.until(now);
    if (quietUntil !== undefined) return void (await held.change(group, { ...group.value, due: quietUntil }));
    const { gathering } = group.value;
    const end = gathering.kind === 'batch' ? await held.batchEnd(gathering.batch) : undefined;
    if (end && group.value.upTo === undefined && !(await this.#hasSettled(group.value, end, now))) return;
    await this.#claim(group, end);
  }

  /** The end of a batch overtakes its jobs where many of them wait to be handled. */
  async #hasSettled({ channel }: Group, end: BatchEnd, now: number): Promise<boolean> {
    const passed = now - end.at;
    return passed > LONGEST_SETTLE_MS || this.options.isThrough(channel, end.seq, passed < IN_HAND_MS);
  }

  /** Whether somebody else is sending it, and alive. */
  #isOthers({ key, value, revision }: HeldGroup): boolean {
    const seen = this.#seen.get(key);
    if (value.claim === undefined || value.claim.by === this.#by) return false;
    if (seen?.revision !== revision) {
      this.#seen.set(key, { revision, at: performance.now() });
      return true;
    }
    return performance.now() - seen.at < (this.options.leaseMs ?? LEASE_MS);
  }

  async #claim(group: HeldGroup, end: BatchEnd | undefined): Promise<void> {
    const { held } = this.options;
    const waiting = await held.entries(group);
    const upTo = group.value.upTo ?? waiting.at(-1)?.revision ?? 0;
    const entries = waiting.filter(({ revision }) => revision <= upTo);
    if (entries.length === 0) {
      const closed = await held.change(group, closedGroup(group.value, upTo));
      return closed && held.close(closed, this.#dueOf);
    }
    const claimed = await held.change(group, { ...group.value, upTo, claim: { by: this.#by, at: Date.now() } });
    if (claimed === undefined) return;
    const renewal = setInterval(
      () =>
        void held
          .changeOwn(group.key, this.#by, (own) => ({ ...own, claim: { by: this.#by, at: Date.now() } }))
          .catch(() => undefined),
      (this.options.leaseMs ?? LEASE_MS) / 4,
    );
    try {
      await this.#send(claimed, digestOf(claimed, entries, end), entries);
    } finally {
      clearInterval(renewal);
    }
  }

  async #send(group: HeldGroup, message: Message, entries: readonly HeldEntry[]): Promise<void> {
    const { channels, config, log } = this.options;
    const { channel: name, target, due } = group.value;
    const channel = channels.get(name);
    const address = addressOf(target, name, config);
    if (channel === undefined || address === undefined) {
      const reason = 'it is not configured any more';
      return this.#settle(group, message, entries, { target, result: 'refused', reason }, target);
    }
    const shown = channel.shown(address);
    const outcome = await withSpan(
      `notify ${name} digest`,
      { 'hyper2kvm.facts': entries.length },
      async () => (await channel.send(message, [address], this.#stop.signal))[0],
    );
    if (outcome === undefined) throw new Error(`${name} said nothing of ${shown}`);
    if (outcome.result === 'taken') {
      countDelay(name, message.kind === 'fact' ? Date.parse(message.time) : due);
      log.info({ channel: name, to: 1, facts: entries.length, message: message.id }, 'notified by a digest');
    }
    await this.#settle(group, message, entries, outcome, shown);
  }

  /** Writes down what became of it; nothing where the claim was lost: then another notifier does. */
  async #settle(
    { key, value }: HeldGroup,
    message: Message,
    entries: readonly HeldEntry[],
    outcome: Outcome,
    shown: string,
  ): Promise<void> {
    const { config, held, log, putAside } = this.options;
    const stopped = this.#stop.signal.aborted && outcome.result === 'later';
    if (!stopped) countOutcome(value.channel, outcome.result);
    const triedSince = value.triedSince ?? Date.now();
    if (outcome.result === 'later' && (stopped || !isGivenUp(triedSince, value.channel, config))) {
      if (!stopped)
        log.info({ channel: value.channel, to: shown }, `a digest waits for its receiver: ${outcome.reason}`);
      const tries = value.tries + (stopped ? 0 : 1);
      const notBefore = stopped ? 0 : Date.now() + pauseAfter(tries, outcome.afterMs);
      await held.changeOwn(key, this.#by, ({ claim: _claim, ...rest }) => ({ ...rest, tries, triedSince, notBefore }));
      return;
    }
    if (outcome.result !== 'taken') {
      const reason = outcome.result === 'later' ? givenUp(outcome.reason, value.channel, config) : outcome.reason;
      await putAside(value, message, entries, shown, reason);
    }
    const upTo = entries.at(-1)?.revision ?? 0;
    const closed = await held.changeOwn(key, this.#by, (group) => closedGroup(group, upTo));
    if (closed) await held.close(closed, this.#dueOf);
  }

  /** What came while the rest was told. */
  readonly #dueOf = async ({ gathering }: Group, rest: readonly HeldEntry[]): Promise<number> => {
    if (gathering.kind === 'quiet') return Date.now();
    const end = await this.options.held.batchEnd(gathering.batch);
    const over = end !== undefined && rest.every(({ value: { fact } }) => isBefore(fact, end.fact));
    return Date.now() + (over ? SETTLE_MS : this.options.config.digest.every_minutes * 60_000);
  };
}

function closedGroup(group: Group, told: number): Group {
  const { claim: _claim, upTo: _upTo, notBefore: _notBefore, triedSince: _triedSince, ...rest } = group;
  return { ...rest, told: Math.max(told, group.told ?? 0), closing: true };
}
