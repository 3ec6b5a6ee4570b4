import type { JobLog, JobLogsQuery } from '@hyper2kvm/contracts';
import { wantedBy } from './log-query.js';

/** What the stream keeps of one job (LOGS in libs/contracts/src/streams.ts). */
export const MOST_LINES = 10_000;

/** Reads a log from its beginning, and knows whether lines were dropped there by the limits of its stream. */
export class LogReading {
  #first: JobLog | undefined;
  #seen = 0;
  #wanted = 0;
  readonly #isWanted: (line: JobLog) => boolean;

  constructor(
    private readonly jobId: string,
    query: JobLogsQuery,
    /** Sequence of the last line that the reader has; 0 for none. */
    private readonly after: number,
  ) {
    this.#isWanted = wantedBy(query);
  }

  readonly wanted = (line: JobLog): boolean => {
    this.#first ??= line;
    this.#seen += 1;
    const is = this.#isWanted(line);
    if (is) this.#wanted += 1;
    return is;
  };

  /** A line that says so, to stand before the others; none where it is not the beginning that is shown. @param shown how many lines are */
  notice(shown: number): JobLog | undefined {
    const first = this.#first;
    if (first === undefined || this.after > 0 || shown < this.#wanted) return undefined;
    if ((first.number ?? 1) === 1 && this.#seen < MOST_LINES) return undefined;
    const message = `Older lines of this log are not kept any more: of one job ${MOST_LINES.toLocaleString('en')} are, of all jobs 10,000,000`;
    return { job_id: this.jobId, time: first.time, level: 'warn', phase: first.phase, message };
  }
}
