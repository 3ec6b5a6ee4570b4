import { jobLog, type JobLog } from '@hyper2kvm/contracts';
import { Bus, type Logger } from '@hyper2kvm/runtime';
import type { JobChanges } from '../jobs/index.js';
import type { EventStream } from './event-stream.js';
import { again } from './again.js';

/** The last lines of a log may still be on their way to the bus when the job's end is known. */
const LAST_LINES_MS = 300;
/** A client that reads slowly gets the rest of a long log within this time. */
const REST_MS = 20_000;
const LOOK_MS = 50;

export interface TailTools {
  readonly bus: Bus;
  readonly changes: JobChanges;
  readonly logger: Logger;
}

/** The log of one job on its way to one client. */
export class LogTail {
  #seen: number;

  constructor(
    private readonly tools: TailTools,
    private readonly jobId: string,
    private readonly stream: EventStream,
    private readonly options: {
      /** Sequence of the last line that the client has. */
      readonly after: number;
      readonly wanted?: (line: JobLog) => boolean;
    },
  ) {
    this.#seen = options.after;
  }

  /** Sends each line as it comes, until the client is gone. */
  run(): Promise<void> {
    const { tools, stream } = this;
    return again({ ...tools, signal: stream.signal }, async () => {
      const options = { from: 'all', afterSeq: this.#seen, signal: stream.signal } as const;
      for await (const { data, seq } of tools.bus.follow(jobLog, this.jobId, options)) {
        if (this.options.wanted?.(data) ?? true) stream.send('log', data, String(seq));
        this.#seen = seq;
      }
    });
  }

  /** After the job's end: resolves when its last line was sent. */
  async drained(): Promise<void> {
    const { bus, changes } = this.tools;
    const { signal } = this.stream;
    await changes.wait('', LAST_LINES_MS, signal);
    const last = await bus.place(jobLog, this.jobId).catch(() => 0);
    const limit = performance.now() + REST_MS;
    while (this.#seen < last && performance.now() < limit && !signal.aborted) await changes.wait('', LOOK_MS, signal);
  }
}
