import { randomBytes } from 'node:crypto';
import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { VERSION } from '../version.js';
import { redactUrls } from './redact.js';

// Without an SDK there would be no context manager, and a trace's identity would not travel through this process.
// An SDK that was set up before (register.ts) is not disturbed: the API refuses a second one.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

/** Asked for anew each time: tests set up their own provider. */
export const tracer = (): Tracer => trace.getTracer('hyper2kvm', VERSION);
/** https://www.w3.org/TR/trace-context/#traceparent-header, version 00 */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export interface SpanOptions {
  readonly kind?: SpanKind;
  /** Default: the active one. */
  readonly parent?: Context;
  /** `traceparent`s of spans that led to this one, in this trace or another; those that are not valid are left out. */
  readonly links?: readonly (string | null | undefined)[];
}

/** Runs `fn` in a span that records its error. */
export async function withSpan<T>(
  name: string,
  attributes: Attributes,
  fn: (span: Span) => Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  const parent = options.parent ?? context.active();
  const span = tracer().startSpan(
    name,
    { attributes, kind: options.kind ?? SpanKind.INTERNAL, links: linksTo(options.links) },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), () => fn(span));
  } catch (error) {
    recordError(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** How work ends that goes on elsewhere, or later: nothing went wrong with it. */
const NO_FAILURES = new Set(['WorkStopped', 'RetryLater']);

/** The span failed with this error, unless it was merely stopped. */
export function recordError(span: Span, error: unknown): void {
  const { name, message, code } = describe(error);
  if (NO_FAILURES.has(name)) {
    span.addEvent('stopped', { reason: message });
    return;
  }
  span.recordException({ name, message, ...(code === undefined ? {} : { code }) });
  span.setAttribute('error.type', code ?? name);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** An error as it may be told: a `JobError` has a code of its own. */
function describe(error: unknown): { name: string; message: string; code?: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: redactUrls(String(error)) };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: redactUrls(error.message),
    ...(typeof code === 'string' ? { code } : {}),
  };
}

/** Of what is done by the hundred, only what took longer is told. */
const SLOW_MS = 1_000;

/** A span, told afterwards, of what took a second or more. @param began by Date.now() */
export function tellSlow(name: string, began: number): void {
  if (trace.getActiveSpan() === undefined || Date.now() - began < SLOW_MS) return;
  tracer().startSpan(name, { startTime: began }, context.active()).end();
}

/** The W3C `traceparent` of the active span; undefined outside of any. */
export const traceparent = (): string | undefined => traceparentOf(trace.getActiveSpan());

function traceparentOf(span: Span | undefined): string | undefined {
  const found = span?.spanContext();
  if (found === undefined || !isSpanContextValid(found)) return undefined;
  return `00-${found.traceId}-${found.spanId}-${found.traceFlags.toString(16).padStart(2, '0')}`;
}

/** A new trace of which nothing is recorded here; what comes after may be. */
export const freshTraceparent = (): string =>
  `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;

/**
 * A span of no length: what happened, at one moment. Its `traceparent` is for what follows from it.
 * Where nothing is recorded it is that of the parent; undefined without one.
 */
export function markSpan(name: string, attributes: Attributes, options: SpanOptions = {}): string | undefined {
  const span = tracer().startSpan(
    name,
    { attributes, kind: options.kind ?? SpanKind.INTERNAL, links: linksTo(options.links) },
    options.parent ?? context.active(),
  );
  span.end();
  return traceparentOf(span);
}

/** The trace id of the active span (32 hexadecimal digits). */
export const traceId = (): string | undefined => traceIdOf(traceparent());

/** The trace id in a `traceparent`; undefined where it is not valid. */
export const traceIdOf = (parent: string | null | undefined): string | undefined => TRACEPARENT.exec(parent ?? '')?.[1];

/** A context whose spans belong to the trace named by a `traceparent`; one without a parent when it is not valid. */
export function contextFrom(parent: string | null | undefined): Context {
  const [, id, spanId, flags] = TRACEPARENT.exec(parent ?? '') ?? [];
  if (id === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: id,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  });
}

/** Links to the spans that these `traceparent`s name. */
export function linksTo(parents: SpanOptions['links'] = []): Link[] {
  return parents.flatMap((parent) => {
    const found = trace.getSpanContext(contextFrom(parent));
    return found === undefined ? [] : [{ context: found }];
  });
}

export { context, ROOT_CONTEXT, SpanKind, trace };
export type { Span } from '@opentelemetry/api';
