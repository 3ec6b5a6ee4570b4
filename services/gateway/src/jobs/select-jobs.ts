import type { JobListQuery } from '@hyper2kvm/contracts';
import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { Job } from '../database/index.js';
import { decodeCursor } from './cursor.js';

/** What a summary is made of: the long columns stay where they are. */
const SUMMARY_COLUMNS = [
  ...(['id', 'vmName', 'vcenterServer', 'status', 'phase', 'priority', 'tags', 'requestedBy'] as const),
  ...(['retryCount', 'error', 'createdAt', 'updatedAt', 'completedAt', 'batchId', 'wave'] as const),
  ...(['cleanup', 'exportAttempt', 'conversionAttempt', 'cleanupAttempt'] as const),
] satisfies (keyof Job)[];

/**
 * A page of jobs, newest first, and one more that tells whether there is a next page.
 * @throws JobError BAD_REQUEST for a cursor that is none
 */
export function selectJobs(manager: EntityManager, query: JobListQuery): SelectQueryBuilder<Job> {
  const { status, vm, tag, batch, since, cursor, limit } = query;
  const select = manager
    .createQueryBuilder(Job, 'job')
    .select(SUMMARY_COLUMNS.map((column) => `job.${column}`))
    .orderBy('job.createdAt', 'DESC')
    .addOrderBy('job.id', 'DESC')
    .limit(limit + 1);
  // A single one is read from its index in this order.
  if (status?.length === 1) select.andWhere('job.status = :one', { one: status[0] });
  else if (status !== undefined) select.andWhere('job.status = ANY (:status)', { status });
  if (vm !== undefined) select.andWhere('job.vmName = :vm', { vm });
  if (tag !== undefined) select.andWhere('job.tags @> :tag::jsonb', { tag: JSON.stringify([tag]) });
  if (batch !== undefined) select.andWhere('job.batchId = :batch', { batch });
  if (since !== undefined) select.andWhere('job.createdAt >= :since::timestamptz', { since });
  if (cursor !== undefined) {
    const { createdAt, id } = decodeCursor(cursor);
    select.andWhere('(job.createdAt, job.id) < (:createdAt::timestamptz, :id)', { createdAt, id });
  }
  return select;
}
