import { randomUUID } from 'node:crypto';
import type { StreamName } from '@hyper2kvm/contracts';
import { headers, type StoredMsg } from 'nats';
import type { Bus } from '../bus/bus.js';
import { DEAD_NOTES } from './dead-letters.js';

const STREAM: StreamName = 'DEAD_LETTERS';
const PREFIX = 'dead.';
/** Messages that are asked for at the same time. */
const AT_ONCE = 50;
const PUBLISH_MS = 2_000;

/** A message that was put aside. */
export interface StoredLetter {
  /** Its place in the stream. */
  readonly seq: number;
  /** The subject that the message had. */
  readonly subject: string;
  /** The message's own headers; a value for each time that one came. */
  readonly headers: readonly (readonly [name: string, values: readonly string[]])[];
  /** Null of a message that was too large to be kept. */
  readonly data: Uint8Array | null;
  /** Of the message as it came. */
  readonly bytes: number;
  readonly reason: string;
  /** The service that put it aside. */
  readonly source: string;
  readonly time: Date;
}

/** Reads, deletes and sends again what was put aside. */
export class DeadLetterStore {
  constructor(private readonly bus: Bus) {}

  /**
   * The newest first.
   * @param before those of lower places alone
   * @returns the place to go on before; undefined at the end
   */
  async page(
    limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<{ letters: StoredLetter[]; total: number; next: number | undefined }> {
    const { state } = await this.bus.jsm.streams.info(STREAM, { deleted_details: true });
    const gone = new Set(state.deleted);
    const places: number[] = [];
    // One more tells whether there is a next page.
    for (let seq = Math.min(state.last_seq, before - 1); seq >= Math.max(1, state.first_seq); seq -= 1) {
      if (!gone.has(seq)) places.push(seq);
      if (places.length > limit) break;
    }
    const letters: StoredLetter[] = [];
    for (let at = 0; at < Math.min(limit, places.length); at += AT_ONCE) {
      const some = places.slice(at, Math.min(limit, at + AT_ONCE));
      // One that was dropped meanwhile is left out.
      const found = await Promise.all(some.map(async (seq) => this.get(seq)));
      letters.push(...found.filter((letter) => letter !== undefined));
    }
    return { letters, total: state.messages, next: places.length > limit ? places[limit - 1] : undefined };
  }

  /** Undefined where there is none (any more). */
  async get(seq: number): Promise<StoredLetter | undefined> {
    if (!Number.isSafeInteger(seq) || seq < 1) return undefined;
    try {
      return toLetter(await this.bus.jsm.streams.getMessage(STREAM, { seq }));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Overwrites it: it may hold what was sealed. One that is gone does no harm. */
  async drop(seq: number): Promise<void> {
    try {
      await this.bus.jsm.streams.deleteMessage(STREAM, seq, true);
    } catch (error) {
      if ((await this.get(seq)) !== undefined) throw error;
    }
  }

  /** Publishes the message to its subject as it was, but for its dedupe id: with that it would count as a duplicate. */
  async republish({ subject, headers: own, data, seq }: StoredLetter): Promise<void> {
    const hdrs = headers();
    for (const [name, values] of own) {
      // What begins so is an order to the server.
      if (!name.toLowerCase().startsWith('nats-')) for (const value of values) hdrs.append(name, value);
    }
    const options = { headers: hdrs, msgID: `resent:${seq}:${randomUUID()}`, timeout: PUBLISH_MS };
    await this.bus.js.publish(subject, data ?? new Uint8Array(), options);
  }
}

export const isMissing = (error: unknown): boolean =>
  (error as { api_error?: { code?: number } }).api_error?.code === 404 || /no message found/i.test(String(error));

function toLetter(message: StoredMsg): StoredLetter {
  const note = (name: string): string | undefined => {
    const value = message.header?.get(`${DEAD_NOTES}${name}`) ?? '';
    return value === '' ? undefined : value;
  };
  const cut = note('bytes');
  const noted = new Date(note('time') ?? Number.NaN);
  return {
    seq: message.seq,
    subject: message.subject.slice(PREFIX.length),
    headers: [...(message.header ?? [])].filter(([name]) => !name.toLowerCase().startsWith(DEAD_NOTES)),
    data: cut === undefined ? message.data : null,
    bytes: Math.max(0, Math.trunc(Number(cut ?? message.data.length))) || 0,
    reason: note('reason') ?? '',
    source: note('source') ?? 'unknown',
    time: Number.isNaN(noted.getTime()) ? message.time : noted,
  };
}
