/** Messages for tests of channels, made of the samples of the contracts. */
import { readFileSync } from 'node:fs';
import { batchCompleted, jobCancelled, jobCompleted, jobFailed } from '@hyper2kvm/contracts';
import type { Message, OutcomeFact } from '@hyper2kvm/notifier';

const golden = (type: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../libs/contracts/test/golden/${type}.v1.json`, import.meta.url), 'utf8'));
export const SAMPLES = {
  completed: jobCompleted.schema.parse(golden('job.completed')),
  failed: jobFailed.schema.parse(golden('job.failed')),
  cancelled: jobCancelled.schema.parse(golden('job.cancelled')),
  batch: batchCompleted.schema.parse(golden('batch.completed')),
};
const TIME = '2026-01-17T10:12:57.412Z';

let facts = 0;
export function fact(kind: OutcomeFact['kind'], change: object = {}): OutcomeFact {
  facts += 1;
  return { kind, eventId: `fact-${facts}`, time: TIME, data: { ...SAMPLES[kind], ...change } } as OutcomeFact;
}

/** One fact as it is told at once. */
export function message(kind: OutcomeFact['kind'], change: object = {}): Message {
  const one = fact(kind, change);
  return { id: one.eventId, time: one.time, kind: 'fact', facts: [one] };
}

export const digest = (told: readonly OutcomeFact[], reason: 'batch' | 'quiet hours' = 'batch'): Message => ({
  id: `digest-${told[0]?.eventId ?? ''}`,
  time: TIME,
  kind: 'digest',
  facts: told,
  digest: { reason, ...(reason === 'batch' ? { batch: SAMPLES.batch } : {}) },
});

export const test: Message = { id: 'test-1', time: TIME, kind: 'test', facts: [] };
