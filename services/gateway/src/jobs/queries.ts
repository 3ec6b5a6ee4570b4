import {
  conversionRequested,
  exportRequested,
  isEnded,
  jobProgress,
  JobError,
  type JobDetail,
  type JobList,
  type JobListQuery,
  type JobProgress,
} from '@hyper2kvm/contracts';
import { Bus, CommandQueue, LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Job } from '../database/index.js';
import { decodeCursor, encodeCursor } from './cursor.js';
import { toDetail, toSummary } from './projection.js';

/** What the API tells of jobs: rows, with what the bus knows of those under way. */
@Injectable()
export class JobQueries {
  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly queue: CommandQueue,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws JobError JOB_NOT_FOUND */
  async row(id: string): Promise<Job> {
    const job = await this.dataSource.manager.findOneBy(Job, { id });
    if (job === null) throw new JobError('JOB_NOT_FOUND', `There is no job ${id}.`);
    return job;
  }

  async list(query: JobListQuery): Promise<JobList> {
    const select = this.dataSource.manager
      .createQueryBuilder(Job, 'job')
      .orderBy('job.created_at', 'DESC')
      .addOrderBy('job.id', 'DESC')
      // One more tells whether there is a next page.
      .limit(query.limit + 1);
    if (query.status !== undefined) select.andWhere('job.status = ANY (:status)', { status: query.status });
    if (query.vm !== undefined) select.andWhere('job.vm_name = :vm', { vm: query.vm });
    if (query.cursor !== undefined) {
      const { createdAt, id } = decodeCursor(query.cursor);
      select.andWhere('(job.created_at, job.id) < (:createdAt::timestamptz, :id)', { createdAt, id });
    }
    const rows = await select.getMany();
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      jobs: await Promise.all(page.map(async (job) => toSummary(job, await this.#running(job)))),
      next_cursor: rows.length > query.limit && last !== undefined ? encodeCursor(last) : null,
    };
  }

  async detail(id: string): Promise<JobDetail> {
    return this.describe(await this.row(id));
  }

  async describe(job: Job): Promise<JobDetail> {
    const [progress, queuePosition] = await Promise.all([this.#progress(job), this.#position(job)]);
    return toDetail(job, { progress, queuePosition });
  }

  /** Jobs by status. */
  async counts(): Promise<Record<string, number>> {
    const rows = await this.dataSource.query<{ status: string; count: string }[]>(
      'SELECT status, count(*) AS count FROM jobs GROUP BY status',
    );
    return Object.fromEntries(rows.map((row) => [row.status, Number(row.count)]));
  }

  #running(job: Job): Promise<JobProgress | undefined> {
    return isEnded(job.status) || job.status === 'pending' ? Promise.resolve(undefined) : this.#progress(job);
  }

  /** An answer without progress is better than none while the bus is away. */
  async #progress(job: Job): Promise<JobProgress | undefined> {
    if (job.status === 'completed' || job.status === 'pending') return undefined;
    return this.#orUndefined('progress', () => this.bus.last(jobProgress, job.id));
  }

  async #position(job: Job): Promise<number | null> {
    const waiting = job.status === 'pending' || (job.status === 'exported' && job.conversionStatus === 'queued');
    if (!waiting) return null;
    const command = job.status === 'pending' ? exportRequested : conversionRequested;
    return (await this.#orUndefined('queue position', () => this.queue.position(command, job.id))) ?? null;
  }

  async #orUndefined<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    if (this.bus.status() !== 'connected') return undefined;
    try {
      return await ask();
    } catch (error) {
      this.logger.debug({ err: error }, `the ${what} is not known now`);
      return undefined;
    }
  }
}
