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
  type Lane,
  type RetryAllRequest,
} from '@hyper2kvm/contracts';
import { Bus, CommandQueue, LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { Job } from '../database/index.js';
import { limitsOf, readBoard } from '../release/board.js';
import { plan } from '../release/planner.js';
import { decodeCursor, encodeCursor } from './cursor.js';
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
    private readonly bus: Bus,
    private readonly queue: CommandQueue,
    @InjectSections() private readonly config: Sections,
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
    const [progress, queuePosition, waitingReason] = await Promise.all([
      hasProgress(job) ? this.progress(job) : undefined,
      this.#position(job),
      this.waitingReason(job),
    ]);
    return toDetail(job, { progress, queuePosition, waitingReason });
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
  async waitingReason(job: Job): Promise<string | null> {
    if (job.status !== 'pending' || job.releasedAt !== null) return null;
    if (isClearing(job)) return 'what the last attempt left is cleared away first';
    const { waiting, running } = await readBoard(this.dataSource.manager);
    return plan(waiting, running, limitsOf(this.config)).reasons.get(job.id) ?? null;
  }

  /** The newest that workers said. An answer without progress is better than none while the bus is away. */
  async progress(job: Job): Promise<JobProgress | undefined> {
    return this.#orUndefined('progress', () => this.bus.last(jobProgress, job.id));
  }

  async #position(job: Job): Promise<number | null> {
    const waiting = job.status === 'pending' || (job.status === 'exported' && job.conversionStatus === 'queued');
    if (!waiting || (job.status === 'pending' && job.releasedAt === null)) return null;
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
