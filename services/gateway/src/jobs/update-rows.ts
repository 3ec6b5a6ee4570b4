import type { EntityManager } from 'typeorm';
import { Job } from '../database/index.js';
import type { RowPatch } from './decision.js';

/** Another change came in between; the caller starts again from the new row. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict';
}

/** What becomes of a row that has this version now. */
export interface RowUpdate {
  readonly job: Pick<Job, 'id' | 'version'>;
  readonly patch: RowPatch;
}

/**
 * Changes rows that still have their version, which rises. Those with the same columns go in one statement.
 * @throws VersionConflict
 */
export async function updateRows(manager: EntityManager, updates: readonly RowUpdate[]): Promise<void> {
  const groups = new Map<string, Record<string, unknown>[]>();
  const { columns } = manager.connection.getMetadata(Job);
  const names = new Map(columns.map(({ propertyName, databaseName }) => [propertyName, databaseName]));
  for (const { job, patch } of updates) {
    const changed = Object.entries(patch).filter(([, value]) => value !== undefined);
    const row = Object.fromEntries(changed.map(([property, value]) => [names.get(property) ?? property, value]));
    const key = Object.keys(row).toSorted().join(' ');
    groups.set(key, [...(groups.get(key) ?? []), { ...row, id: job.id, version: job.version + 1 }]);
  }
  for (const rows of groups.values()) {
    const set = Object.keys(rows[0] ?? {})
      .filter((column) => column !== 'id')
      .map((column) => `"${column}" = new."${column}"`);
    const [, written] = await manager.query<[unknown, number]>(
      `UPDATE jobs SET ${set.join(', ')} FROM jsonb_populate_recordset(NULL::jobs, $1::jsonb) AS new
       WHERE jobs.id = new.id AND jobs.version = new.version - 1`,
      [JSON.stringify(rows)],
    );
    if (written !== rows.length)
      throw new VersionConflict(`${rows.map(({ id }) => String(id)).join(', ')}: changed since they were read`);
  }
}
