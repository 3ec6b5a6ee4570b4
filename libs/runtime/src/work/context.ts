import { setMaxListeners } from 'node:events';
import { BaseRpcContext } from '@nestjs/microservices';
import {
  jobLog,
  jobProgress,
  type Activity,
  type EventData,
  type EventDefinition,
  type JobLog,
  type JobProgress,
} from '@hyper2kvm/contracts';
import type { Bus } from '../bus/bus.js';
import type { Lease } from '../claims/lease.js';
import { LeaseLost } from '../claims/lease.js';
import type { Logger } from '../telemetry/logger.js';
import { context } from '../telemetry/tracing.js';
import { isPassing } from '../bus/passing.js';
import type { OutputSink } from '../process/output.js';
import { JobLogLines, type LogFields } from './log-lines.js';

/** At most four a second reach the bus. */
const PROGRESS_MS = 250;
const PUBLISH_PAUSE_MS = 500;
const PUBLISH_TRIES = 120;

/** Why work was told to stop; the settle rules go by it. */
export type StopKind = 'cancelled' | 'lease lost' | 'shutdown';

/** The reason of an aborted `work.signal`. */
export class WorkStopped extends Error {
  override readonly name = 'WorkStopped';
  constructor(readonly kind: StopKind) {
    super(`the work was stopped: ${kind}`);
  }
}

export type ProgressUpdate = Omit<JobProgress, 'job_id' | 'attempt' | 'time'>;

/** What a command's handler gets beside its data. */
export class WorkContext extends BaseRpcContext<[]> implements OutputSink {
  readonly #stop = new AbortController();
  #waiting: ProgressUpdate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastSent = Number.NEGATIVE_INFINITY;
  #last: ProgressUpdate | undefined;
  #logs: Promise<unknown> = Promise.resolve();
  readonly #lines = new JobLogLines();
  #step: string | undefined;
  #closed = false;
  /** Of the job's trace: who stops the work does so from elsewhere. */
  readonly #trace = context.active();

  constructor(
    private readonly options: {
      readonly bus: Bus;
      readonly lease: Lease;
      readonly logger: Logger;
      readonly jobId: string;
      readonly phase: Activity;
      readonly workerId: string;
    },
  ) {
    super([]);
    // One listener per disk, request and child process is no leak.
    setMaxListeners(0, this.#stop.signal);
  }

  get jobId(): string {
    return this.options.jobId;
  }
  get attempt(): number {
    return this.options.lease.attempt;
  }
  /** Rises each time a worker takes the lease: whatever is written lies below a folder that carries it. */
  get epoch(): number {
    return this.options.lease.epoch;
  }
  get workerId(): string {
    return this.options.workerId;
  }
  /** Aborts with a WorkStopped: cancelled, lease lost, or shutdown. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** @internal */
  stop(kind: StopKind): void {
    if (!this.#stop.signal.aborted) context.with(this.#trace, () => this.#stop.abort(new WorkStopped(kind)));
  }

  /**
   * To be awaited right before anything that cannot be undone (a commit, a promotion, Complete): asks the record. While NATS is
   * away it waits.
   * @throws WorkStopped when the job is another worker's by now, or is to stop
   */
  async assertOwner(): Promise<void> {
    for (;;) {
      this.signal.throwIfAborted();
      try {
        await this.options.lease.renew();
        return;
      } catch (error) {
        if (error instanceof LeaseLost) {
          this.stop(error.cancelled ? 'cancelled' : 'lease lost');
          throw this.signal.reason;
        }
        if (!isPassing(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, PUBLISH_PAUSE_MS));
      }
    }
  }

  /** Newest wins; a change of phase or step, a disk that is done and 100 % always pass. */
  progress(update: ProgressUpdate): void {
    if (this.#closed) return;
    const marks = (value: ProgressUpdate | undefined): string =>
      `${value?.phase}/${value?.step}/${value?.steps_completed}/${value?.percent_complete === 100}/${value?.disks?.filter((disk) => disk.state === 'done').length}`;
    const important = marks(update) !== marks(this.#last);
    this.#last = update;
    const due = this.#lastSent + PROGRESS_MS - performance.now();
    if (important || due <= 0) {
      this.#sendProgress(update);
    } else {
      this.#waiting = update;
      this.#timer ??= setTimeout(() => {
        if (this.#waiting) this.#sendProgress(this.#waiting);
      }, due);
    }
  }

  #sendProgress(update: ProgressUpdate): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = undefined;
    // Past its deadline another worker may have the job: what it tells must not be overwritten.
    if (!this.options.lease.valid && !this.options.lease.cancelled) return;
    this.#lastSent = performance.now();
    this.options.bus.send(jobProgress, this.jobId, {
      ...update,
      job_id: this.jobId,
      attempt: this.attempt,
      time: new Date().toISOString(),
    });
  }

  /**
   * A line of the job's log: a plain sentence for the user. In order, and kept until NATS has it. More than some thousands of
   * them are not kept, which the log says itself.
   */
  log(level: JobLog['level'], message: string, fields: LogFields = {}): void {
    // A hook has no log: what it says is in its fact.
    if (this.options.phase === 'hook') return;
    for (const line of this.#lines.add(level, message, fields)) this.#tell(line);
  }

  /** From here on, until the next one, programs that are started print for this step. */
  enterStep(step: string | undefined): void {
    this.#step = step;
  }

  /** @internal A line that a program printed. */
  output(source: string, line: string): void {
    if (!this.#closed) this.log('debug', line, { source, ...(this.#step === undefined ? {} : { step: this.#step }) });
  }

  #tell({ level, message, ...fields }: Pick<JobLog, 'level' | 'message' | 'number' | keyof LogFields>): void {
    const { number: _, course: __, ...logged } = fields;
    this.options.logger[level]({ job_id: this.jobId, attempt: this.attempt, ...logged }, message);
    const line: JobLog = {
      job_id: this.jobId,
      attempt: this.attempt,
      time: new Date().toISOString(),
      level,
      phase: this.options.phase,
      message,
      worker: this.workerId,
      ...fields,
    };
    this.#logs = this.#logs
      .then(() => this.#publish(jobLog, line))
      .catch((error: unknown) => {
        if (!(error instanceof LeaseLost))
          this.options.logger.warn(
            { err: error, job_id: this.jobId, attempt: this.attempt },
            "a line of the job's log was lost",
          );
      });
  }

  /** Emits a fact of this job, such as `export.started`; repeats itself while NATS is away. */
  async publish<D extends EventDefinition>(event: D, data: EventData<D>): Promise<void> {
    await this.#publish(event, data, `${this.options.phase}:${this.jobId}:${this.attempt}:${this.epoch}:${event.name}`);
  }

  async #publish<D extends EventDefinition>(event: D, data: EventData<D>, eventId?: string): Promise<void> {
    const id = eventId ?? `${this.jobId}:${process.pid}:${performance.now()}`;
    const { lease } = this.options;
    for (let tries = 0; ; tries += 1) {
      try {
        // Nothing is said for a job that may be another's by now; one that was cancelled is nobody's.
        if (!lease.valid && !lease.cancelled) await lease.renew();
        await this.options.bus.publish(event, this.jobId, data, { eventId: id });
        return;
      } catch (error) {
        if (tries >= PUBLISH_TRIES || !isPassing(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, PUBLISH_PAUSE_MS));
      }
    }
  }

  /** @internal Sends what still waits. */
  async flush(): Promise<void> {
    if (this.#waiting) this.#sendProgress(this.#waiting);
    await this.#logs;
  }

  /** @internal After the end nothing more is told, whatever the handler left running. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
