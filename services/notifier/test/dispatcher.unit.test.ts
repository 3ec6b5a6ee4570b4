import { readFileSync } from 'node:fs';
import { JobError, jobFailed } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { recipientsOf, type OldChannel } from '../src/channels/index.js';
import { Ledger } from '../src/channels/ledger.js';
import { NotifierConfig } from '../src/config.js';
import { Dispatcher } from '../src/dispatcher.js';
import type { OutcomeFact } from '../src/fact.js';

const sample = new URL('../../../libs/contracts/test/golden/job.failed.v1.json', import.meta.url);
const FACT: OutcomeFact = {
  kind: 'failed',
  eventId: 'e1',
  time: '2026-01-17T10:12:57.412Z',
  data: jobFailed.schema.parse(JSON.parse(readFileSync(sample, 'utf8'))),
};
const CANCELLED: OutcomeFact = {
  kind: 'cancelled',
  eventId: 'e3',
  time: FACT.time,
  data: { job_id: 'job-abc123', vm_name: 'web', cancelled_by: 'alice' },
};
const NEVER = new AbortController().signal;
const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const channel = (name: string, deliver: () => Promise<string[]>): OldChannel => ({ name, deliver });

const config = (input: object): NotifierConfig => NotifierConfig.parse(input);

describe('dispatcher', () => {
  it('reaches the other channels when one fails, and then reports the failure', async () => {
    const reached: string[] = [];
    const slow = channel('slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      reached.push('slow');
      return ['x'];
    });
    const broken = channel('broken', () => Promise.reject(new Error('down')));
    await expect(new Dispatcher([broken, slow], QUIET).dispatch(FACT, NEVER)).rejects.toThrow('down');
    expect(reached).toEqual(['slow']);
  });

  it('asks for a repetition as long as one channel can still be mended', async () => {
    const hopeless = channel('hopeless', () => Promise.reject(new JobError('BAD_REQUEST', 'refused')));
    const down = channel('down', () => Promise.reject(new Error('down')));
    await expect(new Dispatcher([hopeless, down], QUIET).dispatch(FACT, NEVER)).rejects.toThrow('down');
    await expect(new Dispatcher([hopeless], QUIET).dispatch(FACT, NEVER)).rejects.toThrow(JobError);
  });
});

describe('recipients', () => {
  it("are the configured ones and the job's own, each once", () => {
    const to = ['team@example.com', 'ops@COMPANY.com'];
    expect(recipientsOf(FACT, config({ smtp: { to } }))).toEqual(to);
    expect(recipientsOf(FACT, config({}))).toEqual(['ops@company.com']);
    expect(recipientsOf(FACT, config({ smtp: { to: ['Ops@company.com'] } }))).toEqual([
      'Ops@company.com',
      'ops@company.com',
    ]);
  });

  it('are none where this outcome is switched off', () => {
    const to = { smtp: { to: ['team@example.com'] } };
    expect(recipientsOf(FACT, config({ notify_on_failure: false, ...to }))).toEqual([]);
    expect(recipientsOf(CANCELLED, config(to))).toEqual([]);
    expect(recipientsOf(FACT, config({ notify_on_complete: false }))).toEqual(['ops@company.com']);
  });
});

const batch = (failed: number): OutcomeFact => ({
  kind: 'batch',
  eventId: 'e2',
  time: '2026-01-17T18:00:00Z',
  data: { batch_id: 'batch-abc123', completed: 3, failed, cancelled: 0, notify_email: 'ops@example.com' },
});

describe('recipients of a batch', () => {
  it('are told of it when failures or completions are wanted', () => {
    expect(recipientsOf(batch(0), config({}))).toEqual(['ops@example.com']);
    expect(recipientsOf(batch(0), config({ notify_on_complete: false }))).toEqual([]);
    expect(recipientsOf(batch(1), config({ notify_on_complete: false }))).toEqual(['ops@example.com']);
    expect(recipientsOf(batch(1), config({ notify_on_complete: false, notify_on_failure: false }))).toEqual([]);
  });
});

describe('ledger', () => {
  it('forgets the oldest fact first', () => {
    const ledger = new Ledger(2);
    ledger.of('a').taken.add('x');
    ledger.of('b').taken.add('x');
    ledger.of('c');
    expect(ledger.of('b').taken.has('x')).toBe(true);
    expect(ledger.of('a').taken.has('x')).toBe(false);
  });
});
