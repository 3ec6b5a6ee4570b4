import type { EntityManager } from 'typeorm';
import type { JobRow } from '../database/index.js';
import { isOpen } from './board.js';
import { rankOf } from './lanes.js';
import { ORDER, RELEASABLE, TIMELY } from './waiting-sql.js';

/** Whether a pending job may start now, as far as its batch and its times go. */
export type Eligibility = 'eligible' | 'held';

/** What starts before a job. */
export interface Ahead {
  readonly jobs: number;
  /** Of these: still waiting for a slot of an exporter. */
  readonly unreleased: number;
  /** Of their disks, as far as they are known. */
  readonly bytes: number;
  /** Of these: nobody has looked at their VM. */
  readonly unseen: number;
}

const BEFORE = `(${ORDER}) < ($1::smallint, $2::timestamptz, $3::int, $4::text)`;
const own = (job: JobRow): unknown[] => [rankOf(job.priority), job.queuedAt, job.planOrder ?? 0, job.id];

/**
 * Jobs that wait for their export and come before this one. Those that are held by their batch or their times do not start before
 * one that is not.
 */
export async function exportsAhead(
  manager: EntityManager,
  job: JobRow,
  eligibility: Eligibility,
  windows: readonly string[],
): Promise<Ahead> {
  const [row] = await manager.query<Record<'jobs' | 'unreleased' | 'bytes' | 'unseen', string>[]>(
    `SELECT count(*) AS jobs, count(*) FILTER (WHERE released_at IS NULL) AS unreleased,
       coalesce(sum(total_bytes), 0) AS bytes, count(*) FILTER (WHERE total_bytes = 0) AS unseen
     FROM jobs WHERE status = 'pending' AND ${BEFORE}
       AND ($5::boolean OR (admitted_at IS NOT NULL AND ${TIMELY} AND window_key = ANY ($6::text[])))`,
    [...own(job), eligibility === 'held', windows],
  );
  return {
    jobs: Number(row?.jobs ?? 0),
    unreleased: Number(row?.unreleased ?? 0),
    bytes: Number(row?.bytes ?? 0),
    unseen: Number(row?.unseen ?? 0),
  };
}

/** How many wait for their conversion and come before this one. */
export async function conversionsAhead(manager: EntityManager, job: JobRow): Promise<number> {
  const [row] = await manager.query<{ jobs: string }[]>(
    `SELECT count(*) AS jobs FROM jobs WHERE status = 'exported' AND conversion_status = 'queued' AND ${BEFORE}`,
    own(job),
  );
  return Number(row?.jobs ?? 0);
}

/** A host, or the whole vCenter. */
export interface QueuePlace {
  readonly vcenter: string;
  /** Undefined: the whole vCenter; '': VMs whose host is not known. */
  readonly host: string | undefined;
}

const waitsAt = ({ host }: QueuePlace): string =>
  `${RELEASABLE} AND ${TIMELY} AND window_key = ANY ($5::text[]) AND vcenter_key = $6
   ${host === undefined ? 'AND $7::text IS NULL' : "AND coalesce(host, '') = $7"}`;

/** How many that were looked at wait for a place before this one. */
export async function aheadAt(
  manager: EntityManager,
  job: JobRow,
  place: QueuePlace,
  windows: readonly string[],
): Promise<number> {
  const [row] = await manager.query<{ jobs: string }[]>(
    `SELECT count(*) AS jobs FROM jobs WHERE ${waitsAt(place)} AND ${BEFORE}`,
    [...own(job), windows, place.vcenter, place.host ?? null],
  );
  return Number(row?.jobs ?? 0);
}

/** The first jobs that wait for a place, in their order. */
export function firstAt(
  manager: EntityManager,
  place: QueuePlace,
  windows: readonly string[],
  most: number,
): Promise<{ id: string; disks: number }[]> {
  return manager.query(
    `SELECT id, jsonb_array_length(source_files) AS disks FROM jobs
     WHERE ${RELEASABLE} AND ${TIMELY} AND window_key = ANY ($1::text[]) AND vcenter_key = $2 AND coalesce(host, '') = $3
     ORDER BY ${ORDER} LIMIT $4`,
    [windows, place.vcenter, place.host ?? '', most],
  );
}

/** The windows of jobs that wait and are open now; '' stands for none. */
export async function openWindows(manager: EntityManager): Promise<string[]> {
  const rows = await manager.query<{ key: string }[]>(
    `WITH RECURSIVE known (key) AS (
       (SELECT window_key FROM jobs WHERE status = 'pending' AND window_key <> '' ORDER BY window_key LIMIT 1)
       UNION ALL
       SELECT (SELECT window_key FROM jobs WHERE status = 'pending' AND window_key <> '' AND window_key > known.key
         ORDER BY window_key LIMIT 1) FROM known WHERE known.key IS NOT NULL)
     SELECT key FROM known WHERE key IS NOT NULL`,
  );
  const now = Date.now();
  return ['', ...rows.map(({ key }) => key).filter((key) => isOpen(key, now))];
}
