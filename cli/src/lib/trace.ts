import { randomBytes } from 'node:crypto';
import { sendSpan, tracesUrl } from './otlp.js';

/** The trace that a command is: each request carries it on, so that the services' spans join it. */
export interface CommandTrace {
  readonly traceId: string;
  /** For requests. */
  headers(): Record<string, string>;
  /** Runs the command inside its root span. */
  run<T>(fn: () => Promise<T>): Promise<T>;
  /** Ends the span and sends it where an endpoint is named (a few seconds at most). */
  end(error?: unknown): Promise<void>;
}

/**
 * Starts the root span of a command. https://www.w3.org/TR/trace-context/: a fresh identity, marked as sampled so that the
 * services record it, also where nobody is told of the root.
 */
export async function startTrace(name: string): Promise<CommandTrace> {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const traceparent = `00-${traceId}-${spanId}-01`;
  const begin = Date.now();
  return {
    traceId,
    headers: () => ({ traceparent }),
    run: (fn) => fn(),
    end: async (error) => {
      const url = tracesUrl(process.env);
      if (url === undefined) return;
      const failure = error === undefined ? undefined : error instanceof Error ? error.message : 'failed';
      const span = { traceId, spanId, name: `hyperctl ${name}`, start: nano(begin), end: nano(Date.now()), failure };
      await sendSpan(url, span, process.env);
    },
  };
}

const nano = (ms: number): bigint => BigInt(ms) * 1_000_000n;
