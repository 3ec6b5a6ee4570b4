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
  /** @param notBefore milliseconds */
  | { readonly result: 'later'; readonly reason: string; readonly tries: number; readonly notBefore: number };

interface Delivery {
  /** The job or batch. For people who look into the bucket. */
  readonly subject: string;
  /** By the tokens of their keys. */
  readonly targets: Readonly<Record<string, Fate>>;
}

/** What is known of one fact on one channel. */
export class Ledger {
  constructor(
    private readonly records: Records,
    private readonly key: string,
    private readonly subject: string,
    private stored: Stored<Delivery> | undefined,
  ) {}

  of(target: string): Fate | undefined {
    return this.stored?.value.targets[token(target)];
  }

  /** Remembers what became of it. Of two who told the same target, the one who got through is right. */
  async note(fates: ReadonlyMap<string, Fate>): Promise<void> {
    if (fates.size === 0) return;
    const change = (found: Delivery | undefined): Delivery => {
      const targets = { ...found?.targets };
      for (const [target, fate] of fates) if (targets[token(target)]?.result !== 'taken') targets[token(target)] = fate;
      return { subject: this.subject, targets };
    };
    this.stored = await this.records.change(this.key, change, this.stored);
  }
}

/** What became of each fact on each channel at each target: in the bucket, so that it outlives the service. */
export class Deliveries {
  constructor(private readonly records: Records) {}

  async of(channel: ChannelName, eventId: string, subject: string): Promise<Ledger> {
    const key = `f.${channel}.${token(eventId)}`;
    return new Ledger(this.records, key, subject, await this.records.get<Delivery>(key));
  }
}
