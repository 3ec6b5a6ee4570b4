import type { EntityManager } from 'typeorm';
import type { OutboxKind } from '../database/index.js';

export interface WaitingRow {
  readonly id: string;
  readonly jobId: string;
  readonly kind: OutboxKind;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly traceparent: string | null;
  readonly createdAt: Date;
}

/**
 * The oldest due rows, locked, in order. A row behind one of its job that another relay holds is not due: it sees that one
 * unpublished. A delayed row (a retry) does not hold up what was decided after it.
 * @param pausing jobs left out for now
 */
export async function nextRows(
  manager: EntityManager,
  limit: number,
  pausing: readonly string[],
): Promise<WaitingRow[]> {
  return manager.query<WaitingRow[]>(
    `WITH due AS MATERIALIZED (
       SELECT id, seq, job_id, kind, type, data, traceparent, created_at FROM outbox
       WHERE published_at IS NULL AND available_at <= now() AND job_id <> ALL ($2::text[])
       ORDER BY seq LIMIT $1
       FOR UPDATE SKIP LOCKED)
     SELECT id, job_id AS "jobId", kind, type, data, traceparent, created_at AS "createdAt" FROM due row
     WHERE NOT EXISTS (
       SELECT 1 FROM outbox earlier
       WHERE earlier.job_id = row.job_id AND earlier.seq < row.seq
         AND earlier.published_at IS NULL AND earlier.available_at <= now()
         AND NOT EXISTS (SELECT 1 FROM due WHERE due.id = earlier.id))
     ORDER BY seq`,
    [limit, pausing],
  );
}
