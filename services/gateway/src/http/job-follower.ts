import { isEnded, jobLog, jobProgress } from '@hyper2kvm/contracts';
import { Bus, InjectLogger, type Logger } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import type { Job } from '../database/index.js';
import { JobChanges, JobQueries } from '../jobs/index.js';
import type { EventStream } from './event-stream.js';

/** Changes made through this gateway wake at once; another gateway's are seen after this time. */
const LOOK_MS = 1000;
/** The last lines of a log may still be on their way when the job's end is known. */
const LAST_LINES_MS = 300;
const RESUME_MS = 1000;

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
    void this.#log(job.id, stream, afterLog);
    try {
      const ended = await this.#states(job, stream);
      await this.changes.wait('', LAST_LINES_MS, stream.signal);
      stream.send('end', await this.queries.describe(ended));
    } catch (error) {
      // The client comes back by itself, as EventSource does.
      if (!stream.signal.aborted) this.logger.warn({ err: error, job_id: job.id }, 'a follower was let go');
    } finally {
      stream.end();
    }
  }

  /** Sends each change of the row; the row with which the job ended. */
  async #states(first: Job, stream: EventStream): Promise<Job> {
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
      stream.send('job', await this.queries.describe(job));
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
    return this.#again(stream, async () => {
      for await (const { data } of this.bus.follow(jobProgress, id, { from: 'last', signal: stream.signal })) {
        stream.send('progress', data);
      }
    });
  }

  #log(id: string, stream: EventStream, after: number): Promise<void> {
    let seen = after;
    return this.#again(stream, async () => {
      const options = { from: 'all', signal: stream.signal, ...(seen === 0 ? {} : { afterSeq: seen }) } as const;
      for await (const { data, seq } of this.bus.follow(jobLog, id, options)) {
        seen = seq;
        stream.send('log', data, String(seq));
      }
    });
  }

  /** A consumer that broke (NATS restarted) is made anew while the client is there. */
  async #again(stream: EventStream, follow: () => Promise<void>): Promise<void> {
    while (!stream.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        this.logger.debug({ err: error }, 'following is resumed');
      }
      await this.changes.wait('', RESUME_MS, stream.signal);
    }
  }
}
