import type { Attempt, Failure } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';

/** What became known of one try of a phase or of a task. */
export interface AttemptNews {
  readonly jobId: string;
  readonly activity: Attempt['activity'];
  readonly attempt: number;
  readonly outcome: Attempt['outcome'];
  readonly worker?: string;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly durationSeconds?: number;
  readonly failure?: Failure;
  readonly errorFile?: string;
}

/** Adds to the rows of these tries. News may overtake each other: an end stays the end, and a start does not undo it. */
export async function writeAttempts(manager: EntityManager, news: readonly AttemptNews[]): Promise<void> {
  if (news.length === 0) return;
  const rows = news.map((one) => ({
    job_id: one.jobId,
    activity: one.activity,
    attempt: one.attempt,
    outcome: one.outcome,
    worker: one.worker ?? null,
    started_at: one.startedAt?.toISOString() ?? null,
    ended_at: one.endedAt?.toISOString() ?? null,
    duration_seconds: one.durationSeconds ?? null,
    failure: one.failure ?? null,
    error_file: one.errorFile ?? null,
  }));
  await manager.query(
    `INSERT INTO job_attempts AS old
       (job_id, activity, attempt, worker, started_at, ended_at, outcome, duration_seconds, failure, error_file)
     SELECT job_id, activity, attempt, worker, started_at, ended_at, outcome, duration_seconds, failure, error_file
     FROM jsonb_to_recordset($1::jsonb) AS row (job_id text, activity text, attempt integer, worker text,
       started_at timestamptz, ended_at timestamptz, outcome text, duration_seconds float8, failure jsonb, error_file text)
     ON CONFLICT (job_id, activity, attempt) DO UPDATE SET
       worker = coalesce(EXCLUDED.worker, old.worker),
       started_at = coalesce(EXCLUDED.started_at, old.started_at),
       outcome = CASE
         WHEN old.ended_at IS NOT NULL OR (old.outcome = 'running' AND EXCLUDED.outcome = 'queued') THEN old.outcome
         ELSE EXCLUDED.outcome END,
       ended_at = coalesce(old.ended_at, EXCLUDED.ended_at),
       duration_seconds = coalesce(old.duration_seconds, EXCLUDED.duration_seconds),
       failure = coalesce(old.failure, EXCLUDED.failure),
       error_file = coalesce(old.error_file, EXCLUDED.error_file)`,
    [JSON.stringify(rows)],
  );
}

/** Ends the tries of these activities that are not over: nobody waits for them any more. */
export async function cancelAttempts(
  manager: EntityManager,
  jobIds: readonly string[],
  activities: readonly Attempt['activity'][],
): Promise<void> {
  if (jobIds.length === 0) return;
  await manager.query(
    `UPDATE job_attempts SET outcome = 'cancelled', ended_at = clock_timestamp()
     WHERE job_id = ANY ($1::text[]) AND activity = ANY ($2::text[]) AND ended_at IS NULL`,
    [jobIds, activities],
  );
}
