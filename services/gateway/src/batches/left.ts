import type { EntityManager } from 'typeorm';

/** Ids of the jobs of a batch that are not through: those that were let in first, then in the order of the plan. */
export async function leftOf(manager: EntityManager, batchId: string, limit?: number): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM jobs WHERE batch_id = $1 AND status IN ('pending', 'exporting', 'exported', 'converting')
       AND NOT (status = 'exported' AND conversion_status IS NULL)
     ORDER BY admitted_at IS NULL, plan_order LIMIT $2`,
    [batchId, limit ?? null],
  );
  return rows.map(({ id }) => id);
}
