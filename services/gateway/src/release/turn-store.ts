import type { EntityManager } from 'typeorm';
import type { TurnState } from './turns.js';

const of = (value: string | undefined): number => Number(value ?? 0);

/** Whose turn it is. The caller holds the lock of the release. */
export async function readTurn(manager: EntityManager): Promise<TurnState> {
  const [row] = await manager.query<Record<'picks' | 'guarded' | 'high' | 'normal' | 'low', string>[]>(
    'SELECT picks, guarded, high, normal, low FROM release_turn',
  );
  return {
    picks: of(row?.picks),
    guarded: of(row?.guarded),
    served: { high: of(row?.high), normal: of(row?.normal), low: of(row?.low) },
  };
}

export async function writeTurn(manager: EntityManager, { picks, guarded, served }: TurnState): Promise<void> {
  await manager.query('UPDATE release_turn SET picks = $1, guarded = $2, high = $3, normal = $4, low = $5', [
    picks,
    guarded,
    served.high,
    served.normal,
    served.low,
  ]);
}
