import { readFileSync } from 'node:fs';
import { JobError, jobFailed } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { recipientsOf, type Channel } from '../src/channels/index.js';
import { Ledger } from '../src/channels/ledger.js';
import { NotifierConfig } from '../src/config.js';
import { Dispatcher } from '../src/dispatcher.js';
import type { OutcomeFact } from '../src/fact.js';

const sample = new URL('../../../libs/contracts/test/golden/job.failed.v1.json', import.meta.url);
const FACT: OutcomeFact = {
  kind: 'failed',
  eventId: 'e1',
  data: jobFailed.schema.parse(JSON.parse(readFileSync(sample, 'utf8'))),
};
const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const channel = (name: string, deliver: () => Promise<string[]>): Channel => ({ name, deliver });

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
    await expect(new Dispatcher([broken, slow], QUIET).dispatch(FACT)).rejects.toThrow('down');
    expect(reached).toEqual(['slow']);
  });

  it('asks for a repetition as long as one channel can still be mended', async () => {
    const hopeless = channel('hopeless', () => Promise.reject(new JobError('BAD_REQUEST', 'refused')));
    const down = channel('down', () => Promise.reject(new Error('down')));
    await expect(new Dispatcher([hopeless, down], QUIET).dispatch(FACT)).rejects.toThrow('down');
    await expect(new Dispatcher([hopeless], QUIET).dispatch(FACT)).rejects.toThrow(JobError);
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
    expect(recipientsOf(FACT, config({ notify_on_failure: false, smtp: { to: ['team@example.com'] } }))).toEqual([]);
    expect(recipientsOf(FACT, config({ notify_on_complete: false }))).toEqual(['ops@company.com']);
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
