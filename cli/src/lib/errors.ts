import type { Problem } from '@hyper2kvm/contracts';
import { EXIT, exitCodeOf, type ExitCode } from './exit-codes.js';
import { printable } from './format.js';

/** An error that is told to the user as it is: what happened, why, what to try. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  /** Stable, in upper case, for scripts that read --json. */
  readonly code: string;
  readonly exitCode: ExitCode;
  /** A look around may find out more. */
  why: string | undefined;
  advice: string | undefined;
  readonly jobId: string | undefined;
  traceId: string | undefined;

  constructor(
    message: string,
    details: {
      code?: string;
      exitCode?: ExitCode;
      why?: string | undefined;
      advice?: string | undefined;
      jobId?: string | undefined;
      traceId?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code ?? 'FAILED';
    this.exitCode = details.exitCode ?? EXIT.failed;
    this.why = details.why;
    this.advice = details.advice;
    this.jobId = details.jobId;
    this.traceId = details.traceId;
  }
}

/** What the user typed or configured is not right. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';
  constructor(message: string, advice?: string) {
    super(message, { code: 'USAGE', exitCode: EXIT.usage, advice });
  }
}

/** Nobody answers at the gateway's address, or somebody who is not the gateway. */
export class GatewayUnreachable extends CliError {
  override readonly name = 'GatewayUnreachable';
  constructor(url: string, why: string, cause?: unknown, advice?: string) {
    super(`the gateway at ${url} cannot be reached`, {
      code: 'GATEWAY_UNREACHABLE',
      exitCode: EXIT.unreachable,
      why,
      advice: advice ?? 'start it: hyperctl daemon start --all (or name another one: --url, HYPER2KVM_URL)',
      cause,
    });
  }
}

/** The gateway refused or failed a request and said so (problem+json). */
export class GatewayProblem extends CliError {
  override readonly name = 'GatewayProblem';
  /** @param waitSeconds after which it may be tried again, where the gateway said so */
  constructor(
    readonly problem: Problem,
    readonly waitSeconds?: number,
  ) {
    const whole = problem.detail.toLowerCase().includes(problem.title.toLowerCase());
    super(whole ? problem.detail : problem.title, {
      code: problem.code,
      exitCode: exitCodeOf(problem.code),
      why: whole || problem.detail === '' ? undefined : problem.detail,
      advice: adviceOf(problem, waitSeconds),
      jobId: jobOf(problem),
      traceId: problem.trace_id,
    });
  }
}

/** The job that it is about; its words name it where the gateway does not. */
const jobOf = ({ code, detail, job_id: job }: Problem): string | undefined =>
  job ?? (code === 'JOB_NOT_FOUND' ? undefined : /\bjob-[a-z0-9]{6,32}\b/.exec(detail)?.[0]);

function adviceOf(problem: Problem, waitSeconds: number | undefined): string | undefined {
  const { code, advice, detail } = problem;
  if (waitSeconds !== undefined && code === 'UNAUTHENTICATED') return `again in ${waitSeconds} s, with the right token`;
  if (waitSeconds !== undefined && code === 'RATE_LIMITED')
    return `again in ${waitSeconds} s; many VMs at once: hyperctl convert --batch FILE`;
  // Commands that can be copied, as far as their ids are known.
  const batch = /\bbatch-[a-z0-9]{6,32}\b/.exec(detail)?.[0];
  return advice === ''
    ? undefined
    : advice.replaceAll('<id>', jobOf(problem) ?? '<id>').replaceAll('<batch>', batch ?? '<batch>');
}

/** Lines for standard error; the first says what happened. */
export function explain(error: CliError): string[] {
  const rows: [string, string | undefined][] = [
    ['why', error.why],
    ['try', error.advice],
    ['job', error.jobId],
    ['code', error.code === 'FAILED' || error.code === 'USAGE' ? undefined : error.code],
    ['trace', error.traceId],
  ];
  return [
    // What is wrong in a file may be several things, a line each; what others wrote is one line.
    ...(error.code === 'USAGE' ? error.message.split('\n') : [error.message]).map((line, index) =>
      index === 0 ? `Error: ${printable(line)}` : printable(line),
    ),
    ...rows.flatMap(([label, value]) =>
      value === undefined || value === '' ? [] : [`  ${`${label}:`.padEnd(7)}${printable(value)}`],
    ),
  ];
}

/** The same for --json. */
export const errorDocument = (error: CliError): Record<string, unknown> => ({
  error: {
    code: error.code,
    message: error.message,
    ...(error.why === undefined ? {} : { why: error.why }),
    ...(error.advice === undefined ? {} : { advice: error.advice }),
    ...(error.jobId === undefined ? {} : { job_id: error.jobId }),
    ...(error.traceId === undefined ? {} : { trace_id: error.traceId }),
  },
});
