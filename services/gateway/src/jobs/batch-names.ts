import { jobCancelled, jobCompleted, jobFailed } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import type { Outgoing } from '../outbox/index.js';

const ENDS = new Set<string>([jobCompleted, jobFailed, jobCancelled].map(({ type }) => type));

const batchOf = ({ type, data }: Outgoing): unknown => (ENDS.has(type) ? data['batch_id'] : undefined);

interface Addressed {
  readonly message: Outgoing;
}

/** Ends of jobs with the names of their batches, by which rules of notifications choose them. */
export async function withBatchNames<Message extends Addressed>(
  manager: EntityManager,
  messages: readonly Message[],
): Promise<readonly Message[]> {
  const ids = [...new Set(messages.map(({ message }) => batchOf(message)).filter((id) => id !== undefined))];
  if (ids.length === 0) return messages;
  const rows = await manager.query<{ id: string; name: string | null }[]>(
    'SELECT id, name FROM batches WHERE id = ANY ($1)',
    [ids],
  );
  const names = new Map(rows.map(({ id, name }): [unknown, string | null] => [id, name]));
  return messages.map((addressed) => {
    const { message } = addressed;
    const name = names.get(batchOf(message)) ?? undefined;
    return name === undefined
      ? addressed
      : { ...addressed, message: { ...message, data: { ...message.data, batch_name: name } } };
  });
}
