import type { EventDefinition } from '@hyper2kvm/contracts';
import type { z } from 'zod';
import type { OutboxKind } from '../database/index.js';

/** A message that a decision asks for; it becomes a row of the outbox. */
export interface Outgoing {
  readonly kind: OutboxKind;
  readonly type: string;
  readonly data: Record<string, unknown>;
  /** A retry leaves no earlier than this. */
  readonly availableAt?: Date;
}

/** A command or a fact. Parsed when it is written: an invalid message shows where it was made, not in the relay. */
export const outgoing = <D extends EventDefinition>(definition: D, data: z.input<D['schema']>): Outgoing => ({
  kind: definition.kind,
  type: definition.type,
  data: definition.schema.parse(data) as Record<string, unknown>,
});
