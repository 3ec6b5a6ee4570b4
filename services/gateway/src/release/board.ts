import { JobError, type Lane } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import type { Sections } from '../config.js';
import { windowAt } from '../schedule/index.js';
import { laneOf, rankOf } from './lanes.js';
import type { Limits, Load, WaitingJob } from './planner.js';
import { ORDER, RELEASABLE, RELEASED, TIMELY } from './waiting-sql.js';

export const limitsOf = ({ gateway: { export_limits: limits } }: Sections): Limits => ({
  disksPerHost: limits.disks_per_host,
  disksPerVcenter: limits.disks_per_vcenter,
});

/** A job whose export was let out and has not ended. */
export interface ReleasedJob extends Load {
  readonly id: string;
  readonly lane: Lane;
  /** An exporter has begun. */
  readonly started: Date | null;
  readonly bytes: number;
}

/** A host, or a vCenter of VMs whose host is not known, with jobs of one window: '' where there is none. */
interface Group {
  readonly window: string;
  readonly vcenter: string;
  readonly host: string;
}

/** Whether jobs with this window may start now. */
export function isOpen(window: string, now: number): boolean {
  if (window === '') return true;
  const opening = windowAt(window, now);
  return !(opening instanceof JobError) && opening.opens <= now;
}

/** What loads hosts and vCenters now, and takes slots. */
export async function readReleased(manager: EntityManager): Promise<ReleasedJob[]> {
  const rows = await manager.query<
    {
      id: string;
      host: string | null;
      vcenter: string;
      disks: number;
      rank: number;
      started: Date | null;
      bytes: string;
    }[]
  >(
    `SELECT id, host, vcenter_key AS vcenter, jsonb_array_length(source_files) AS disks, lane_rank AS rank,
       CASE WHEN status = 'exporting' THEN coalesce(export_started_at, released_at) END AS started, total_bytes AS bytes
     FROM jobs WHERE ${RELEASED}`,
  );
  return rows.map((row) => ({
    ...loadOf(row),
    id: row.id,
    lane: laneOf(row.rank),
    started: row.started,
    bytes: Number(row.bytes),
  }));
}

/**
 * The first jobs of each host and lane that could start now, down to the lowest lane that has room: more than these cannot be
 * let out at once. Those behind them on the same host wait at least as long.
 * @param perLane how many of each host and lane
 */
export async function readHeads(manager: EntityManager, lowest: Lane, perLane: number): Promise<WaitingJob[]> {
  const now = Date.now();
  const groups = (await readGroups(manager)).filter(({ window }) => isOpen(window, now));
  if (groups.length === 0) return [];
  const rows = await manager.query<
    { id: string; host: string; vcenter: string; disks: number; rank: number; queued_at: Date; plan_order: number }[]
  >(
    `SELECT head.*, place.host, place.vcenter
     FROM unnest($1::text[], $2::text[], $3::text[]) AS place (window_key, vcenter, host),
       generate_series(0, $4::int) AS lane (rank),
       LATERAL (
         SELECT id, jsonb_array_length(source_files) AS disks, lane_rank AS rank, queued_at,
           coalesce(plan_order, 0) AS plan_order
         FROM jobs
         WHERE ${RELEASABLE} AND window_key = place.window_key AND vcenter_key = place.vcenter
           AND coalesce(host, '') = place.host AND lane_rank = lane.rank::smallint AND ${TIMELY}
         ORDER BY ${ORDER} LIMIT $5) AS head`,
    [
      groups.map((group) => group.window),
      groups.map((group) => group.vcenter),
      groups.map((group) => group.host),
      rankOf(lowest),
      perLane,
    ],
  );
  return rows.map((row) => ({
    ...loadOf(row),
    id: row.id,
    lane: laneOf(row.rank),
    queuedAt: row.queued_at,
    order: row.plan_order,
  }));
}

/** From the index, host by host: no job is read but one of each. */
function readGroups(manager: EntityManager): Promise<Group[]> {
  const columns = "window_key, vcenter_key, coalesce(host, '')";
  return manager.query<Group[]>(
    `WITH RECURSIVE place (window_key, vcenter, host) AS (
       (SELECT ${columns} FROM jobs WHERE ${RELEASABLE} ORDER BY ${columns} LIMIT 1)
       UNION ALL
       SELECT next.* FROM place, LATERAL (
         SELECT ${columns} FROM jobs
         WHERE ${RELEASABLE} AND (${columns}) > (place.window_key, place.vcenter, place.host)
         ORDER BY ${columns} LIMIT 1) AS next)
     SELECT window_key AS window, vcenter, host FROM place`,
  );
}

const loadOf = (row: { host: string | null; vcenter: string; disks: number }): Load => ({
  host: row.host === null || row.host === '' ? undefined : row.host,
  vcenter: row.vcenter === '' ? undefined : row.vcenter,
  disks: row.disks,
});
