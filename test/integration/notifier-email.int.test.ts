import { readFileSync } from 'node:fs';
import { JobError, jobCompleted, jobFailed } from '@hyper2kvm/contracts';
import { OldEmailChannel, NotifierConfig, type OutcomeFact } from '@hyper2kvm/notifier';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Mailbox } from '../support/mailbox.js';

const golden = (type: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../libs/contracts/test/golden/${type}.json`, import.meta.url), 'utf8'));
const completed = (eventId = '0197-completed', change: object = {}): OutcomeFact => ({
  kind: 'completed',
  eventId,
  time: '2026-01-17T10:12:57.412Z',
  data: { ...jobCompleted.schema.parse(golden('job.completed.v1')), ...change },
});
const failed = (eventId = '0197-failed'): OutcomeFact => ({
  kind: 'failed',
  eventId,
  time: '2026-01-17T10:12:57.412Z',
  data: jobFailed.schema.parse(golden('job.failed.v1')),
});

let mailbox: Mailbox;
beforeEach(async () => {
  mailbox = await Mailbox.open();
});
afterEach(() => mailbox.close());

const channelTo = (smtp: object, rest: object = {}): OldEmailChannel =>
  new OldEmailChannel(
    NotifierConfig.parse({ smtp: { host: '127.0.0.1', port: mailbox.port, from: 'vm@example.com', ...smtp }, ...rest }),
  );

describe('e-mail through a real SMTP server', () => {
  it('arrives once for everybody, as text and HTML, with an id made from the event', async () => {
    const channel = channelTo({ to: ['team@example.com'] });
    expect(await channel.deliver(completed())).toEqual(['team@example.com', 'ops@company.com']);
    expect(mailbox.mails).toHaveLength(1);
    const [mail] = mailbox.mails;
    expect(mail?.from).toBe('vm@example.com');
    expect(mail?.to).toEqual(['team@example.com', 'ops@company.com']);
    expect(mail?.header('Message-ID')).toBe('<0197-completed@hyper2kvm>');
    expect(mail?.header('Subject')).toBe('[hyper2kvm] production-db: converted, proven to boot');
    expect(mail?.header('Auto-Submitted')).toBe('auto-generated');
    expect(mail?.header('X-Hyper2kvm-Job')).toBe('job-7k2m9x4qa3hd');
    expect(mail?.raw).toContain('Content-Type: text/plain');
    expect(mail?.raw).toContain('Content-Type: text/html');
    expect(mail?.raw).toContain('4.18.0-513.5.1.el8_9.x86_64');
  });

  it('the same fact again sends nothing; another fact does', async () => {
    const channel = channelTo({});
    await Promise.all([channel.deliver(completed()), channel.deliver(completed())]);
    expect(await channel.deliver(completed())).toEqual([]);
    expect(mailbox.mails).toHaveLength(1);
    await channel.deliver(failed());
    expect(mailbox.mails.map((mail) => mail.header('Message-ID'))).toEqual([
      '<0197-completed@hyper2kvm>',
      '<0197-failed@hyper2kvm>',
    ]);
  });

  it('a VM name cannot add a header or a recipient', async () => {
    await channelTo({}).deliver(completed('e1', { vm_name: 'db\r\nBcc: all@example.com\r\n\r\nhello' }));
    const [mail] = mailbox.mails;
    expect(mail?.to).toEqual(['ops@company.com']);
    expect(mail?.header('Bcc')).toBeUndefined();
    expect(mail?.header('Subject')).toContain('db Bcc: all@example.com hello: converted');
  });

  it('sends nothing without a host or a recipient', async () => {
    expect(await channelTo({ host: '' }).deliver(completed())).toEqual([]);
    expect(await channelTo({}).deliver(completed('e2', { notify_email: undefined }))).toEqual([]);
    expect(await channelTo({}, { notify_on_complete: false }).deliver(completed())).toEqual([]);
    expect(mailbox.mails).toHaveLength(0);
  });
});

describe('trouble with the mail server', () => {
  it('down: an error that asks for a repetition, and the mail once it is up again', async () => {
    const channel = channelTo({});
    await mailbox.close();
    const error: unknown = await channel.deliver(failed()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(JobError);
    mailbox = await Mailbox.open(mailbox.port);
    expect(await channel.deliver(failed())).toEqual(['ops@company.com']);
    expect(mailbox.mails).toHaveLength(1);
  });

  it('a recipient refused for good is named and not asked again; the others get the mail', async () => {
    mailbox.refuse('ops@company.com', 550);
    const channel = channelTo({ to: ['team@example.com'] });
    for (let delivery = 0; delivery < 2; delivery += 1) {
      const error: unknown = await channel.deliver(failed()).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(JobError);
      expect((error as JobError).retryable).toBe(false);
      expect((error as JobError).message).toContain('ops@company.com (550');
    }
    expect(mailbox.mails.map((mail) => mail.to)).toEqual([['team@example.com']]);
  });

  it('a single recipient refused for good is no reason to try again', async () => {
    mailbox.refuse('ops@company.com', 550);
    await expect(channelTo({}).deliver(failed())).rejects.toThrow(JobError);
  });

  it('a recipient refused for now is tried again alone', async () => {
    mailbox.refuse('ops@company.com', 451);
    const channel = channelTo({ to: ['team@example.com'] });
    const error: unknown = await channel.deliver(failed()).catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(JobError);
    mailbox.accept('ops@company.com');
    expect(await channel.deliver(failed())).toEqual(['ops@company.com']);
    expect(mailbox.mails.map((mail) => mail.to)).toEqual([['team@example.com'], ['ops@company.com']]);
  });

  it.each([
    [552, true],
    [452, false],
  ])('the message itself refused with %d: for good is %s', async (code, forGood) => {
    mailbox.refuseData(code);
    const error: unknown = await channelTo({})
      .deliver(failed())
      .catch((reason: unknown) => reason);
    expect(error instanceof JobError).toBe(forGood);
  });

  it('a wrong password can be mended, so the fact waits; the password is in no error', async () => {
    mailbox.login('vm', 'right');
    const wrong: unknown = await channelTo({ user: 'vm', password: 'wr0ng-secret', starttls: 'never' })
      .deliver(failed())
      .catch((reason: unknown) => reason);
    expect(wrong).not.toBeInstanceOf(JobError);
    expect((wrong as Error).message).toContain('535');
    expect(JSON.stringify([String(wrong), wrong, (wrong as Error).cause])).not.toContain('wr0ng-secret');
    await channelTo({ user: 'vm', password: 'right', starttls: 'never' }).deliver(failed());
    expect(mailbox.mails).toHaveLength(1);
  });

  it('STARTTLS required and not offered: nothing leaves', async () => {
    await expect(channelTo({ starttls: 'required' }).deliver(failed())).rejects.toThrow();
    expect(mailbox.mails).toHaveLength(0);
  });
});
