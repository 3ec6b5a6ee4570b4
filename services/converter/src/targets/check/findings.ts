import {
  JobError,
  concernOf,
  type Concern,
  type ConcernCode,
  type ErrorCode,
  type Failure,
} from '@hyper2kvm/contracts';

/** What a look at a target gave: problems stop the job, concerns do not. */
export interface Findings {
  readonly problems: Failure[];
  readonly concerns: Concern[];
  problem(code: ErrorCode, message: string): void;
  concern(code: ConcernCode, message: string): void;
  /** Runs a look; its JobError is a problem. */
  look<T>(action: () => T | Promise<T>): Promise<T | undefined>;
}

export function newFindings(): Findings {
  const problems: Failure[] = [];
  const concerns: Concern[] = [];
  return {
    problems,
    concerns,
    problem: (code, message) => void problems.push(new JobError(code, message).toFailure()),
    concern: (code, message) => void concerns.push(concernOf(code, message)),
    async look(action) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof JobError)) throw error;
        problems.push(error.toFailure());
        return undefined;
      }
    },
  };
}
