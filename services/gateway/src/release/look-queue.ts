import type { EntityManager } from 'typeorm';
import { isOpen } from './board.js';
import { openWindows } from './queue.js';
import { ORDER, RELEASABLE, TIMELY, UNSEEN } from './waiting-sql.js';

/** A job whose VM nobody has looked at yet. */
export interface Unseen {
  readonly id: string;
  /** '' of local files. */
  readonly vcenter: string;
  readonly rank: number;
  /** As text: to the microsecond. */
  readonly queued: string;
  /** Among jobs that were queued together. */
  readonly place: number;
}

interface Group {
  readonly window: string;
  readonly vcenter: string;
}

/**
 * The first jobs of each vCenter that could be looked at now, in the order of the queue.
 * @param limit of each vCenter
 * @param skip ids that are being looked at, or pause
 * @param targets whether a converter is there: without one, VMs that are to go to a libvirt would be asked for in vain
 */
export async function readUnseen(
  manager: EntityManager,
  limit: number,
  skip: readonly string[],
  targets: boolean,
): Promise<Unseen[]> {
  const now = Date.now();
  const groups = (await readGroups(manager)).filter(({ window }) => isOpen(window, now));
  if (groups.length === 0) return [];
  return manager.query<Unseen[]>(
    `SELECT head.id, place.vcenter, lane_rank AS rank, queued_at::text AS queued, coalesce(plan_order, 0) AS place
     FROM unnest($1::text[], $2::text[]) AS place (window_key, vcenter),
       LATERAL (
         SELECT id, lane_rank, queued_at, plan_order FROM jobs
         WHERE ${UNSEEN} AND window_key = place.window_key AND vcenter_key = place.vcenter AND ${TIMELY}
           AND id <> ALL ($3::text[])
           AND ($5::boolean OR NOT (options @> '{"auto_convert": true, "to_libvirt": true}'))
         ORDER BY ${ORDER} LIMIT $4) AS head
     ORDER BY ${ORDER}`,
    [groups.map(({ window }) => window), groups.map(({ vcenter }) => vcenter), skip, limit, targets],
  );
}

/** From the index, one job of each vCenter and window. */
function readGroups(manager: EntityManager): Promise<Group[]> {
  const columns = 'window_key, vcenter_key';
  return manager.query<Group[]>(
    `WITH RECURSIVE place (window_key, vcenter) AS (
       (SELECT ${columns} FROM jobs WHERE ${UNSEEN} ORDER BY ${columns} LIMIT 1)
       UNION ALL
       SELECT next.* FROM place, LATERAL (
         SELECT ${columns} FROM jobs WHERE ${UNSEEN} AND (${columns}) > (place.window_key, place.vcenter)
         ORDER BY ${columns} LIMIT 1) AS next)
     SELECT window_key AS window, vcenter FROM place`,
  );
}

/**
 * How many that were looked at could be released before this one: no more than `most` are counted. Those that wait for their
 * window, maybe until tomorrow, keep nobody from being looked at.
 */
export async function seenBefore(manager: EntityManager, job: Unseen, most: number): Promise<number> {
  const rows = await manager.query<unknown[]>(
    `SELECT 1 FROM jobs
     WHERE ${RELEASABLE} AND ${TIMELY} AND (${ORDER}) < ($1::smallint, $2::timestamptz, $3::int, $4::text)
       AND window_key = ANY ($6::text[])
     ORDER BY ${ORDER} LIMIT $5`,
    [job.rank, job.queued, job.place, job.id, most, await openWindows(manager)],
  );
  return rows.length;
}
