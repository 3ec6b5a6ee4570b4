import type { OutboxKind } from '../database/index.js';

/** A message that a decision asks for; it becomes a row of the outbox. */
export interface Outgoing {
  readonly kind: OutboxKind;
  readonly type: string;
  readonly data: Record<string, unknown>;
  /** A retry leaves no earlier than this. */
  readonly availableAt?: Date;
}
