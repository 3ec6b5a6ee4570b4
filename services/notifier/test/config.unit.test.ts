import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { NotifierConfig, smtpPort, startTls, type SmtpConfig } from '../src/config.js';

const smtp = (input: object): SmtpConfig => NotifierConfig.parse({ smtp: input }).smtp;

describe('the section notifier', () => {
  it('may be empty: then nothing is sent', () => {
    expect(NotifierConfig.parse({})).toMatchObject({
      smtp: { host: '', secure: false, from: 'hyper2kvm@localhost', to: [] },
      notify_on_complete: true,
      notify_on_failure: true,
      slack: { webhooks: {} },
      rules: [],
      digest: { batches: true, every_minutes: 60 },
      give_up_after_hours: 72,
    });
  });

  it.each([
    [{ host: 'mail' }, 25, 'if_offered'],
    [{ host: '127.0.0.1' }, 25, 'never'],
    [{ host: 'mail', user: 'u', password: 'p' }, 587, 'required'],
    [{ host: 'mail', secure: true }, 465, 'if_offered'],
    [{ host: 'localhost', port: 2525, starttls: 'required' }, 2525, 'required'],
  ])('%j → port %d, STARTTLS %s', (input, port, tls) => {
    expect([smtpPort(smtp(input)), startTls(smtp(input))]).toEqual([port, tls]);
  });

  it('refuses a password that could travel in clear', () => {
    const login = { host: 'mail', user: 'u', password: 'p' };
    expect(() => smtp({ ...login, starttls: 'never' })).toThrow('could travel in clear');
    expect(() => smtp({ ...login, starttls: 'if_offered' })).toThrow('could travel in clear');
    expect(smtp({ ...login, host: 'localhost', starttls: 'never' }).user).toBe('u');
    expect(smtp({ ...login, secure: true, starttls: 'never' }).user).toBe('u');
  });

  it.each([
    [{ host: 'mail', user: 'u' }, 'password'],
    [{ to: ['not an address'] }, 'to'],
    [{ from: 'a@b.c\r\nBcc: all@example.com' }, 'from'],
    [{ hots: 'mail' }, 'hots'],
  ])('refuses %j, naming %s', (input, name) => expect(() => smtp(input)).toThrow(name));

  it('takes an address with a name', () => {
    expect(smtp({ from: 'Migrations <vm@example.com>' }).from).toBe('Migrations <vm@example.com>');
  });
});

describe('rules', () => {
  const BASE = {
    smtp: { host: 'mail' },
    slack: { webhooks: { ops: 'https://hooks.slack.com/services/T000/B000/XXXX' } },
    webhook: { endpoints: { cmdb: { url: 'https://cmdb.example.com/hook' } } },
  };
  const RULE = { name: 'failures', facts: ['job.failed'], to: { slack: ['ops'], webhook: ['cmdb'] } };
  const problems = (...rules: object[]): string[] => {
    const parsed = NotifierConfig.safeParse({ ...BASE, rules });
    return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };

  it('may name what is configured', () => expect(problems(RULE)).toEqual([]));

  it.each([
    [{ to: { slack: ['dev'] } }, 'rules.1.to.slack.0: notifier.slack.webhooks has no dev; it has ops'],
    [
      { to: { webhook: ['cmdb', 'itsm'] } },
      'rules.1.to.webhook.1: notifier.webhook.endpoints has no itsm; it has cmdb',
    ],
    [{ to: {} }, 'rules.1.to: email, slack or webhook: at least one'],
    [{ facts: [] }, 'rules.1.facts: at least one, or leave the key out'],
    [
      { facts: ['batch.completed'], lanes: ['high'] },
      'rules.1.lanes: batch.completed has no lanes: make a rule of its own for it',
    ],
    [{ name: 'failures' }, 'rules.1.name: another rule has the name failures'],
  ])('%j: %s', (change, problem) => expect(problems(RULE, { ...RULE, name: 'two', ...change })).toEqual([problem]));

  it('need a mail server for e-mail', () => {
    const rules = [{ ...RULE, to: { email: ['ops@example.com'] } }];
    expect(() => NotifierConfig.parse({ rules })).toThrow('set notifier.smtp.host');
  });
});

it.each(['notifications', 'webhooks'])('the examples of docs/%s.md are valid', (page) => {
  const text = readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, yaml = '']) =>
    yaml.replaceAll(/\$\{\w+\}/g, 'https://example.com/'),
  );
  const examples = blocks.map((yaml) => parse(yaml) as Record<string, object>).filter((tree) => 'notifier' in tree);
  expect(examples.length).toBeGreaterThan(0);
  for (const { notifier } of examples) expect(NotifierConfig.safeParse(notifier).error?.issues).toBeUndefined();
});
