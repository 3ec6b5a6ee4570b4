import { jobCreated, jobLog, jobProgress } from '@hyper2kvm/contracts';
import { context, SpanKind, trace, tracer } from '@hyper2kvm/runtime';
import type { WaitingRow } from './rows.js';

interface Refusal {
  readonly at: number;
  readonly error: string;
}

/** Of rows that the bus does not take; one that another gateway sends in the end is never asked for again. */
const MOST_REFUSED = 1_000;
/** What nobody acts on is not worth a span: batches make thousands of these. */
const UNTRACED = new Set<string>([jobCreated.type, jobLog.type, jobProgress.type]);
const WORDS: Readonly<Record<WaitingRow['kind'], string>> = {
  fact: 'publish',
  command: 'publish',
  move: 'move',
  cancel: 'cancel',
  bandwidth: 'limit',
};

/** A span for each row that goes out, from its first try; tries that the bus refused are its events. */
export class RelayTraces {
  readonly #refusals = new Map<string, Refusal[]>();

  /** @throws what `send` throws; the message that is published in the end has one span, which tells of it */
  async send(row: WaitingRow, send: () => Promise<void>): Promise<void> {
    if (UNTRACED.has(row.type)) return send();
    const now = Date.now();
    const refusals = this.#refusals.get(row.id) ?? [];
    const parent = context.active();
    const span = tracer().startSpan(
      `outbox ${WORDS[row.kind]} ${row.type.replace(/\.v\d+$/, '')}`,
      {
        kind: SpanKind.PRODUCER,
        startTime: refusals[0]?.at ?? now,
        attributes: { [idKey(row.type)]: row.jobId, 'messaging.system': 'nats' },
      },
      parent,
    );
    try {
      await context.with(trace.setSpan(parent, span), send);
    } catch (error) {
      // Not ended: it is as if it had not begun.
      this.#remember(row.id, { at: now, error: (error as Error).message });
      throw error;
    }
    for (const { at, error } of refusals) span.addEvent('refused', { error }, at);
    span.end();
    this.#refusals.delete(row.id);
  }

  #remember(id: string, refusal: Refusal): void {
    if (this.#refusals.size >= MOST_REFUSED) this.#refusals.clear();
    this.#refusals.set(id, [...(this.#refusals.get(id) ?? []), refusal]);
  }
}

const idKey = (type: string): string => {
  const of = /^(hook|batch)\./.exec(type)?.[1] ?? 'job';
  return `${of}.id`;
};
