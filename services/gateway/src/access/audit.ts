import type { AuditEntry, AuditList, AuditQuery } from '@hyper2kvm/contracts';
import { InjectLogger, traceId, type Logger } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { AuditRow } from '../database/index.js';
import type { AuthenticatedRequest } from '../http/caller.js';
import { decodeOffset, encodeOffset } from '../jobs/cursor.js';
import { auditedRequest } from './audited-request.js';
import type { Operation } from './operation.js';
import { isOverSocket } from './socket-requests.js';

/** Behind a proxy an address is what the proxy says. */
const MAX_ADDRESS = 64;
const MAX_PATH = 512;
const MAX_TARGET = 256;

/**
 * Who asked for which change, and what became of it. It fails closed: the row is written before anything is done, and
 * where it cannot be written, nothing is done. Its outcome is written before the answer leaves; a row without one is
 * of a gateway that ended in between. What was refused before it began has one row, with its outcome.
 */
@Injectable()
export class Audit {
  readonly #begun = new WeakMap<AuthenticatedRequest, string>();

  constructor(
    private readonly dataSource: DataSource,
    @InjectLogger() private readonly logger: Logger,
  ) {}

  /** @throws Error where the row cannot be written: the change must not be made */
  async begin(request: AuthenticatedRequest, operation: Operation): Promise<void> {
    const [row] = await this.#insert(request, operation.name, operation, null, null);
    if (row !== undefined) this.#begun.set(request, row.seq);
  }

  /** Never fails: what was done is done. */
  async end(request: AuthenticatedRequest, operation: Operation, reply: FastifyReply, payload: unknown): Promise<void> {
    const { code, target } = answered(reply.statusCode, payload);
    const seq = this.#begun.get(request);
    try {
      if (seq === undefined) {
        const action = request.caller === undefined ? 'login' : operation.name;
        await this.#insert(request, action, operation, reply.statusCode, code);
      } else {
        await this.dataSource.query(
          'UPDATE audit SET status = $2, code = $3, target = coalesce(target, $4) WHERE seq = $1',
          [seq, reply.statusCode, code, target],
        );
      }
    } catch (error) {
      this.logger.error(
        { err: error, action: operation.name, status: reply.statusCode },
        'the outcome of a request could not be written into the audit',
      );
    }
  }

  async list(query: AuditQuery): Promise<AuditList> {
    const select = this.dataSource.manager
      .createQueryBuilder(AuditRow, 'audit')
      .orderBy('audit.seq', 'DESC')
      // One more tells whether there is a next page.
      .limit(query.limit + 1);
    for (const key of ['caller', 'action', 'target'] as const)
      if (query[key] !== undefined) select.andWhere(`audit.${key} = :${key}`, { [key]: query[key] });
    if (query.since !== undefined) select.andWhere('audit.time >= :since', { since: new Date(query.since) });
    if (query.until !== undefined) select.andWhere('audit.time < :until', { until: new Date(query.until) });
    if (query.cursor !== undefined) select.andWhere('audit.seq < :seq', { seq: decodeOffset(query.cursor) });
    const rows = await select.getMany();
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      entries: page.map(toEntry),
      next_cursor: rows.length > query.limit && last !== undefined ? encodeOffset(Number(last.seq)) : null,
    };
  }

  #insert(
    request: AuthenticatedRequest,
    action: string,
    operation: Operation,
    status: number | null,
    code: string | null,
  ): Promise<{ seq: string }[]> {
    const { caller } = request;
    const params = Object.values((request.params ?? {}) as Record<string, string>);
    return this.dataSource.query(
      `INSERT INTO audit (caller, role, address, action, method, path, target, status, code, request, trace_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING seq`,
      [
        caller?.name ?? 'unknown',
        caller?.role ?? null,
        isOverSocket(request.raw) ? null : storable(request.ip, MAX_ADDRESS),
        action,
        request.method,
        storable(pathOf(request.url), MAX_PATH),
        params[0] === undefined ? null : storable(params[0], MAX_TARGET),
        status,
        code,
        // Whoever is not let in does not fill the table with what he likes.
        caller === undefined ? null : auditedRequest(operation.route.body, request.body),
        traceId() ?? null,
      ],
    );
  }
}

/** What the answer names: the problem's code, or what was made. */
function answered(status: number, payload: unknown): { code: string | null; target: string | null } {
  const body = typeof payload === 'string' ? parsed(payload) : {};
  if (status >= 400) return { code: text(body['code']), target: null };
  const made = [body['job_id'], body['batch_id'], body['id'], body['name']].map(text).find((word) => word !== null);
  return { code: null, target: made ?? null };
}

const text = (value: unknown): string | null => (typeof value === 'string' ? storable(value, MAX_TARGET) : null);

function parsed(payload: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const pathOf = (url: string): string => url.split('?')[0] ?? '';
/** PostgreSQL keeps no NUL in a text. */
const storable = (value: string, limit: number): string => value.replaceAll('\0', '').slice(0, limit);

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.seq,
    time: row.time.toISOString(),
    caller: row.caller,
    role: row.role,
    address: row.address,
    action: row.action,
    method: row.method,
    path: row.path,
    target: row.target,
    status: row.status,
    code: row.code,
    request: row.request,
    trace_id: row.traceId,
  };
}
