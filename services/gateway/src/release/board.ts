import type { Lane } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import type { Sections } from '../config.js';
import type { Limits, Load, WaitingJob } from './planner.js';

export const limitsOf = ({ gateway: { export_limits: limits } }: Sections): Limits => ({
  disksPerHost: limits.disks_per_host,
  disksPerVcenter: limits.disks_per_vcenter,
});

/** All jobs that matter to a release. */
export interface Board {
  readonly waiting: WaitingJob[];
  readonly running: Load[];
}

interface Row {
  readonly id: string;
  readonly host: string | null;
  readonly vcenter: string | null;
  readonly disks: number;
  readonly priority: Lane;
  readonly created_at: Date;
  readonly released: boolean;
}

/**
 * Released jobs whose export has not ended, and pending ones that could start. Those that wait for the time of their retry, or
 * for the removal of what an earlier attempt left, could not.
 */
export async function readBoard(manager: EntityManager): Promise<Board> {
  const rows = await manager.query<Row[]>(
    `SELECT id, host, CASE WHEN source->>'kind' = 'vsphere' THEN vcenter_server END AS vcenter,
       jsonb_array_length(source_files) AS disks, priority, created_at, released_at IS NOT NULL AS released
     FROM jobs
     WHERE status IN ('pending', 'exporting')
       AND (released_at IS NOT NULL
         OR ((next_retry_at IS NULL OR next_retry_at <= now()) AND cleanup->>'status' IS DISTINCT FROM 'queued'))`,
  );
  return {
    waiting: rows
      .filter((row) => !row.released)
      .map((row) => ({ ...loadOf(row), id: row.id, lane: row.priority, createdAt: row.created_at })),
    running: rows.filter((row) => row.released).map((row) => loadOf(row)),
  };
}

const loadOf = (row: Row): Load => ({
  host: row.host ?? undefined,
  vcenter: row.vcenter === null ? undefined : sameVcenter(row.vcenter),
  disks: row.disks,
});

/** One vCenter may be written in several ways. */
const sameVcenter = (server: string): string => server.toLowerCase().replace(/:443$/, '');
