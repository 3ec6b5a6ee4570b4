import { ERRORS, JobError, type Problem } from '@hyper2kvm/contracts';
import { isAway, traceId } from '@hyper2kvm/runtime';
import { HttpException } from '@nestjs/common';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** An error as RFC 9457 says; `expected` false means a defect or an outage that belongs into the log. */
export interface ProblemAnswer {
  readonly problem: Problem;
  readonly expected: boolean;
}

const urn = (code: string): string => `urn:hyper2kvm:problem:${code.toLowerCase().replaceAll('_', '-')}`;
const trace = (): { trace_id?: string } => {
  const id = traceId();
  return id === undefined ? {} : { trace_id: id };
};

export function problemOf(error: unknown): ProblemAnswer {
  if (error instanceof JobError) return { problem: fromJobError(error), expected: error.code !== 'INTERNAL' };
  if (isDatabaseAway(error)) {
    const detail = 'The database cannot be reached now. Try again in a moment.';
    return { problem: { ...fromJobError(new JobError('INTERNAL', detail)), status: 503 }, expected: false };
  }
  if (isAway(error)) {
    const detail = 'NATS cannot be reached now, or its JetStream is not ready. Try again in a moment.';
    return { problem: { ...fromJobError(new JobError('INTERNAL', detail)), status: 503 }, expected: false };
  }
  const status = clientStatus(error);
  if (status !== undefined) return { problem: fromStatus(status, error as Error), expected: true };
  const detail = "An unexpected error. The gateway's log has the details.";
  return { problem: fromJobError(new JobError('INTERNAL', detail)), expected: false };
}

function fromJobError(error: JobError): Problem {
  const { status, title, advice } = ERRORS[error.code];
  return { type: urn(error.code), title, status, detail: error.message, code: error.code, advice, ...trace() };
}

const TITLES: Readonly<Record<number, string>> = {
  404: 'no such address',
  413: 'the request is too large',
  414: 'the address is too long',
  415: 'the request is no JSON',
};

/** Nest's own refusals (no such route) and Fastify's (not JSON, too large, wrong content type). */
function clientStatus(error: unknown): number | undefined {
  const status =
    error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function fromStatus(status: number, error: Error): Problem {
  const code = status === 404 ? 'NOT_FOUND' : 'BAD_REQUEST';
  const title = TITLES[status] ?? ERRORS.BAD_REQUEST.title;
  return { type: urn(code), title, status, detail: error.message, code, advice: 'See /openapi.json.', ...trace() };
}

const CONNECTION_CODES = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|57P0[123]|08\d{3})$/;
function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && CONNECTION_CODES.test(code)) return true;
  return /^(Connection terminated|timeout exceeded when trying to connect)/.test(error.message);
}
