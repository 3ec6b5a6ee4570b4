import { randomUUID } from 'node:crypto';
import { JobError } from '@hyper2kvm/contracts';
import { InjectLogger, Sealer, type Logger } from '@hyper2kvm/runtime';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { IdempotencyRow } from '../database/index.js';
import { callerOf, type AuthenticatedRequest } from '../http/caller.js';
import { fingerprint } from './fingerprint.js';

export const IDEMPOTENCY_KEY = 'idempotency-key';
export const KEY_PATTERN = /^[!-~]{1,255}$/;
const SEEN_EVERY_MS = 20_000;
/** A request that was not heard of for so long is of a gateway that ended. */
const ABANDONED_SECONDS = 60;

interface Held {
  readonly caller: string;
  readonly key: string;
  readonly owner: string;
}
interface Answer {
  readonly type: string | undefined;
  readonly body: string;
}

/**
 * One change for each Idempotency-Key of a caller. Only what was done is kept: a refusal changed nothing, so the same
 * key may try again. A gateway that is killed between a change and its answer leaves the key without one, and the
 * repetition is worked on as new: a VM that has a job by then is refused as any other (VM_BUSY).
 */
@Injectable()
export class Idempotency implements OnModuleDestroy {
  readonly #held = new Map<AuthenticatedRequest, Held>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly dataSource: DataSource,
    private readonly sealer: Sealer,
    @InjectLogger() private readonly logger: Logger,
  ) {
    this.#timer = setInterval(() => void this.#renew(), SEEN_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /**
   * @returns whether the request was answered, with what it was answered before
   * @throws JobError BAD_REQUEST, IDEMPOTENCY_CONFLICT, STATE_CONFLICT
   */
  async begin(request: AuthenticatedRequest, reply: FastifyReply): Promise<boolean> {
    const key = request.headers[IDEMPOTENCY_KEY];
    if (key === undefined) return false;
    if (typeof key !== 'string' || !KEY_PATTERN.test(key))
      throw new JobError('BAD_REQUEST', 'Idempotency-Key: 1 to 255 visible ASCII characters.');
    const held = { caller: callerOf(request), key, owner: randomUUID() };
    const print = fingerprint(request.method, request.url, request.body);
    // A refusal of the first request takes its row away: then the next look decides.
    for (;;) {
      if (await this.#take(held, print)) {
        this.#held.set(request, held);
        return false;
      }
      const row = await this.dataSource.manager.findOneBy(IdempotencyRow, { caller: held.caller, key });
      if (row === null) continue;
      if (this.#open(row.fingerprintSealed) !== print)
        throw new JobError('IDEMPOTENCY_CONFLICT', `Idempotency-Key ${key} came with another request before.`);
      if (row.answerSealed !== null && row.status !== null) {
        const { type, body } = JSON.parse(this.#open(row.answerSealed)) as Answer;
        if (type !== undefined) reply.header('content-type', type);
        await reply.code(row.status).header('idempotent-replayed', 'true').send(body);
        return true;
      }
      if (await this.#takeOver(held)) {
        this.#held.set(request, held);
        return false;
      }
      reply.header('retry-after', '2');
      throw new JobError('STATE_CONFLICT', `The first request with Idempotency-Key ${key} is still being worked on.`);
    }
  }

  /** Never fails: what was done is done. */
  async end(request: AuthenticatedRequest, reply: FastifyReply, payload: unknown): Promise<void> {
    const held = this.#held.get(request);
    if (held === undefined) return;
    this.#held.delete(request);
    const { caller, key, owner } = held;
    const { statusCode } = reply;
    try {
      const body = payload ?? '';
      if (statusCode >= 200 && statusCode < 300 && typeof body === 'string') {
        const type = reply.getHeader('content-type');
        const answer: Answer = { type: typeof type === 'string' ? type : undefined, body };
        await this.dataSource.query(
          'UPDATE idempotency_keys SET status = $4, answer_sealed = $5 WHERE caller = $1 AND key = $2 AND owner = $3',
          [caller, key, owner, statusCode, this.sealer.seal(JSON.stringify(answer))],
        );
      } else {
        await this.dataSource.query('DELETE FROM idempotency_keys WHERE caller = $1 AND key = $2 AND owner = $3', [
          caller,
          key,
          owner,
        ]);
      }
    } catch (error) {
      this.logger.error({ err: error, status: statusCode }, 'an answer could not be kept for its Idempotency-Key');
    }
  }

  async #take({ caller, key, owner }: Held, print: string): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      `INSERT INTO idempotency_keys (caller, key, owner, fingerprint_sealed) VALUES ($1, $2, $3, $4)
       ON CONFLICT (caller, key) DO NOTHING RETURNING key`,
      [caller, key, owner, this.sealer.seal(print)],
    );
    return rows.length > 0;
  }

  async #takeOver({ caller, key, owner }: Held): Promise<boolean> {
    const [rows] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE idempotency_keys SET owner = $3, seen_at = now()
       WHERE caller = $1 AND key = $2 AND status IS NULL AND seen_at < now() - make_interval(secs => $4) RETURNING key`,
      [caller, key, owner, ABANDONED_SECONDS],
    );
    return rows.length > 0;
  }

  async #renew(): Promise<void> {
    const owners = [...this.#held.values()].map((held) => held.owner);
    if (owners.length === 0) return;
    try {
      await this.dataSource.query('UPDATE idempotency_keys SET seen_at = now() WHERE owner = ANY ($1)', [owners]);
    } catch (error) {
      this.logger.warn({ err: error }, 'requests under way could not be renewed');
    }
  }

  /** @throws JobError IDEMPOTENCY_CONFLICT where the key that it was sealed with is gone */
  #open(sealed: string): string {
    try {
      return this.sealer.open(sealed);
    } catch (error) {
      const text = 'What this Idempotency-Key was used for cannot be read any more: take a new one.';
      throw new JobError('IDEMPOTENCY_CONFLICT', text, { cause: error });
    }
  }
}
