import type { EntityManager } from 'typeorm';

/** Jobs wait for times (schedules, retries) that no change announces. */
const LOOK_AGAIN_MS = 2000;

interface Seen {
  readonly signature: string;
  readonly at: number;
}
interface Row {
  /** Null: jobs of no batch. */
  readonly id: string | null;
  readonly signature: string;
}

/** Remembers how batches looked when nothing could be done for them, so that each is gone through only when it has changed. */
export class Outlook {
  readonly #seen = new Map<string | null, Seen>();

  /** Batches that are not through, and null where jobs of no batch wait, if they look otherwise than before. */
  async due(manager: EntityManager, now: Date): Promise<(string | null)[]> {
    const rows = await manager.query<Row[]>(SQL);
    const open = new Set(rows.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!open.has(id)) this.#seen.delete(id);
    const due = rows.filter(({ id, signature }) => {
      const seen = this.#seen.get(id);
      return seen?.signature !== signature || now.getTime() - seen.at >= LOOK_AGAIN_MS;
    });
    for (const { id, signature } of due) this.#seen.set(id, { signature, at: now.getTime() });
    return due.map(({ id }) => id);
  }

  forget(id: string | null): void {
    this.#seen.delete(id);
  }
}

const SQL = `
  SELECT b.id, concat_ws(' ', b.version, jobs.latest, hooks.signature) AS signature
  FROM batches b
  LEFT JOIN LATERAL (SELECT max(updated_at) AS latest FROM jobs WHERE batch_id = b.id) AS jobs ON true
  LEFT JOIN LATERAL (
    SELECT concat_ws(':', count(*), count(*) FILTER (WHERE status = 'queued')) AS signature
    FROM hooks WHERE batch_id = b.id AND NOT spent) AS hooks ON true
  WHERE b.completed_at IS NULL
  UNION ALL
  SELECT NULL, concat_ws(':', count(*), (SELECT count(*) FROM hooks WHERE batch_id IS NULL AND NOT spent AND status <> 'queued'))
  FROM jobs WHERE batch_id IS NULL AND status = 'pending' AND admitted_at IS NULL HAVING count(*) > 0`;
