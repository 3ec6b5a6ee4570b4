import type { EntityManager } from 'typeorm';

/** Bytes of a batch. */
export interface Sizes {
  readonly downloaded: number;
  /** Of the VMs that were looked at. */
  readonly capacity: number;
  /** Still to fetch. A VM that nobody has looked at yet counts like the average of the others. */
  readonly unexportedBytes: number;
  /** VMs whose conversion is still to come, or runs. */
  readonly unconverted: number;
}

interface Row {
  readonly downloaded: number;
  readonly capacity: number;
  readonly known: number;
  readonly unseen: number;
  readonly average: number;
  readonly unconverted: number;
}

export async function readSizes(manager: EntityManager, batchId: string): Promise<Sizes> {
  const rows = await manager.query<Row[]>(
    `SELECT coalesce(sum(bytes_downloaded), 0)::float8 AS downloaded,
       coalesce(sum(total_bytes), 0)::float8 AS capacity,
       coalesce(sum(total_bytes) FILTER (WHERE status IN ('pending', 'exporting')), 0)::float8 AS known,
       count(*) FILTER (WHERE status = 'pending' AND machine IS NULL)::int AS unseen,
       coalesce(avg(total_bytes) FILTER (WHERE machine IS NOT NULL), 0)::float8 AS average,
       count(*) FILTER (WHERE status IN ('pending', 'exporting', 'exported', 'converting')
         AND NOT (status = 'exported' AND conversion_status IS NULL))::int AS unconverted
     FROM jobs WHERE batch_id = $1`,
    [batchId],
  );
  const [{ downloaded, capacity, known, unseen, average, unconverted } = NOTHING] = rows;
  return { downloaded, capacity, unexportedBytes: known + unseen * average, unconverted };
}

const NOTHING: Row = { downloaded: 0, capacity: 0, known: 0, unseen: 0, average: 0, unconverted: 0 };
