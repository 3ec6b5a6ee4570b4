import { JobError, type DeadLetterDetail, type DeadLetterList, type DeadLetterQuery } from '@hyper2kvm/contracts';
import { Bus, DeadLetterStore, type StoredLetter } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { toLetter, toLetterDetail } from './letter.js';

/** The messages that nobody could handle. An id is a place in their stream, and so is a cursor. */
@Injectable()
export class DeadLetters {
  readonly store: DeadLetterStore;

  constructor(bus: Bus) {
    this.store = new DeadLetterStore(bus);
  }

  /** @throws JobError BAD_REQUEST for a cursor that is none */
  async list({ cursor, limit }: DeadLetterQuery): Promise<DeadLetterList> {
    if (cursor !== undefined && !/^\d{1,16}$/.test(cursor))
      throw new JobError('BAD_REQUEST', 'cursor: not one that this API gave out; start without it.');
    const { letters, next, total } = await this.store.page(limit, cursor === undefined ? undefined : Number(cursor));
    return {
      dead_letters: letters.map((letter) => toLetter(letter)),
      total,
      next_cursor: next === undefined ? null : String(next),
    };
  }

  /** @throws JobError NOT_FOUND */
  async show(id: string): Promise<DeadLetterDetail> {
    return toLetterDetail(await this.get(id));
  }

  /** @throws JobError NOT_FOUND */
  async drop(id: string): Promise<void> {
    const { seq } = await this.get(id);
    await this.store.drop(seq);
  }

  /** @throws JobError NOT_FOUND */
  async get(id: string): Promise<StoredLetter> {
    const letter = await this.store.get(Number(id));
    if (letter === undefined)
      throw new JobError('NOT_FOUND', `There is no dead letter ${id}: it was dropped, sent again, or 90 days old.`);
    return letter;
  }
}
