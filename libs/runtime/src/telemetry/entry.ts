import {
  context,
  isSpanContextValid,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { contextFrom, tracer } from './tracing.js';

/** Asked for while the span is made, by the generator of ids. */
let wanted: string | undefined;

/** @internal The id of the trace whose root is being made. */
export function takeTraceId(): string | undefined {
  const id = wanted;
  wanted = undefined;
  return id;
}

/** A request from outside. Its handling goes on in its trace, also in callbacks of what reads its body. */
export class Entry {
  readonly #context: Context;
  readonly #span: Span | undefined;

  private constructor(caller: Context, span: Span | undefined) {
    this.#span = span;
    this.#context = span === undefined ? caller : trace.setSpan(caller, span);
  }

  /** Without a span of its own: a question. What is done for it belongs to the caller's trace, where there is one. */
  static silent(traceparent: string | undefined): Entry {
    return new Entry(contextFrom(traceparent), undefined);
  }

  /**
   * With a span. Its parent is the caller's, where that one is recorded. Where it is not, nobody will ever see it: then this span
   * is the root of a trace with the caller's id, and whether that is recorded is decided here.
   */
  static span(name: string, attributes: Attributes, traceparent: string | undefined): Entry {
    const caller = contextFrom(traceparent);
    const parent = trace.getSpanContext(caller);
    const isUnseen = parent !== undefined && (parent.traceFlags & TraceFlags.SAMPLED) === 0;
    wanted = isUnseen ? parent.traceId : undefined;
    const span = tracer().startSpan(name, { attributes, kind: SpanKind.SERVER, root: isUnseen }, caller);
    wanted = undefined;
    // A root that no SDK makes has no identity.
    return new Entry(caller, isSpanContextValid(span.spanContext()) ? span : undefined);
  }

  run<T>(fn: () => T): T {
    return context.with(this.#context, fn);
  }

  /** @param status of the HTTP answer: those from 500 are failures of ours */
  end(status: number): void {
    if (this.#span === undefined) return;
    this.#span.setAttribute('http.response.status_code', status);
    if (status >= 500) this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
  }
}
