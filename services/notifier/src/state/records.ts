import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { BUCKETS } from '@hyper2kvm/contracts';
import { isAway, type Bus } from '@hyper2kvm/runtime';

const STREAM = `KV_${BUCKETS.notifications}`;
const PREFIX = `$KV.${BUCKETS.notifications}.`;
/** JetStream: "wrong last sequence" */
const WRONG_SEQUENCE = 10_071;
/** Questions at the same time. */
const AT_ONCE = 32;
/** While NATS is away a write is repeated; after that the fact comes again, and with it the write. */
const TRIES = 10;
const PAUSE_MS = 500;

export interface Stored<T> {
  readonly key: string;
  readonly value: T;
  /** Its place in the bucket's stream: rises with every write of any key. */
  readonly revision: number;
}

/** A token of a key, of whatever text: addresses and names have marks that a subject must not have, and some are secrets. */
export const token = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** JSON in the bucket `notifications`, written by compare-and-set. */
export class Records {
  constructor(private readonly bus: Pick<Bus, 'jsm' | 'buckets'>) {}

  async get<T>(key: string): Promise<Stored<T> | undefined> {
    const entry = await this.bus.buckets.notifications.get(key);
    return entry?.operation === 'PUT' ? { key, value: entry.json<T>(), revision: entry.revision } : undefined;
  }

  async put(key: string, value: object): Promise<number> {
    return patiently(async () => this.bus.buckets.notifications.put(key, JSON.stringify(value)));
  }

  /** Nothing happens where the key is there already. */
  async create(key: string, value: object): Promise<void> {
    await patiently(async () => this.#write(key, value, 0));
  }

  /**
   * Writes what `change` makes of the newest value; it is asked again when somebody else was quicker.
   * @param change undefined leaves the value as it is
   * @param known saves a question
   * @returns what was written, or found where nothing was
   */
  async change<T extends object>(
    key: string,
    change: (value: T | undefined) => T | undefined,
    known?: Stored<T>,
  ): Promise<Stored<T> | undefined> {
    return patiently(async () => {
      let found = known ?? (await this.get<T>(key));
      for (;;) {
        const value = change(found?.value);
        if (value === undefined) return found;
        const revision = await this.#write(key, value, found?.revision ?? 0);
        if (revision !== undefined) return { key, value, revision };
        found = await this.get<T>(key);
      }
    });
  }

  /** Undefined: the key's newest revision is another. */
  async #write(key: string, value: object, revision: number): Promise<number | undefined> {
    const data = JSON.stringify(value);
    try {
      return await this.bus.buckets.notifications.put(key, data, { previousSeq: revision });
    } catch (error) {
      if ((error as { api_error?: { err_code?: number } }).api_error?.err_code === WRONG_SEQUENCE) return undefined;
      throw error;
    }
  }

  /**
   * Keys that fit a pattern of a subject (`g.email.>`). By the stream's state: the client's own listing of keys waits for ever where
   * the last of them vanishes meanwhile.
   */
  async keys(pattern: string): Promise<string[]> {
    const { state } = await this.bus.jsm.streams.info(STREAM, { subjects_filter: `${PREFIX}${pattern}` });
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(PREFIX.length));
  }

  /** The records of these keys that there are, in the order of their revisions. */
  async all<T>(keys: readonly string[]): Promise<Stored<T>[]> {
    const found: Stored<T>[] = [];
    await inParallel(keys, async (key) => {
      const stored = await this.get<T>(key);
      if (stored) found.push(stored);
    });
    return found.toSorted((one, other) => one.revision - other.revision);
  }

  /** Removes one revision of a key, and leaves no mark of it: a newer one stays. */
  async remove(revisions: readonly number[]): Promise<void> {
    await inParallel(revisions, async (seq) => {
      try {
        await this.bus.jsm.streams.deleteMessage(STREAM, seq, false);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    });
  }
}

/** A message that is not there (any more): 400 from nats-server 2.9, 404 elsewhere. */
function isGone(error: unknown): boolean {
  const { code, description = '' } = (error as { api_error?: { code?: number; description?: string } }).api_error ?? {};
  return code === 404 || /no message found|not found|deleted message/i.test(description);
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
}

/** What is written is known by reading it, so a write may be repeated when its answer was lost. */
async function patiently<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (!isAway(error) || tries === TRIES) throw error;
      await pause(PAUSE_MS);
    }
  }
}
