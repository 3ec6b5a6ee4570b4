import { timingSafeEqual } from 'node:crypto';
import { JobError, type TokenCreated, type TokenInfo, type TokenRequest } from '@hyper2kvm/contracts';
import { InjectLogger, type Logger } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { TokenRow } from '../database/index.js';
import type { Caller } from '../http/caller.js';
import { digest, newToken } from './token-text.js';

/** The name of `gateway.api.auth.token`. */
const CONFIGURED = 'config';
/** Names of callers that have no row. */
const RESERVED: readonly string[] = [CONFIGURED, 'local', 'socket', 'unknown'];
const DAY_MS = 86_400_000;
const USED_EVERY_MS = 60_000;

/**
 * Who holds a token. Nothing is cached: each request asks the table, so that a token revoked at one gateway has no
 * use at the next request to any of them. The configured one works without the database.
 */
@Injectable()
export class Tokens {
  readonly #configured: { readonly hash: string; usedAt: Date | null } | undefined;

  constructor(
    private readonly dataSource: DataSource,
    @InjectSections() config: Sections,
    @InjectLogger() private readonly logger: Logger,
  ) {
    const { auth } = config.gateway.api;
    if (auth.enabled && auth.token !== undefined) this.#configured = { hash: digest(auth.token), usedAt: null };
  }

  /** @returns undefined where nobody has this token, or not any more */
  async find(token: string): Promise<Caller | undefined> {
    const hash = digest(token);
    if (this.#configured !== undefined && isSame(hash, this.#configured.hash)) {
      this.#configured.usedAt = new Date();
      return { name: CONFIGURED, role: 'admin', expiresAt: null };
    }
    const row = await this.dataSource.manager.findOneBy(TokenRow, { hash });
    if (row === null || !isCurrent(row)) return undefined;
    this.#used(row);
    return { name: row.name, role: row.role, expiresAt: row.expiresAt };
  }

  /** Why `find` knows nobody of this token. Whoever holds it may hear when it ended. */
  async whyUnknown(token: string): Promise<string> {
    const row = await this.dataSource.manager.findOneBy(TokenRow, { hash: digest(token) });
    const ended = row?.expiresAt;
    return row === null || ended === undefined || ended === null
      ? 'The token is not known here: it is wrong, or it was revoked.'
      : `The token of ${row.name} expired at ${ended.toISOString()}.`;
  }

  async list(): Promise<TokenInfo[]> {
    const rows = await this.dataSource.manager.find(TokenRow, { order: { name: 'ASC' } });
    return [...(this.#configured === undefined ? [] : [configured(this.#configured.usedAt)]), ...rows.map(toInfo)];
  }

  /** @throws JobError CONFLICT */
  async create(request: TokenRequest, by: string): Promise<TokenCreated> {
    if (RESERVED.includes(request.name))
      throw new JobError('CONFLICT', `${request.name} is the name of a caller that needs no stored token.`);
    const token = newToken();
    const now = new Date();
    const row = this.dataSource.manager.create(TokenRow, {
      name: request.name,
      role: request.role,
      hash: digest(token),
      createdBy: by,
      createdAt: now,
      expiresAt:
        request.expires_in_days === undefined ? null : new Date(now.getTime() + request.expires_in_days * DAY_MS),
      lastUsedAt: null,
    });
    const made = await this.dataSource
      .createQueryBuilder()
      .insert()
      .into(TokenRow)
      .values(row)
      .orIgnore()
      .returning('name')
      .execute();
    if ((made.raw as unknown[]).length === 0)
      throw new JobError('CONFLICT', `There is a token ${request.name}; revoke it first.`);
    return { ...toInfo(row), token };
  }

  /**
   * Any row may go, also the caller's own, which may be the leaked one, and the last admin's: the configured token
   * or the socket is always left to an administrator.
   * @throws JobError NOT_FOUND, CONFLICT
   */
  async revoke(name: string): Promise<TokenInfo> {
    if (name === CONFIGURED && this.#configured !== undefined)
      throw new JobError('CONFLICT', `${name} stands in the configuration: change gateway.api.auth.token there.`);
    return this.dataSource.transaction(async (manager) => {
      const row = await manager.findOneBy(TokenRow, { name });
      if (row === null) throw new JobError('NOT_FOUND', `There is no token ${name}.`);
      await manager.delete(TokenRow, { name });
      // Another token of this name must not be told the answers that this one got.
      await manager.query('DELETE FROM idempotency_keys WHERE caller = $1', [name]);
      return toInfo(row);
    });
  }

  /** Names among these that hold no token any more. */
  async gone(callers: readonly Caller[]): Promise<Set<string>> {
    const names = [...new Set(callers.map((caller) => caller.name))].filter((name) => !RESERVED.includes(name));
    if (names.length === 0) return new Set();
    const rows = await this.dataSource.manager
      .createQueryBuilder(TokenRow, 'token')
      .where('token.name = ANY (:names)', { names })
      .getMany();
    const current = new Set(rows.filter(isCurrent).map((row) => row.name));
    return new Set(names.filter((name) => !current.has(name)));
  }

  /** Written once a minute at most, beside the request. */
  #used({ name, lastUsedAt }: TokenRow): void {
    const now = new Date();
    if (lastUsedAt !== null && now.getTime() - lastUsedAt.getTime() < USED_EVERY_MS) return;
    this.dataSource
      .query(
        `UPDATE tokens SET last_used_at = $2
         WHERE name = $1 AND (last_used_at IS NULL OR last_used_at <= $2::timestamptz - interval '1 minute')`,
        [name, now],
      )
      .catch((error: unknown) => this.logger.warn({ err: error }, 'when a token was used could not be written'));
  }
}

const isCurrent = (row: TokenRow): boolean => row.expiresAt === null || row.expiresAt.getTime() > Date.now();

// Equal lengths for any token, so that the comparison tells nothing by its time.
const isSame = (one: string, other: string): boolean => timingSafeEqual(Buffer.from(one), Buffer.from(other));

const configured = (usedAt: Date | null): TokenInfo => ({
  name: CONFIGURED,
  role: 'admin',
  created_by: 'configuration',
  created_at: null,
  expires_at: null,
  last_used_at: usedAt?.toISOString() ?? null,
});

const toInfo = (row: TokenRow): TokenInfo => ({
  name: row.name,
  role: row.role,
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
  expires_at: row.expiresAt?.toISOString() ?? null,
  last_used_at: row.lastUsedAt?.toISOString() ?? null,
});
