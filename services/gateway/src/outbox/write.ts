import { randomUUID } from 'node:crypto';
import { traceparent } from '@hyper2kvm/runtime';
import type { EntityManager } from 'typeorm';
import type { Outgoing } from './outgoing.js';

/** A message, and whose order it keeps: that of its job, batch or hook. */
export interface Addressed {
  readonly id: string;
  readonly message: Outgoing;
  /** Of the span from which it follows. Default: the active one. */
  readonly traceparent?: string | undefined;
}

/** In order: `seq` is what the relay goes by. The caller holds the row that the id names, or has just made it. */
export const writeOutbox = (manager: EntityManager, id: string, messages: readonly Outgoing[]): Promise<void> =>
  writeOutboxOfMany(
    manager,
    messages.map((message) => ({ id, message })),
  );

/** The same of many, in one statement. */
export async function writeOutboxOfMany(manager: EntityManager, messages: readonly Addressed[]): Promise<void> {
  if (messages.length === 0) return;
  const active = traceparent() ?? null;
  const rows = messages.map(({ id, message, traceparent: from }, place) => ({
    place,
    id: randomUUID(),
    job_id: id,
    kind: message.kind,
    type: message.type,
    data: message.data,
    traceparent: from ?? active,
    available_at: message.availableAt?.toISOString() ?? null,
  }));
  await manager.query(
    `INSERT INTO outbox (id, job_id, kind, type, data, traceparent, available_at)
     SELECT id, job_id, kind, type, data, traceparent, coalesce(available_at, now())
     FROM jsonb_to_recordset($1::jsonb)
       AS row (place int, id uuid, job_id text, kind text, type text, data jsonb, traceparent text, available_at timestamptz)
     ORDER BY place`,
    [JSON.stringify(rows)],
  );
}
