import {
  isEnded,
  JobError,
  type JobDetail,
  type JobList,
  type JobListQuery,
  type JobProgress,
  type Lane,
  type RetryAllRequest,
} from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Job } from '../database/index.js';
import { Waiting } from '../release/index.js';
import { encodeCursor } from './cursor.js';
import { selectJobs } from './select-jobs.js';
import { ProgressBoard } from './progress-board.js';
import { toDetail, toSummary } from './projection.js';

const isClearing = (job: Job): boolean => job.cleanup?.status === 'queued';
const isImported = (job: Job): boolean => job.libvirtImport?.status === 'queued';
const hasProgress = (job: Job): boolean =>
  isClearing(job) || isImported(job) || (job.status !== 'completed' && job.status !== 'pending');

/** What the API tells of jobs: rows, with what the bus knows of those under way. */
@Injectable()
export class JobQueries {
  constructor(
    private readonly dataSource: DataSource,
    private readonly board: ProgressBoard,
    private readonly waiting: Waiting,
  ) {}

  /** @throws JobError JOB_NOT_FOUND */
  async row(id: string): Promise<Job> {
    const job = await this.dataSource.manager.findOneBy(Job, { id });
    if (job === null) throw new JobError('JOB_NOT_FOUND', `There is no job ${id}.`);
    return job;
  }

  async list(query: JobListQuery): Promise<JobList> {
    const { limit } = query;
    const rows = await selectJobs(this.dataSource.manager, query).getMany();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      jobs: await Promise.all(page.map(async (job) => toSummary(job, await this.#running(job)))),
      next_cursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null,
    };
  }

  async isBatch(id: string): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>('SELECT 1 FROM batches WHERE id = $1', [id]);
    return rows.length > 0;
  }

  /** Ids of failed jobs that meet all conditions, oldest first. */
  async failed({ batch, tag, since, code }: Omit<RetryAllRequest, 'options'>): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `SELECT id FROM jobs WHERE status = 'failed'
         AND ($1::text IS NULL OR batch_id = $1) AND ($2::jsonb IS NULL OR tags @> $2)
         AND ($3::timestamptz IS NULL OR created_at >= $3) AND ($4::text IS NULL OR failure->>'code' = $4)
       ORDER BY created_at, id`,
      [batch ?? null, tag === undefined ? null : JSON.stringify([tag]), since ?? null, code ?? null],
    );
    return rows.map(({ id }) => id);
  }

  async detail(id: string): Promise<JobDetail> {
    return this.describe(await this.row(id));
  }

  async describe(job: Job): Promise<JobDetail> {
    const [progress, { position, reason, estimatedStart }] = await Promise.all([
      hasProgress(job) ? this.progress(job) : undefined,
      this.waiting.waitingOf(job),
    ]);
    return toDetail(job, { progress, queuePosition: position, waitingReason: reason, estimatedStart });
  }

  /** Jobs by status. */
  async counts(): Promise<Record<string, number>> {
    const rows = await this.dataSource.query<{ status: string; count: string }[]>(
      'SELECT status, count(*) AS count FROM jobs GROUP BY status',
    );
    return Object.fromEntries(rows.map((row) => [row.status, Number(row.count)]));
  }

  /** Exports that wait for room, by lane: they are not in the queue yet. */
  async held(): Promise<Record<Lane, number>> {
    const rows = await this.dataSource.query<{ priority: Lane; count: string }[]>(
      "SELECT priority, count(*) AS count FROM jobs WHERE status = 'pending' AND released_at IS NULL GROUP BY priority",
    );
    const held = { high: 0, normal: 0, low: 0 };
    for (const row of rows) held[row.priority] = Number(row.count);
    return held;
  }

  #running(job: Job): Promise<JobProgress | undefined> {
    const running = !isEnded(job.status) && job.status !== 'pending';
    return running || isClearing(job) ? this.progress(job) : Promise.resolve(undefined);
  }

  /** Why a pending job is not in the queue; null of every other. */
  waitingReason(job: Job): Promise<string | null> {
    return this.waiting.reasonOf(job);
  }

  /** The newest that workers said. */
  progress(job: Job): Promise<JobProgress | undefined> {
    return this.board.latest(job.id);
  }
}
