import { randomBytes } from 'node:crypto';
import { sendSpan, tracesUrl, type EndedSpan } from './otlp.js';
import { isSampled } from './sampling.js';

type Attributes = Readonly<Record<string, string>>;

/** The trace that a command is: each change that it asks for carries it on, so that the services' spans join it. */
export interface CommandTrace {
  readonly traceId: string;
  /**
   * For requests. Questions are none of what happens to a job, and followers ask them for hours: they have a trace of their own,
   * which nobody records and the gateway's log names.
   */
  headers(method: string): Record<string, string>;
  /** Ends the command's own span, as what it asked for was taken on; what comes now is a span below it. */
  follow<T>(about: Attributes, fn: () => Promise<T>): Promise<T>;
  /** Ends what has not ended, and returns when it was sent where an endpoint is named (a few seconds at most). */
  end(error?: unknown): Promise<void>;
}

/**
 * Starts the root span of a command. https://www.w3.org/TR/trace-context/: a fresh identity, marked as sampled where the root is
 * sent; where it is not, the gateway's span is the root, and the gateway decides.
 */
export function startTrace(name: string): CommandTrace {
  const { env } = process;
  const traceId = hex(16);
  const url = tracesUrl(env);
  const isSent = url !== undefined && isSampled(traceId, env);
  const root = { traceId, spanId: hex(8), name: `hyperctl ${name}`, start: now() };
  const asked = `00-${traceId}-${root.spanId}-${isSent ? '01' : '00'}`;
  const asking = `00-${hex(16)}-${hex(8)}-00`;
  const sent: Promise<void>[] = [];
  const send = (span: Omit<EndedSpan, 'end' | 'failure'>, error: unknown): void => {
    if (isSent) sent.push(sendSpan(url, { ...span, end: now(), failure: failureOf(error) }, env));
  };
  let isRootOver = false;
  const endRoot = (error: unknown, attributes: Attributes = {}): void => {
    if (!isRootOver) send({ ...root, attributes }, error);
    isRootOver = true;
  };
  return {
    traceId,
    headers: (method) => ({ traceparent: method === 'GET' ? asking : asked }),
    follow: async (about, fn) => {
      endRoot(undefined, about);
      const span = { traceId, spanId: hex(8), parentId: root.spanId, name: 'hyperctl follow', start: now() };
      try {
        const result = await fn();
        send({ ...span, attributes: about }, undefined);
        return result;
      } catch (error) {
        send({ ...span, attributes: about }, error);
        throw error;
      }
    },
    end: async (error) => {
      endRoot(error);
      await Promise.all(sent);
    },
  };
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
/** In nanoseconds since 1970. */
const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
const failureOf = (error: unknown): string | undefined =>
  error === undefined ? undefined : error instanceof Error ? error.message : 'failed';
