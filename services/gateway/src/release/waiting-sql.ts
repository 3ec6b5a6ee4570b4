// The words of the indexes: a query that says them otherwise is not answered from one.

/** Of the indexes idx_jobs_pending and idx_jobs_convertible: who comes first. */
export const ORDER = 'lane_rank, queued_at, coalesce(plan_order, 0), id';

const UNRELEASED = "status = 'pending' AND released_at IS NULL AND admitted_at IS NOT NULL";
/** Of idx_jobs_unseen: admitted, and nobody has looked at the VM. */
export const UNSEEN = `${UNRELEASED} AND machine IS NULL`;
/** Of idx_jobs_releasable: what an earlier attempt left has been cleared away. */
export const RELEASABLE = `${UNRELEASED} AND machine IS NOT NULL AND cleanup->>'status' IS DISTINCT FROM 'queued'`;
/** Of idx_jobs_released: let out, and the export has not ended. */
export const RELEASED = "status IN ('pending', 'exporting') AND released_at IS NOT NULL";

/** The time of its retry has come, and the time before which it is not to start. */
export const TIMELY =
  '(next_retry_at IS NULL OR next_retry_at <= now()) AND (not_before IS NULL OR not_before <= now())';
