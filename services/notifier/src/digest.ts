import { createHash } from 'node:crypto';
import type { Message } from './channels/index.js';
import type { OutcomeFact } from './fact.js';
import { isBefore, type BatchEnd, type HeldEntry, type HeldGroup } from './state/index.js';

/** What is read first. */
const ORDER: Readonly<Record<OutcomeFact['kind'], number>> = { batch: 0, failed: 1, cancelled: 2, completed: 3 };

/** The message of what was gathered. The same entries give the same message; one alone is told as itself. */
export function digestOf({ key, value }: HeldGroup, entries: readonly HeldEntry[], end: BatchEnd | undefined): Message {
  const facts = entries
    .map(({ value: { fact } }) => fact)
    .toSorted((one, other) => ORDER[one.kind] - ORDER[other.kind] || Date.parse(one.time) - Date.parse(other.time));
  const [first] = facts;
  if (first !== undefined && facts.length === 1)
    return { id: first.eventId, time: first.time, kind: 'fact', facts: [first] };
  const last = facts.reduce((latest, { time }) => Math.max(latest, Date.parse(time)), 0);
  const message = { id: idOf(key, facts), time: new Date(last).toISOString(), kind: 'digest' } as const;
  if (value.gathering.kind === 'quiet') return { ...message, facts, digest: { reason: 'quiet hours' } };
  // A job that was tried again after the batch's end is told without the totals of before.
  const ended = end !== undefined && facts.every((fact) => isBefore(fact, end.fact)) ? end.fact : undefined;
  const batch = ended ?? facts.findLast((fact) => fact.kind === 'batch');
  const jobs = facts.filter(({ kind }) => kind !== 'batch');
  return { ...message, facts: jobs, digest: { reason: 'batch', ...(batch ? { batch: batch.data } : {}) } };
}

function idOf(key: string, facts: readonly OutcomeFact[]): string {
  const ids = facts.map(({ eventId }) => eventId).toSorted();
  return `digest-${createHash('sha256')
    .update(JSON.stringify([key, ids]))
    .digest('hex')
    .slice(0, 32)}`;
}
