import type { EntityManager } from 'typeorm';

/** True the first time that this consumer sees this event. */
export async function receive(manager: EntityManager, consumer: string, eventId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    'INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING event_id',
    [consumer, eventId],
  );
  return rows.length === 1;
}
