import { ErrorCode, type Stats } from '@hyper2kvm/contracts';
import type { DataSource } from 'typeorm';

type Exporter = Stats['exporter'];
type Converter = Stats['converter'];
type Durations = Pick<Exporter, 'count' | 'failed' | 'mean_seconds' | 'p50_seconds' | 'p99_seconds'>;

/** PostgreSQL's bigint and numeric come as strings; our sums stay below 2^53. */
type Count = string | null;
const numberOf = (count: Count): number => Math.min(Number.MAX_SAFE_INTEGER, Number(count ?? 0));

/** Jobs created since then, by status, and their retries. */
export async function readJobs(source: DataSource, since: Date): Promise<Pick<Stats, 'jobs' | 'retries'>> {
  const rows = await source.query<{ status: string; count: Count; retries: Count }[]>(
    `SELECT status, count(*) AS count, sum(retry_count) AS retries FROM jobs WHERE created_at >= $1 GROUP BY status`,
    [since],
  );
  return {
    jobs: Object.fromEntries(rows.map(({ status, count }) => [status, numberOf(count)])),
    retries: rows.reduce((sum, { retries }) => sum + numberOf(retries), 0),
  };
}

interface AttemptsRow {
  readonly activity: 'export' | 'conversion';
  readonly count: Count;
  readonly failed: Count;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly proof_failed: Count;
  readonly bytes: Count;
  readonly capacity: Count;
  readonly seconds: number | null;
  readonly booted: Count;
}

/** Attempts that ended since then. A conversion that was to be proven and is completed has booted. */
export async function readAttempts(
  source: DataSource,
  since: Date,
): Promise<{ exporter: Exporter; converter: Converter }> {
  const rows = await source.query<AttemptsRow[]>(
    `SELECT activity, count(*) AS count, count(*) FILTER (WHERE outcome = 'failed') AS failed,
       avg(duration_seconds) FILTER (WHERE outcome = 'completed') AS mean,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE outcome = 'completed') AS p50,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE outcome = 'completed') AS p99,
       count(*) FILTER (WHERE outcome = 'failed' AND attempt.failure->>'code' = 'PROOF_FAILED') AS proof_failed,
       sum(bytes_downloaded) FILTER (WHERE outcome = 'completed') AS bytes,
       sum(total_bytes) FILTER (WHERE outcome = 'completed') AS capacity,
       sum(duration_seconds) FILTER (WHERE outcome = 'completed') AS seconds,
       count(*) FILTER (WHERE outcome = 'completed' AND options->>'verify_boot' = 'true') AS booted
     FROM job_attempts attempt JOIN jobs ON jobs.id = attempt.job_id
     WHERE ended_at >= $1 AND outcome IN ('completed', 'failed') AND activity IN ('export', 'conversion')
     GROUP BY activity`,
    [since],
  );
  const [exports, conversions] = ['export', 'conversion'].map((name) => rows.find(({ activity }) => activity === name));
  const bytes = numberOf(exports?.bytes ?? null);
  const seconds = exports?.seconds ?? 0;
  return {
    exporter: {
      ...durationsOf(exports),
      bytes_downloaded: bytes,
      capacity_bytes: numberOf(exports?.capacity ?? null),
      bytes_per_second: seconds > 0 ? bytes / seconds : null,
    },
    converter: {
      ...durationsOf(conversions),
      booted: numberOf(conversions?.booted ?? null),
      proof_failed: numberOf(conversions?.proof_failed ?? null),
    },
  };
}

const durationsOf = (row: AttemptsRow | undefined): Durations => ({
  count: numberOf(row?.count ?? null),
  failed: numberOf(row?.failed ?? null),
  mean_seconds: row?.mean ?? null,
  p50_seconds: row?.p50 ?? null,
  p99_seconds: row?.p99 ?? null,
});

/** Why attempts failed since then. Codes of other versions are left out. */
export async function readFailures(source: DataSource, since: Date): Promise<Stats['failures']> {
  const rows = await source.query<{ code: string | null; count: Count }[]>(
    `SELECT failure->>'code' AS code, count(*) AS count FROM job_attempts
     WHERE ended_at >= $1 AND outcome = 'failed' GROUP BY 1 ORDER BY count(*) DESC, 1`,
    [since],
  );
  return rows.flatMap(({ code, count }) => {
    const known = ErrorCode.safeParse(code);
    return known.success ? [{ code: known.data, count: numberOf(count) }] : [];
  });
}

export async function readDays(source: DataSource, since: Date): Promise<Stats['days']> {
  const rows = await source.query<{ day: string; completed: Count; failed: Count; bytes: Count }[]>(
    `SELECT to_char(completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
       count(*) FILTER (WHERE status = 'completed') AS completed, count(*) FILTER (WHERE status = 'failed') AS failed,
       sum(bytes_downloaded) AS bytes
     FROM jobs WHERE completed_at >= $1 AND status IN ('completed', 'failed') GROUP BY 1 ORDER BY 1`,
    [since],
  );
  return rows.map(({ day, completed, failed, bytes }) => ({
    day,
    completed: numberOf(completed),
    failed: numberOf(failed),
    bytes_downloaded: numberOf(bytes),
  }));
}
