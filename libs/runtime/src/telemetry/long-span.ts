import {
  context,
  createContextKey,
  SpanKind,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
} from '@opentelemetry/api';
import { linksTo, recordError, tracer, type SpanOptions } from './tracing.js';

/** What goes on when a span of this length has ended is seen in its next piece. */
let pieceMs = 60_000;

/** `telemetry.span_seconds`; once, when a service starts. */
export const setSpanSeconds = (seconds: number): void => {
  pieceMs = seconds * 1000;
};

/** From 2: which piece of a long span this is. */
const PIECE = 'hyper2kvm.piece';
/** Of a piece that another one follows. */
const CONTINUED = 'hyper2kvm.continued';
/** Since the first piece began, at the end of this one. */
const ELAPSED = 'hyper2kvm.elapsed_seconds';

const HERE = createContextKey('hyper2kvm.long_span');

/** A span as long as its work, told in pieces. */
export interface LongSpan {
  /** From now on, in this piece and in those that follow. */
  setAttributes(attributes: Attributes): void;
  addEvent(name: string, attributes?: Attributes): void;
  /** The span failed, though its function returns. */
  fail(error: unknown): void;
}

/**
 * Runs `fn` in a span that may last for hours. A span is seen only when it has ended: so one is ended after `span_seconds`, and
 * followed by the next piece of the same name and parent, linked to the piece before. Children of `fn` belong to the first piece.
 * Work that is short is one span.
 */
export async function withLongSpan<T>(
  name: string,
  attributes: Attributes,
  fn: (span: LongSpan) => Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  const pieces = new Pieces(name, attributes, options, options.parent ?? context.active());
  try {
    return await context.with(pieces.context, () => fn(pieces));
  } catch (error) {
    pieces.fail(error);
    throw error;
  } finally {
    pieces.end();
  }
}

/** To the active span, or the running piece of it: errors that were got over, retries, what was seen. */
export function addEvent(name: string, attributes: Attributes = {}): void {
  const active = trace.getActiveSpan();
  const long = context.active().getValue(HERE) as Pieces | undefined;
  if (long !== undefined && long.first === active) long.addEvent(name, attributes);
  else active?.addEvent(name, attributes);
}

class Pieces implements LongSpan {
  readonly first: Span;
  /** In which the work runs. */
  readonly context: Context;
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #current: Span;
  #number = 1;
  #attributes: Attributes;

  constructor(
    private readonly name: string,
    attributes: Attributes,
    private readonly options: SpanOptions,
    private readonly parent: Context,
  ) {
    this.#attributes = attributes;
    this.first = this.#start(parent, linksTo(options.links), attributes);
    this.#current = this.first;
    this.context = trace.setSpan(parent, this.first).setValue(HERE, this);
    // Nothing is told of what nobody records.
    if (this.first.isRecording()) this.#timer = setInterval(() => this.#next(), pieceMs).unref();
  }

  setAttributes(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
    this.#current.setAttributes(attributes);
  }

  addEvent(name: string, attributes: Attributes = {}): void {
    this.#current.addEvent(name, attributes);
  }

  fail(error: unknown): void {
    recordError(this.#current, error);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#close();
  }

  #next(): void {
    const before = this.#current;
    before.setAttribute(CONTINUED, true);
    this.#close();
    this.#number += 1;
    // Without a parent each piece would be the root of a trace of its own.
    const parent = trace.getSpanContext(this.parent) === undefined ? this.context : this.parent;
    this.#current = this.#start(parent, [{ context: before.spanContext() }], {
      ...this.#attributes,
      [PIECE]: this.#number,
    });
  }

  #close(): void {
    this.#current.setAttribute(ELAPSED, Math.round(performance.now() - this.#began) / 1000);
    this.#current.end();
  }

  #start(parent: Context, links: Link[], attributes: Attributes): Span {
    return tracer().startSpan(this.name, { attributes, kind: this.options.kind ?? SpanKind.INTERNAL, links }, parent);
  }
}
