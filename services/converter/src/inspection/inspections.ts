import { JobError, type DiskInspection, inspectDisks as question } from '@hyper2kvm/contracts';
import type { ConverterSettings } from '../work.js';
import { inspectDisks, type DisksQuestion } from './inspect-disks.js';

/** Below the time that the question is given: the answer says what happened. */
const LIMIT_MS = question.timeoutMs - 10_000;

/** Answers `converter.inspect-disks`, one at a time: each takes more than 1 GiB of memory and two cores. */
export class Inspections {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly settings: ConverterSettings) {}

  /** @throws JobError see `inspectDisks`; NO_WORKER when it takes longer than whoever asked waits */
  async answer(asked: DisksQuestion): Promise<DiskInspection> {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const answer = this.last.then(() => {
      signal.throwIfAborted();
      return inspectDisks(asked, this.settings, signal);
    });
    this.last = answer.catch(() => undefined);
    try {
      return await answer;
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new JobError('NO_WORKER', `the disks could not be looked into within ${LIMIT_MS / 1000} s`);
    }
  }
}
