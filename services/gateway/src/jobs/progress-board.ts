import { jobProgress, type JobProgress } from '@hyper2kvm/contracts';
import { Bus, LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

/** Jobs whose progress is kept; the one that was silent longest goes first. */
const KEPT = 10_000;
const AGAIN_MS = 1000;

/**
 * The newest progress of each job, as it comes over the bus: an answer about many jobs asks nobody. The stream keeps the last
 * message of each, so that a gateway that starts knows as much as one that runs.
 */
@Injectable()
export class ProgressBoard implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #latest = new Map<string, JobProgress>();
  readonly #stop = new AbortController();
  /** Whether what is not here may be on the bus all the same. */
  #incomplete = true;

  constructor(
    private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    void this.#run();
  }

  beforeApplicationShutdown(): void {
    this.#stop.abort();
  }

  /** Undefined where no worker has told any, or where it cannot be known now. */
  async latest(jobId: string): Promise<JobProgress | undefined> {
    const known = this.#latest.get(jobId);
    if (known !== undefined || !this.#incomplete || this.bus.status() !== 'connected') return known;
    try {
      return await this.bus.last(jobProgress, jobId);
    } catch (error) {
      this.logger.debug({ err: error, job_id: jobId }, 'the progress is not known now');
      return undefined;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let afterSeq = 0;
    while (!signal.aborted) {
      try {
        const { last_seq: there, messages } = (await this.bus.jsm.streams.info(jobProgress.stream)).state;
        // A bus that lost its data counts from 1 again.
        if (there < afterSeq) afterSeq = 0;
        this.#incomplete = messages > 0 && afterSeq < there;
        for await (const { data, seq } of this.bus.follow(jobProgress, '>', { from: 'all', afterSeq, signal })) {
          afterSeq = seq;
          this.#keep(data);
          if (seq >= there && this.#latest.size < KEPT) this.#incomplete = false;
        }
      } catch (error) {
        this.logger.debug({ err: error }, 'the progress of jobs is followed again in a moment');
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref());
    }
  }

  #keep(progress: JobProgress): void {
    // The last place is that of the newest.
    this.#latest.delete(progress.job_id);
    this.#latest.set(progress.job_id, progress);
    if (this.#latest.size <= KEPT) return;
    this.#incomplete = true;
    for (const oldest of this.#latest.keys()) {
      this.#latest.delete(oldest);
      return;
    }
  }
}
