import { JOB_STATUSES, LANES, type Lane } from '@hyper2kvm/contracts';
import { scraped, sharedState } from '@hyper2kvm/runtime';
import type { DataSource } from 'typeorm';
import { TIMELY } from '../release/waiting-sql.js';

type Count = string | number;
type Seconds = number | null;

/** What the database says of jobs and messages now: the same to every gateway. Ages in seconds. */
export interface DatabaseFigures {
  readonly jobs: ReadonlyMap<string, number>;
  readonly waiting: Readonly<Record<'export' | 'conversion', Readonly<Record<Lane, number>>>>;
  /** Exports that wait for room: they are not in the queue yet. */
  readonly held: Readonly<Record<Lane, number>>;
  readonly waitingOldest: Readonly<Record<'export' | 'conversion', number>>;
  readonly runningOldest: Readonly<Record<'export' | 'conversion', number>>;
  readonly outbox: { readonly pending: number; readonly oldest: number };
  readonly orphans: number;
  readonly bytes: number;
}

interface WaitingRow {
  readonly lane: number;
  readonly waiting: Count;
  readonly held: Count;
  readonly oldest: Seconds;
}

const age = (since: string): string => `extract(epoch FROM now() - ${since})::float8`;

/** From idx_jobs_status alone. */
const JOBS = 'SELECT status, count(*) AS count FROM jobs GROUP BY status';
/** From idx_jobs_pending alone. What nothing planned (a batch, a window, a pause before a retry) holds back has an age. */
const PENDING = `SELECT lane_rank AS lane, count(*) AS waiting, count(*) FILTER (WHERE released_at IS NULL) AS held,
    ${age(`min(greatest(queued_at, admitted_at, not_before, next_retry_at))
      FILTER (WHERE admitted_at IS NOT NULL AND ${TIMELY} AND (window_key = '' OR released_at IS NOT NULL))`)} AS oldest
  FROM jobs WHERE status = 'pending' GROUP BY lane_rank`;
/** By idx_jobs_convertible. */
const CONVERTIBLE = `SELECT lane_rank AS lane, count(*) AS waiting, 0 AS held,
    ${age(`min(greatest(queued_at, next_retry_at)) FILTER (WHERE ${TIMELY})`)} AS oldest
  FROM jobs WHERE status = 'exported' AND conversion_status = 'queued' GROUP BY lane_rank`;
/** By idx_jobs_status: these are as many as there are slots. */
const RUNNING = `SELECT ${age("min(export_started_at) FILTER (WHERE status = 'exporting')")} AS export,
    ${age("min(conversion_started_at) FILTER (WHERE status = 'converting')")} AS conversion
  FROM jobs WHERE status IN ('exporting', 'converting')`;
/** By idx_outbox_unpublished. A message that leaves later does not wait yet. */
const OUTBOX = `SELECT count(*) AS pending, ${age('min(greatest(created_at, available_at))')} AS oldest
  FROM outbox WHERE published_at IS NULL AND available_at <= now()`;
/** By idx_jobs_uncleared. Local files have no snapshots, and those of files alone are gone from vCenter. */
const ORPHANS = `SELECT count(*) AS count FROM jobs
  WHERE cleanup->>'status' IN ('queued', 'failed') AND vcenter_key <> '' AND status NOT IN ('pending', 'exporting')
    AND cleanup->>'files_only' IS DISTINCT FROM 'true'
    AND (cleanup->>'status' = 'failed' OR coalesce(completed_at, export_completed_at) < now() - interval '1 hour')`;
/** What a scrape asks of the table of jobs: each by an index, however many there are. */
export const JOB_QUESTIONS: readonly string[] = [JOBS, PENDING, CONVERTIBLE, RUNNING, ORPHANS];
const SIZE = 'SELECT pg_database_size(current_database()) AS bytes';

/** One after the other, over one connection of the pool: scrapes never crowd out what jobs need. */
export async function readDatabase(source: DataSource): Promise<DatabaseFigures> {
  const runner = source.createQueryRunner();
  const ask = async <Row>(sql: string): Promise<Row[]> => (await runner.query(sql)) as Row[];
  try {
    const jobs = await ask<{ status: string; count: Count }>(JOBS);
    const pending = await ask<WaitingRow>(PENDING);
    const convertible = await ask<WaitingRow>(CONVERTIBLE);
    const [running] = await ask<{ export: Seconds; conversion: Seconds }>(RUNNING);
    const [outbox] = await ask<{ pending: Count; oldest: Seconds }>(OUTBOX);
    const [orphans] = await ask<{ count: Count }>(ORPHANS);
    const [size] = await ask<{ bytes: Count }>(SIZE);
    return {
      jobs: new Map(jobs.map(({ status, count }) => [status, Number(count)])),
      waiting: { export: byLane(pending, 'waiting'), conversion: byLane(convertible, 'waiting') },
      held: byLane(pending, 'held'),
      waitingOldest: { export: oldestOf(pending), conversion: oldestOf(convertible) },
      runningOldest: { export: positive(running?.export), conversion: positive(running?.conversion) },
      outbox: { pending: Number(outbox?.pending ?? 0), oldest: positive(outbox?.oldest) },
      orphans: Number(orphans?.count ?? 0),
      bytes: Number(size?.bytes ?? 0),
    };
  } finally {
    await runner.release();
  }
}

/** The clocks of several machines meet here. */
const positive = (seconds: Seconds | undefined): number => Math.max(0, seconds ?? 0);
const oldestOf = (rows: readonly WaitingRow[]): number => Math.max(0, ...rows.map(({ oldest }) => positive(oldest)));
const byLane = (rows: readonly WaitingRow[], what: 'waiting' | 'held'): Record<Lane, number> => {
  const of = (lane: Lane): number => Number(rows.find((row) => LANES[row.lane] === lane)?.[what] ?? 0);
  return { high: of('high'), normal: of('normal'), low: of('low') };
};

interface Pool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** Shows the figures at scrapes. @returns asks for them */
export function exposeDatabase(source: DataSource): () => Promise<DatabaseFigures> {
  const ask = sharedState(() => readDatabase(source));
  const phases = ['export', 'conversion'] as const;
  scraped('hyper2kvm_database_up', 'Whether the database answers', [], async (put) =>
    ask().then(
      () => put(1),
      () => put(0),
    ),
  );
  scraped('hyper2kvm_database_size_bytes', 'Size of the database', [], async (put) => put((await ask()).bytes));
  scraped(
    'hyper2kvm_database_connections',
    "Connections of this gateway's pool, and requests for one",
    ['state'],
    (put) => {
      const { totalCount, idleCount, waitingCount } = (source.driver as unknown as { master: Pool }).master;
      put(idleCount, { state: 'idle' });
      put(totalCount - idleCount, { state: 'busy' });
      put(waitingCount, { state: 'waiting' });
    },
  );
  scraped('hyper2kvm_jobs', 'Jobs by status', ['status'], async (put) => {
    const { jobs } = await ask();
    for (const status of JOB_STATUSES) put(jobs.get(status) ?? 0, { status });
  });
  scraped(
    'hyper2kvm_waiting_jobs',
    'Jobs that wait for a phase, whatever holds them',
    ['phase', 'priority'],
    async (put) => {
      const { waiting } = await ask();
      for (const phase of phases) for (const priority of LANES) put(waiting[phase][priority], { phase, priority });
    },
  );
  scraped(
    'hyper2kvm_waiting_oldest_seconds',
    'How long the job has waited that waits longest for a phase, of those that could begin; 0 where there is none',
    ['phase'],
    async (put) => {
      const { waitingOldest } = await ask();
      for (const phase of phases) put(waitingOldest[phase], { phase });
    },
  );
  scraped(
    'hyper2kvm_running_oldest_seconds',
    'How long the attempt has run that runs longest; 0 where there is none',
    ['phase'],
    async (put) => {
      const { runningOldest } = await ask();
      for (const phase of phases) put(runningOldest[phase], { phase });
    },
  );
  scraped('hyper2kvm_outbox_pending', 'Messages that are written and not published yet', [], async (put) =>
    put((await ask()).outbox.pending),
  );
  scraped('hyper2kvm_outbox_oldest_seconds', 'Age of the oldest message that is not published yet', [], async (put) =>
    put((await ask()).outbox.oldest),
  );
  scraped(
    'hyper2kvm_snapshots_orphaned',
    'Snapshots of ended jobs whose clean-up failed or waits for an hour',
    [],
    async (put) => put((await ask()).orphans),
  );
  return ask;
}
