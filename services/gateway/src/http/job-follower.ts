import { isEnded, jobLog, jobProgress, type JobDetail, type JobLogsQuery } from '@hyper2kvm/contracts';
import { Bus, InjectLogger, type Logger } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import type { Job } from '../database/index.js';
import { JobChanges, JobQueries } from '../jobs/index.js';
import { again } from './again.js';
import type { EventStream } from './event-stream.js';
import { wantedBy } from './log-query.js';
import { LogReading, MOST_LINES } from './log-reading.js';
import { LogTail, type TailTools } from './log-tail.js';

/** Changes made through this gateway wake at once; another gateway's are seen after this time. */
const LOOK_MS = 1000;
/** What programs print is for who asks for it: `logs?level=debug`. */
const isSentence = wantedBy({ level: 'info' });

/** Tells a client all that happens to one job, until it ended. */
@Injectable()
export class JobFollower {
  constructor(
    private readonly bus: Bus,
    private readonly queries: JobQueries,
    private readonly changes: JobChanges,
    @InjectLogger() private readonly logger: Logger,
  ) {}

  /** @param afterLog sequence of the last log line that the client has (its Last-Event-ID) */
  async follow(job: Job, stream: EventStream, afterLog: number): Promise<void> {
    stream.send('job', await this.queries.describe(job));
    void this.#progress(job.id, stream);
    const tail = new LogTail(this.#tools, job.id, stream, { after: afterLog, wanted: isSentence });
    await this.#toTheEnd(job, stream, tail, (detail) => stream.send('job', detail));
  }

  /**
   * The lines that are asked for, then the new ones as they come.
   * @param after sequence of the last line that the client has: nothing behind it is left out then
   */
  async followLog(job: Job, stream: EventStream, query: JobLogsQuery, after: number): Promise<void> {
    const reading = new LogReading(job.id, query, after);
    const limit = after === 0 ? query.tail : MOST_LINES;
    const { wanted } = reading;
    const lines = await this.bus.range(jobLog, job.id, { limit, afterSeq: after, wanted }).catch(() => []);
    const notice = reading.notice(lines.length);
    if (notice !== undefined) stream.send('log', notice);
    for (const { data, seq } of lines) stream.send('log', data, String(seq));
    // Without a line there is nothing to go on from: what comes is told by the tail, from the client's place on.
    const tail = new LogTail(this.#tools, job.id, stream, {
      after: lines.at(-1)?.seq ?? after,
      wanted: wantedBy(query),
    });
    await this.#toTheEnd(job, stream, tail, () => {});
  }

  async #toTheEnd(job: Job, stream: EventStream, tail: LogTail, changed: (job: JobDetail) => void): Promise<void> {
    void tail.run();
    try {
      const ended = await this.#states(job, stream, changed);
      await tail.drained();
      stream.send('end', await this.queries.describe(ended));
    } catch (error) {
      // The client comes back by itself, as EventSource does.
      if (!stream.signal.aborted) this.logger.warn({ err: error, job_id: job.id }, 'a follower was let go');
    } finally {
      stream.end();
    }
  }

  /** Sends each change of the row; the row with which the job ended. */
  async #states(first: Job, stream: EventStream, changed: (job: JobDetail) => void): Promise<Job> {
    let job = first;
    let reason = await this.#reason(job, null);
    while (!isEnded(job.status)) {
      await this.changes.wait(job.id, LOOK_MS, stream.signal);
      stream.signal.throwIfAborted();
      const now = await this.#look(job);
      // Jobs before it come and go without a change of its own row.
      const before = reason;
      reason = await this.#reason(now, before);
      if (now.version === job.version && reason === before) continue;
      job = now;
      changed(await this.queries.describe(job));
    }
    return job;
  }

  /** While the database restarts, the follower waits for it. */
  async #look(job: Job): Promise<Job> {
    try {
      return await this.queries.row(job.id);
    } catch (error) {
      this.logger.debug({ err: error, job_id: job.id }, 'a look at the job failed');
      return job;
    }
  }

  async #reason(job: Job, before: string | null): Promise<string | null> {
    try {
      return await this.queries.waitingReason(job);
    } catch (error) {
      this.logger.debug({ err: error, job_id: job.id }, 'why the job waits cannot be told now');
      return before;
    }
  }

  #progress(id: string, stream: EventStream): Promise<void> {
    return again({ ...this.#tools, signal: stream.signal }, async () => {
      for await (const { data } of this.bus.follow(jobProgress, id, { from: 'last', signal: stream.signal })) {
        stream.send('progress', data);
      }
    });
  }

  get #tools(): TailTools {
    const { bus, changes, logger } = this;
    return { bus, changes, logger };
  }
}
