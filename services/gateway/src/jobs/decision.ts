import type { JobRow } from '../database/index.js';
import type { Happened } from '../history/index.js';
import type { Outgoing } from './messages.js';

export type RowPatch = Partial<Omit<JobRow, 'id' | 'version' | 'createdAt'>>;
/** What a fact or a request changes: the row, and the messages that leave because of it. */
export interface Decision {
  readonly patch: RowPatch;
  readonly messages: readonly Outgoing[];
  /** What led to it, for the timeline. The messages have lines of their own there. */
  readonly events?: readonly Happened[];
}
