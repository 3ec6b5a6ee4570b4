import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotifierConfig } from '../src/config.js';
import type { ChannelName } from '../src/channels/index.js';
import { holdOf, targetsOf } from '../src/plan/index.js';
import { fact } from './facts.js';

const OWN = { notify_email: undefined, callback_url: undefined, slack_webhook: undefined };
const SLACK = 'https://hooks.slack.com/services/T000/B000/XXXX';
const config = (input: object = {}): NotifierConfig =>
  NotifierConfig.parse({ smtp: { host: 'mail', to: ['team@example.com'] }, ...input });
const told = (of: ReturnType<typeof fact>, channel: ChannelName, input: object = {}): string[] =>
  targetsOf(of, channel, config(input)).map(({ key }) => key);
const rule = (more: object): object => ({
  slack: { webhooks: { ops: SLACK, dev: 'https://chat.example.com/hooks/1' } },
  webhook: { endpoints: { cmdb: { url: 'https://cmdb.example.com/hook' } } },
  rules: [{ name: 'one', facts: ['job.failed'], to: { slack: ['ops'] }, ...more }],
});

describe('without rules', () => {
  it('e-mail goes to the configured addresses and to its own, each once', () => {
    const failed = fact('failed', { notify_email: 'ops@Example.COM' });
    expect(told(failed, 'email')).toEqual(['team@example.com', 'ops@Example.COM']);
    expect(told(failed, 'email', { smtp: { host: 'mail', to: ['ops@example.com'] } })).toEqual(['ops@example.com']);
    // Before the "@" the case may mean something.
    expect(told(failed, 'email', { smtp: { host: 'mail', to: ['Ops@example.com'] } })).toHaveLength(2);
    expect(told(failed, 'email', { smtp: { to: ['ops@example.com'] } })).toEqual([]);
  });

  it('people are not told of what is switched off, nor of what somebody cancelled', () => {
    const wish = { ...OWN, notify_email: 'ops@example.com', slack_webhook: SLACK };
    for (const channel of ['email', 'slack'] as const) {
      expect(told(fact('failed', wish), channel, { notify_on_failure: false })).toEqual([]);
      expect(told(fact('completed', wish), channel, { notify_on_failure: false })).not.toEqual([]);
      expect(told(fact('completed', wish), channel, { notify_on_complete: false })).toEqual([]);
      expect(told(fact('cancelled', wish), channel)).toEqual([]);
      const batch = (failed: number) => fact('batch', { ...wish, failed });
      expect(told(batch(0), channel, { notify_on_complete: false })).toEqual([]);
      expect(told(batch(1), channel, { notify_on_complete: false })).not.toEqual([]);
      expect(told(batch(1), channel, { notify_on_complete: false, notify_on_failure: false })).toEqual([]);
    }
  });

  it('callbacks hear of every end, in words where they are Slack', () => {
    for (const kind of ['completed', 'failed', 'cancelled', 'batch'] as const) {
      const url = 'https://cmdb.example.com/hooks/7';
      expect(told(fact(kind, { ...OWN, callback_url: url }), 'webhook')).toEqual([url]);
      expect(told(fact(kind, { ...OWN, callback_url: url }), 'slack')).toEqual([]);
      expect(told(fact(kind, { ...OWN, callback_url: SLACK }), 'webhook')).toEqual([]);
      expect(told(fact(kind, { ...OWN, callback_url: SLACK }), 'slack')).toEqual([SLACK]);
    }
    expect(told(fact('failed', { ...OWN, callback_url: SLACK, slack_webhook: SLACK }), 'slack')).toEqual([SLACK]);
  });
});

describe('a rule', () => {
  const job = { ...OWN, priority: 'high', tags: ['prod', 'db'], batch_id: 'batch-000001', batch_name: 'web farm' };
  it.each([
    [{}, true],
    [{ facts: ['job.completed'] }, false],
    [{ lanes: ['high', 'low'] }, true],
    [{ lanes: ['normal'] }, false],
    [{ tags: ['test', 'db'] }, true],
    [{ tags: ['test'] }, false],
    [{ batches: 'only' }, true],
    [{ batches: 'never' }, false],
    [{ batches: ['web farm'] }, true],
    [{ batches: ['batch-000001'] }, true],
    [{ batches: ['other'] }, false],
    [{ lanes: ['high'], tags: ['test'] }, false],
  ])('%j: %s', (more, fits) => {
    expect(told(fact('failed', job), 'slack', rule(more))).toEqual(fits ? ['@ops'] : []);
  });

  it('tells of cancelled jobs, and of the ends of batches', () => {
    const more = { facts: ['job.cancelled', 'batch.completed'], to: { email: ['a@example.com'], webhook: ['cmdb'] } };
    expect(told(fact('cancelled', OWN), 'email', rule(more))).toEqual(['a@example.com']);
    expect(told(fact('cancelled', OWN), 'webhook', rule(more))).toEqual(['@cmdb']);
    expect(told(fact('batch', OWN), 'email', rule(more))).toEqual(['team@example.com', 'a@example.com']);
  });

  it('and a wish for the same place are one message, known by its name, and at once if one says so', () => {
    const wish = fact('failed', { ...OWN, slack_webhook: SLACK });
    expect(targetsOf(wish, 'slack', config(rule({})))).toEqual([{ key: '@ops', address: SLACK, atOnce: false }]);
    expect(targetsOf(wish, 'slack', config(rule({ at_once: true })))[0]?.atOnce).toBe(true);
  });

  it('never tells anybody twice, whatever there is of rules and wishes', () => {
    const names = fc.subarray(['ops', 'dev']);
    const emails = fc.subarray(['a@example.com', 'A@EXAMPLE.com', 'team@example.com']);
    const rules = fc.array(fc.record({ slack: names, email: emails, at_once: fc.boolean() }), { maxLength: 4 });
    fc.assert(
      fc.property(rules, fc.constantFrom(SLACK, undefined), (wanted, slack_webhook) => {
        const input = wanted.flatMap(({ slack, email, at_once }, at) => {
          const to = { ...(slack.length > 0 ? { slack } : {}), ...(email.length > 0 ? { email } : {}) };
          return Object.keys(to).length === 0 ? [] : [{ name: `r${at}`, facts: ['job.failed'], to, at_once }];
        });
        const settings = config({ ...rule({}), rules: input });
        for (const channel of ['email', 'slack'] as const) {
          const targets = targetsOf(fact('failed', { ...OWN, slack_webhook }), channel, settings);
          const places = targets.map(({ address }) => address.replace(/@.*/, (domain) => domain.toLowerCase()));
          expect(new Set(places).size).toBe(places.length);
          const urgent = input.filter(({ at_once }) => at_once).flatMap(({ to }) => to[channel] ?? []);
          for (const name of urgent)
            expect(targets.some(({ key, atOnce }) => atOnce && (key === `@${name}` || channel === 'email'))).toBe(true);
        }
      }),
    );
  });
});

describe('what waits', () => {
  const NOW = Date.parse('2026-03-01T12:00:00Z');
  const NIGHT = NOW + 3_600_000;
  const of = { now: NOW, quietUntil: undefined, gathers: false };
  const quiet = { ...of, quietUntil: NIGHT };
  const single = fact('failed', { batch_id: undefined });
  const BATCH = { kind: 'batch', batch: 'batch-7k2m9x4qa3hd' };

  it('are jobs of batches, until the batch ends or an hour is over', () => {
    expect(holdOf(single, config(), of)).toBeUndefined();
    expect(holdOf(fact('failed'), config(), of)).toEqual({ gathering: BATCH, due: NOW + 3_600_000, urgent: false });
    expect(holdOf(fact('batch', { batch_id: BATCH.batch }), config(), of)?.due).toBe(NOW + 5_000);
    expect(holdOf(fact('failed'), config({ digest: { batches: false } }), of)).toBeUndefined();
  });

  it('is everything in quiet hours, but for what is excepted', () => {
    const hours = { from: '22:00', to: '07:00', timezone: 'UTC' };
    const night = { gathering: { kind: 'quiet' }, due: NIGHT, urgent: false };
    expect(holdOf(single, config({ quiet_hours: hours }), quiet)).toEqual(night);
    expect(holdOf(fact('failed'), config({ quiet_hours: hours }), quiet)).toEqual(night);
    const excepting = config({ quiet_hours: { ...hours, but_not: ['job.failed'] } });
    expect(holdOf(single, excepting, quiet)).toBeUndefined();
    expect(holdOf(fact('failed'), excepting, quiet)).toMatchObject({ gathering: BATCH, urgent: true });
    // What a batch began to gather in the evening stays together.
    expect(holdOf(fact('failed'), config(), { ...quiet, gathers: true })?.gathering).toEqual(BATCH);
  });
});
