import type { DataSource } from 'typeorm';

/** Rows of one statement: a lock is held for milliseconds. */
const CHUNK = 5000;
/** Statements of one run on one table. */
const CHUNKS = 100;

/** Rows that go by their age alone. */
export interface Aged {
  readonly table: 'outbox' | 'inbox' | 'idempotency_keys' | 'audit';
  /** Older ones go. What has no time (a message that did not leave) stays. */
  readonly column: 'published_at' | 'received_at' | 'created_at' | 'time';
  readonly before: Date;
}

export async function countAged(source: DataSource, { table, column, before }: Aged): Promise<number> {
  const [row] = await source.query<{ count: string }[]>(`SELECT count(*) AS count FROM ${table} WHERE ${column} < $1`, [
    before,
  ]);
  return Number(row?.count ?? 0);
}

/** @returns how many */
export async function removeAged(source: DataSource, { table, column, before }: Aged): Promise<number> {
  let removed = 0;
  for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
    const [, count] = await source.query<[unknown[], number]>(
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${table} WHERE ${column} < $1 ORDER BY ${column} LIMIT ${CHUNK} FOR UPDATE SKIP LOCKED))`,
      [before],
    );
    removed += count;
    if (count < CHUNK) break;
  }
  return removed;
}
