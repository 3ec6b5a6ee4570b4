/** Messages for tests of words, made of the samples of the contracts. */
import { readFileSync } from 'node:fs';
import { batchCompleted, jobCancelled, jobCompleted, jobFailed } from '@hyper2kvm/contracts';
import type { Message } from '../src/channels/index.js';
import type { OutcomeFact } from '../src/fact.js';

const golden = (type: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../libs/contracts/test/golden/${type}.v1.json`, import.meta.url), 'utf8'));
export const SAMPLES = {
  completed: jobCompleted.schema.parse(golden('job.completed')),
  failed: jobFailed.schema.parse(golden('job.failed')),
  cancelled: jobCancelled.schema.parse(golden('job.cancelled')),
  batch: batchCompleted.schema.parse(golden('batch.completed')),
};
const time = '2026-01-17T10:12:57.412Z';

export const fact = (kind: OutcomeFact['kind'], change: object = {}): OutcomeFact =>
  ({ kind, eventId: 'e1', time, data: { ...SAMPLES[kind], ...change } }) as OutcomeFact;
export const of = (kind: OutcomeFact['kind'], change: object = {}): Message => ({
  id: 'e1',
  time,
  kind: 'fact',
  facts: [fact(kind, change)],
});
export const digestOf = (facts: readonly OutcomeFact[], digest: Message['digest']): Message => ({
  id: 'd1',
  time,
  kind: 'digest',
  facts,
  ...(digest ? { digest } : {}),
});
export const TEST: Message = { id: 't1', time, kind: 'test', facts: [] };
