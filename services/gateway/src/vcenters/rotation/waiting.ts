import { STREAMS } from '@hyper2kvm/contracts';
import { Bus, Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { sealedIn } from './sealed.js';

/** A message of a queue. */
type StoredMessage = Awaited<ReturnType<Bus['jsm']['streams']['getMessage']>>;

const STREAM_NAMES = STREAMS.filter(({ retention }) => retention === 'workqueue').map(({ name }) => name);
const NO_MESSAGE = '404';

/** Secrets in messages that wait for a worker, or are with one. They cannot be sealed anew: a queue is not rewritten. */
@Injectable()
export class WaitingSecrets {
  constructor(
    private readonly bus: Bus,
    private readonly sealer: Sealer,
  ) {}

  /** Messages whose secrets need a previous key, and those that no key opens. */
  async count(): Promise<{ previous: number; unreadable: number }> {
    const found = { previous: 0, unreadable: 0 };
    for (const stream of STREAM_NAMES) {
      for await (const message of this.#messages(stream)) {
        const secrets = sealedIn(contentOf(message)).filter(({ sealed }) => !this.sealer.isCurrent(sealed));
        if (secrets.some(({ sealed }) => !this.#opens(sealed))) found.unreadable += 1;
        else if (secrets.length > 0) found.previous += 1;
      }
    }
    return found;
  }

  async *#messages(stream: string): AsyncGenerator<StoredMessage> {
    for (let seq = 1; ;) {
      // The server knows this question since 2.9; the client's types know it of direct ones alone.
      const next = { seq, next_by_subj: '>' } as { seq: number };
      const message = await this.bus.jsm.streams.getMessage(stream, next).catch((error: unknown) => {
        if ((error as { code?: unknown }).code === NO_MESSAGE) return undefined;
        throw error;
      });
      if (message === undefined) return;
      yield message;
      seq = message.seq + 1;
    }
  }

  #opens(sealed: string): boolean {
    try {
      this.sealer.open(sealed);
      return true;
    } catch {
      return false;
    }
  }
}

/** Whatever is no JSON has no secrets of ours. */
function contentOf(message: StoredMessage): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}
