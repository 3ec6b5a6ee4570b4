import type { ChannelName } from '../channels/index.js';
import type { BatchFact, OutcomeFact } from '../fact.js';
import { SETTLE_MS, type Gathering, type Hold } from '../plan/index.js';
import { token, type Records, type Stored } from './records.js';
import { slim } from './slim.js';

/** What is gathered for one target, to be told in one message. Times in milliseconds. */
export interface Group {
  readonly channel: ChannelName;
  /** See Target.key. */
  readonly target: string;
  readonly gathering: Gathering;
  /** When it began. */
  readonly since: number;
  readonly due: number;
  readonly urgent: boolean;
  /** Tries that failed, when the first of them was, and when the next one may be made. */
  readonly tries: number;
  readonly triedSince?: number;
  readonly notBefore?: number;
  /**
   * The last revision of an entry that belongs to the message which is being sent: a repetition has the same ones, and thus the
   * same id.
   */
  readonly upTo?: number;
  /** Entries up to this revision were told. */
  readonly told?: number;
  /** All was told: entries and group are being removed. Whoever adds an entry meanwhile opens it again. */
  readonly closing?: true;
  /** Who sends it. He writes the record again and again: where it stands still he is gone. */
  readonly claim?: { readonly by: string; readonly at: number };
}

/** A fact that waits. */
export interface Entry {
  readonly fact: OutcomeFact;
}

/** The end of a batch, and where its fact lies in the stream. */
export interface BatchEnd {
  readonly fact: BatchFact;
  readonly seq: number;
  readonly at: number;
}

export type HeldGroup = Stored<Group>;
export type HeldEntry = Stored<Entry>;

const labelOf = (gathering: Gathering): string => token(gathering.kind === 'quiet' ? 'quiet' : gathering.batch);
const groupKey = (channel: ChannelName, target: string, gathering: Gathering): string =>
  `g.${channel}.${token(target)}.${labelOf(gathering)}`;
const entriesOf = (group: string): string => group.replace(/^g/, 'h');
const batchKey = (batch: string): string => `b.${token(batch)}`;

/**
 * Facts that wait for their digest. Each is a record of its own, so that many may be added at the same time; the group's record says
 * when they are told, and by whom.
 */
export class Held {
  constructor(private readonly records: Records) {}

  /** Whether facts of it wait for this target. */
  async gathers(channel: ChannelName, target: string, gathering: Gathering): Promise<boolean> {
    const found = await this.records.get<Group>(groupKey(channel, target, gathering));
    return found !== undefined && found.value.closing === undefined;
  }

  /** May be repeated. The entry first: a group never misses one that somebody was told to wait for. */
  async add(channel: ChannelName, target: string, fact: OutcomeFact, hold: Hold): Promise<void> {
    const { gathering } = hold;
    const key = groupKey(channel, target, gathering);
    await this.records.create(`${entriesOf(key)}.${token(fact.eventId)}`, { fact: slim(fact) } satisfies Entry);
    const began = await this.#open(key, { channel, target, ...hold });
    if (!began || gathering.kind === 'quiet' || fact.kind === 'batch') return;
    // Whoever tells of the batch's end looks for groups after he wrote it down: one of the two sees the other.
    const end = await this.batchEnd(gathering.batch);
    if (end && isBefore(fact, end.fact)) await this.hasten(key, Date.now() + SETTLE_MS);
  }

  /** @returns whether it began by that */
  async #open(key: string, wanted: Hold & Pick<Group, 'channel' | 'target'>): Promise<boolean> {
    const { channel, target, gathering, due, urgent } = wanted;
    let began = false;
    await this.records.change<Group>(key, (group) => {
      began = group === undefined || group.closing !== undefined;
      if (group !== undefined && !began) {
        if (group.due <= due && (group.urgent || !urgent)) return undefined;
        return { ...group, due: Math.min(group.due, due), urgent: group.urgent || urgent };
      }
      const told = group?.told === undefined ? {} : { told: group.told };
      return { channel, target, gathering, since: Date.now(), due, urgent, tries: 0, ...told };
    });
    return began;
  }

  /** Tells it at that time, if it was to be told later. */
  async hasten(key: string, due: number): Promise<void> {
    await this.records.change<Group>(key, (group) =>
      group === undefined || group.closing || group.due <= due ? undefined : { ...group, due },
    );
  }

  /** Everybody who was told to wait for the end of this batch is told soon. */
  async endBatch(channel: ChannelName, fact: BatchFact, seqOf: () => Promise<number>): Promise<void> {
    const id = fact.data.batch_id;
    if ((await this.batchEnd(id))?.fact.eventId !== fact.eventId)
      await this.records.put(batchKey(id), { fact: slim(fact), seq: await seqOf(), at: Date.now() });
    const due = Date.now() + SETTLE_MS;
    for (const key of await this.records.keys(`g.${channel}.*.${token(id)}`)) await this.hasten(key, due);
  }

  async batchEnd(batch: string): Promise<BatchEnd | undefined> {
    return (await this.records.get<BatchEnd>(batchKey(batch)))?.value;
  }

  async groups(): Promise<string[]> {
    return this.records.keys('g.>');
  }

  async group(key: string): Promise<HeldGroup | undefined> {
    return this.records.get<Group>(key);
  }

  /** Undefined where it was changed by somebody else. */
  async change(group: HeldGroup, value: Group): Promise<HeldGroup | undefined> {
    const written = await this.records.change<Group>(
      group.key,
      (found) => (found === group.value ? value : undefined),
      group,
    );
    return written?.value === value ? written : undefined;
  }

  /** Changes the newest one, as long as it is claimed by `by`; undefined where it is not (any more). */
  async changeOwn(key: string, by: string, change: (group: Group) => Group): Promise<HeldGroup | undefined> {
    let lost = false;
    const written = await this.records.change<Group>(key, (group) => {
      lost = group?.claim?.by !== by;
      return group === undefined || lost ? undefined : change(group);
    });
    return lost ? undefined : written;
  }

  /** What waits, oldest first. */
  async entries({ key, value }: HeldGroup): Promise<HeldEntry[]> {
    const all = await this.records.all<Entry>(await this.records.keys(`${entriesOf(key)}.>`));
    return all.filter(({ revision }) => revision > (value.told ?? 0));
  }

  /** Removes what was told, and the group where nothing else came meanwhile; else that is told in its turn. */
  async close({ key }: HeldGroup, dueOf: (group: Group, rest: readonly HeldEntry[]) => Promise<number>): Promise<void> {
    const group = await this.group(key);
    if (group?.value.closing === undefined) return;
    const { told = 0 } = group.value;
    const all = await this.records.all<Entry>(await this.records.keys(`${entriesOf(key)}.>`));
    const rest = all.filter(({ revision }) => revision > told);
    await this.records.remove(all.filter(({ revision }) => revision <= told).map(({ revision }) => revision));
    if (rest.length === 0) return this.records.remove([group.revision]);
    const { closing: _closing, ...open } = group.value;
    await this.change(group, { ...open, since: Date.now(), due: await dueOf(open, rest), tries: 0 });
  }

  /** Keeps the entries of a message that was refused, so that they can be told when somebody wants another try. */
  async park(id: string, entries: readonly HeldEntry[]): Promise<void> {
    for (const { value } of entries) await this.records.put(`p.${token(id)}.${token(value.fact.eventId)}`, value);
  }

  /** What was parked waits again, to be told at once. May be repeated. */
  async unpark(id: string, channel: ChannelName, target: string, gathering: Gathering): Promise<void> {
    const key = groupKey(channel, target, gathering);
    const parked = await this.records.all<Entry>(await this.records.keys(`p.${token(id)}.>`));
    for (const { value } of parked) await this.records.put(`${entriesOf(key)}.${token(value.fact.eventId)}`, value);
    await this.#open(key, { channel, target, gathering, due: Date.now(), urgent: true });
    await this.records.remove(parked.map(({ revision }) => revision));
  }

  /** Facts that wait, on a channel. */
  async count(channel: ChannelName): Promise<number> {
    return (await this.records.keys(`h.${channel}.>`)).length;
  }
}

/** The job came to its end with the batch, not by a later try. */
export const isBefore = (fact: OutcomeFact, end: OutcomeFact): boolean => Date.parse(fact.time) <= Date.parse(end.time);
