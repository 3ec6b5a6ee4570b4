import type { ChannelName } from '../channels/index.js';
import type { Gathering } from '../plan/index.js';
import { token, type Records, type Stored } from './records.js';

/** What became of a fact at one target. */
export type Fate =
  | { readonly result: 'taken' }
  /** It is in a digest, or was. */
  | { readonly result: 'held' }
  | {
      readonly result: 'refused';
      readonly reason: string;
      /** Its dead letter was written: when the fact comes again, somebody wants another try. */
      readonly aside?: true;
      /** It stands for a whole digest that was refused and is kept under this id. */
      readonly digest?: { readonly id: string; readonly gathering: Gathering };
    }
  /** Times in milliseconds. `since`: its first try. */
  | {
      readonly result: 'later';
      readonly reason: string;
      readonly tries: number;
      readonly since: number;
      readonly notBefore: number;
    };

interface Delivery {
  /** The job or batch. For people who look into the bucket. */
  readonly subject: string;
  /** By the tokens of their keys. */
  readonly targets: Readonly<Record<string, Fate>>;
}

/** What could not be written down, by the keys of its records. */
type Unwritten = Map<string, ReadonlyMap<string, Fate>>;

/** What is known of one fact on one channel. */
export class Ledger {
  constructor(
    private readonly records: Records,
    private readonly unwritten: Unwritten,
    private readonly key: string,
    private readonly subject: string,
    private stored: Stored<Delivery> | undefined,
  ) {}

  of(target: string): Fate | undefined {
    return this.stored?.value.targets[token(target)];
  }

  /**
   * Remembers what became of it. Of two who told the same target, the one who got through is right.
   * @throws where the bucket takes nothing; then it is still remembered here
   */
  async note(news: ReadonlyMap<string, Fate>): Promise<void> {
    const fates = new Map([...(this.unwritten.get(this.key) ?? []), ...news]);
    if (fates.size === 0) return;
    this.unwritten.set(this.key, fates);
    const change = (found: Delivery | undefined): Delivery => {
      const targets = { ...found?.targets };
      for (const [target, fate] of fates) if (targets[token(target)]?.result !== 'taken') targets[token(target)] = fate;
      return { subject: this.subject, targets };
    };
    this.stored = await this.records.change(this.key, change, this.stored);
    this.unwritten.delete(this.key);
  }
}

/** What became of each fact on each channel at each target: in the bucket, so that it outlives the service. */
export class Deliveries {
  readonly #unwritten: Unwritten = new Map();

  constructor(private readonly records: Records) {}

  /** Of what is not written down yet nobody is told again: first it is. */
  async of(channel: ChannelName, eventId: string, subject: string): Promise<Ledger> {
    const key = `f.${channel}.${token(eventId)}`;
    const stored = await this.records.get<Delivery>(key);
    const ledger = new Ledger(this.records, this.#unwritten, key, subject, stored);
    await ledger.note(new Map());
    return ledger;
  }
}
