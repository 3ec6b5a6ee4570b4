import type { LoggerService } from '@nestjs/common';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { pino, stdSerializers, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { redact, redactUrls } from './redact.js';

export type { Logger } from 'pino';

let sink: ((line: string) => void) | undefined;

/** Each finished line of any logger of this process goes there as well. */
export const alsoTo = (other: typeof sink): void => {
  sink = other;
};

function finish(text: string): string {
  const line = redactUrls(text);
  sink?.(line);
  return line;
}

/** JSON lines on standard output, each with the trace it belongs to. */
export function createLogger(service: string, level: string, to?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { service },
    messageKey: 'msg',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => redact(fields) as Record<string, unknown>,
    },
    serializers: { err: (error: unknown) => redact(stdSerializers.err(error as Error)) },
    hooks: { streamWrite: finish },
    mixin: () => {
      const span = trace.getActiveSpan()?.spanContext();
      return span !== undefined && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
    },
  };
  return to === undefined ? pino(options) : pino(options, to);
}

/** NestJS's own messages go the same way. */
export class NestLogger implements LoggerService {
  /** Until then errors are the caller's, who ends the process with one line. */
  started = false;
  constructor(private readonly logger: Logger) {}
  #write(level: 'debug' | 'info' | 'warn' | 'error', message: unknown, rest: unknown[]): void {
    const context = rest.findLast((item) => typeof item === 'string');
    if (message instanceof Error)
      this.logger[this.started ? level : 'debug']({ err: message, context }, message.message);
    else this.logger[level]({ context }, typeof message === 'string' ? message : JSON.stringify(message));
  }
  log(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }
}
