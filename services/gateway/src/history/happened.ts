import type { EntityManager } from 'typeorm';

/** Something that happened to a job: a line of its timeline. */
export interface Happened {
  /** `export.completed`, `conversion.requested`, `request.cancel` … */
  readonly event: string;
  /** Left out: now. Of a worker's fact, by the worker's clock. */
  readonly time?: Date;
  readonly attempt?: number;
  /** The worker, or who asked. */
  readonly by?: string;
  /** A plain sentence. */
  readonly message: string;
}

export interface HappenedTo {
  readonly jobId: string;
  readonly happened: Happened;
}

/** Writes lines of the timelines of jobs, in this order, in one statement. */
export async function writeEvents(manager: EntityManager, lines: readonly HappenedTo[]): Promise<void> {
  if (lines.length === 0) return;
  const rows = lines.map(({ jobId, happened }, place) => ({
    place,
    job_id: jobId,
    event: happened.event,
    time: happened.time?.toISOString() ?? null,
    attempt: happened.attempt ?? null,
    by: happened.by ?? null,
    message: happened.message,
  }));
  await manager.query(
    `INSERT INTO job_events (job_id, event, time, attempt, by, message)
     SELECT job_id, event, coalesce(time, clock_timestamp()), attempt, by, message
     FROM jsonb_to_recordset($1::jsonb)
       AS row (place int, job_id text, event text, time timestamptz, attempt integer, by text, message text)
     ORDER BY place`,
    [JSON.stringify(rows)],
  );
}
