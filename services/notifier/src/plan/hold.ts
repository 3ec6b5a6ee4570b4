import type { NotifierConfig } from '../config.js';
import { batchOf, nameOf, type OutcomeFact } from '../fact.js';

/** What is told in one message: the jobs of a batch, or all that came in quiet hours. */
export type Gathering = { readonly kind: 'batch'; readonly batch: string } | { readonly kind: 'quiet' };

export interface Hold {
  readonly gathering: Gathering;
  /** When it is told, in milliseconds; not before the end of the quiet hours that are then. */
  readonly due: number;
  /** Told in quiet hours, too. */
  readonly urgent: boolean;
}

export interface Situation {
  readonly now: number;
  /** When the quiet hours that are now end; undefined: there are none now. */
  readonly quietUntil: number | undefined;
  /** Whether this target's digest of the batch has begun: then the rest comes with it. */
  readonly gathers: boolean;
}

/** After the end of a batch: by then its last jobs have been handled, too. */
export const SETTLE_MS = 5_000;

/** Whether a fact waits for others before a person is told of it, and until when. */
export function holdOf(
  fact: OutcomeFact,
  config: Pick<NotifierConfig, 'digest' | 'quiet_hours'>,
  { now, quietUntil, gathers }: Situation,
): Hold | undefined {
  const urgent = config.quiet_hours?.but_not.includes(nameOf(fact)) ?? false;
  const quiet = quietUntil !== undefined && !urgent;
  const batch = config.digest.batches ? batchOf(fact) : undefined;
  if (batch === undefined || (quiet && !gathers))
    return quiet ? { gathering: { kind: 'quiet' }, due: quietUntil, urgent } : undefined;
  const due = now + (fact.kind === 'batch' ? SETTLE_MS : config.digest.every_minutes * 60_000);
  return { gathering: { kind: 'batch', batch }, due, urgent };
}
