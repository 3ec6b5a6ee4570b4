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
 * The oldest due row of each job, locked. A row behind one that another relay holds is not due: it sees that one unpublished.
 * A delayed row (a retry) does not hold up what was decided after it.
 * @param pausing ids left out for now
 */
export async function nextRows(
  manager: EntityManager,
  limit: number,
  pausing: readonly string[],
): Promise<WaitingRow[]> {
  return manager.query<WaitingRow[]>(
    `SELECT id, job_id AS "jobId", kind, type, data, traceparent, created_at AS "createdAt" FROM outbox row
     WHERE published_at IS NULL AND available_at <= now() AND NOT (id = ANY ($2::uuid[]))
       AND NOT EXISTS (
         SELECT 1 FROM outbox earlier
         WHERE earlier.job_id = row.job_id AND earlier.seq < row.seq
           AND earlier.published_at IS NULL AND earlier.available_at <= now())
     ORDER BY seq LIMIT $1
     FOR UPDATE OF row SKIP LOCKED`,
    [limit, pausing],
  );
}
