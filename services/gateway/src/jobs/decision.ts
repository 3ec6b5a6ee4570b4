import type { JobRow } from '../database/index.js';
import type { Outgoing } from './messages.js';

export type RowPatch = Partial<Omit<JobRow, 'id' | 'version' | 'createdAt'>>;
/** What a fact or a request changes: the row, and the messages that leave because of it. */
export interface Decision {
  readonly patch: RowPatch;
  readonly messages: readonly Outgoing[];
}
