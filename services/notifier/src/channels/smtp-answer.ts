import type { Outcome } from './channel.js';

/** The part of nodemailer's error that is read here. `permanent` is set where the server answered 5xx (503 excepted). */
export interface SmtpError {
  readonly message: string;
  readonly code?: string | undefined;
  readonly command?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly permanent?: boolean | undefined;
  readonly recipient?: string | undefined;
  readonly rejectedErrors?: readonly SmtpError[] | undefined;
}

/** Of what nodemailer says when the message went out for some. */
export interface SmtpAnswer {
  readonly response?: string | undefined;
  readonly rejectedErrors?: readonly SmtpError[] | undefined;
}

/** No conversation came about, or it broke off: so it is for the next message, too. */
const UNREACHED = new Set(['ECONNECTION', 'ETIMEDOUT', 'ESOCKET', 'EDNS', 'ETLS', 'EPROTOCOL', 'EAUTH', 'ENOAUTH']);

export const isUnreached = (error: unknown): boolean =>
  UNREACHED.has((error as SmtpError).code ?? '') || (error as SmtpError).responseCode === 421;

/** What became of it at each recipient, when the server took the message for at least one. */
export function outcomesOf(answer: SmtpAnswer, targets: readonly string[], server: string): Outcome[] {
  const failed = answer.rejectedErrors ?? [];
  return targets.map((target) => {
    const failure = failed.find((one) => isOf(one, target));
    if (failure) return failureOf(failure, target, server);
    return { target, result: 'taken', answer: words(answer.response ?? 'taken') };
  });
}

/** The same, when nothing was sent. */
export function outcomesOfError(error: SmtpError, targets: readonly string[], server: string): Outcome[] {
  if (error.rejectedErrors && error.rejectedErrors.length > 0)
    return targets.map((target) =>
      failureOf(error.rejectedErrors?.find((one) => isOf(one, target)) ?? error, target, server),
    );
  // A 5xx to our login or sender is a fault of the configuration: once mended, the waiting messages still go out.
  const permanent = error.permanent === true && error.command === 'DATA';
  return targets.map((target) => failureOf({ ...error, message: error.message, permanent }, target, server));
}

/** nodemailer writes domains in small letters. */
const isOf = ({ recipient }: SmtpError, target: string): boolean =>
  recipient === target || recipient === target.replace(/@[^@]*$/, (domain) => domain.toLowerCase());

function failureOf(failure: SmtpError, target: string, server: string): Outcome {
  const reason = `mail server ${server}: ${words(failure.response ?? failure.message)}`;
  return { target, result: failure.permanent === true ? 'refused' : 'later', reason };
}

const words = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, 300);
