/** E-mail through real SMTP servers: what arrives, and what becomes of servers that are down, slow, or say no. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EmailChannel, NotifierConfig, Templates, type EmailOptions, type Outcome } from '@hyper2kvm/notifier';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/faults/certificate.js';
import { Mailbox } from '../support/mailbox.js';
import { digest, fact, message, test } from './notifier-channels-messages.js';

const TEMPLATES = Templates.load();
const NEVER = new AbortController().signal;
const OPS = 'ops@example.com';
const TEAM = 'team@example.com';

let mailbox: Mailbox;
const channels: EmailChannel[] = [];
beforeEach(async () => {
  mailbox = await Mailbox.open();
});
afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close();
  await mailbox.close();
});

function channelTo(smtp: object = {}, options: EmailOptions = {}): EmailChannel {
  const config = { host: '127.0.0.1', port: mailbox.port, from: 'VM mover <vm@example.com>', ...smtp };
  const channel = new EmailChannel(NotifierConfig.parse({ smtp: config }).smtp, TEMPLATES, { pauseMs: 1, ...options });
  channels.push(channel);
  return channel;
}
const results = (outcomes: readonly Outcome[]): Record<string, string> =>
  Object.fromEntries(outcomes.map(({ target, result }) => [target, result]));
const reasonOf = (outcome: Outcome | undefined): string =>
  outcome === undefined ? '' : outcome.result === 'taken' ? outcome.answer : outcome.reason;

describe('e-mail through a real SMTP server', () => {
  it('arrives once for everybody, as text and HTML, with an id made from the message', async () => {
    const told = message('completed');
    const outcomes = await channelTo().send(told, [TEAM, OPS], NEVER);
    expect(results(outcomes)).toEqual({ [TEAM]: 'taken', [OPS]: 'taken' });
    expect(reasonOf(outcomes[0])).toMatch(/^250 /);
    expect(mailbox.mails).toHaveLength(1);
    const [mail] = mailbox.mails;
    expect(mail?.from).toBe('vm@example.com');
    expect(mail?.to).toEqual([TEAM, OPS]);
    expect(mail?.header('Message-ID')).toBe(`<${told.id}@hyper2kvm>`);
    expect(mail?.header('Subject')).toBe('[hyper2kvm] production-db: converted, proven to boot');
    expect(mail?.header('Auto-Submitted')).toBe('auto-generated');
    expect(mail?.header('List-Id')).toBe('hyper2kvm <hyper2kvm.example.com>');
    expect(mail?.header('X-Hyper2kvm-Job')).toBe('job-7k2m9x4qa3hd');
    expect(mail?.raw).toContain('Content-Type: text/plain');
    expect(mail?.raw).toContain('Content-Type: text/html');
    expect(mail?.raw).toContain('4.18.0-513.5.1.el8_9.x86_64');
  });

  it('tells of batches, of several at once, and that it is a test', async () => {
    const channel = channelTo();
    await channel.send(message('batch'), [OPS], NEVER);
    await channel.send(digest([fact('failed'), fact('completed')]), [OPS], NEVER);
    await channel.send(digest([fact('failed'), fact('cancelled')], 'quiet hours'), [OPS], NEVER);
    await channel.send(test, [OPS], NEVER);
    expect(mailbox.mails.map((mail) => mail.header('Subject'))).toEqual([
      '[hyper2kvm] batch web farm: 47 of 50 VMs converted, 2 failed, 1 cancelled',
      '[hyper2kvm] batch web farm: 47 of 50 VMs converted, 2 failed, 1 cancelled',
      '[hyper2kvm] while it was quiet: 0 of 2 VMs converted, 1 failed, 1 cancelled',
      '[hyper2kvm] test',
    ]);
    expect(mailbox.mails[1]?.header('X-Hyper2kvm-Batch')).toBe('batch-3n8d5w2kq7rt');
    expect(mailbox.mails[1]?.raw).toContain('no operating system was found in the disks');
    // One after the other over one connection.
    expect(mailbox.connections).toBe(1);
  });

  it('the same message to the same address, asked for twice at once, is sent once', async () => {
    const channel = channelTo();
    const told = message('completed');
    const both = await Promise.all([channel.send(told, [OPS], NEVER), channel.send(told, [OPS, TEAM], NEVER)]);
    expect(both.map(results)).toEqual([{ [OPS]: 'taken' }, { [OPS]: 'taken', [TEAM]: 'taken' }]);
    expect(mailbox.mails.map(({ to }) => to.join()).toSorted()).toEqual([OPS, TEAM]);
  });

  it('a VM name cannot add a header or a recipient', async () => {
    const vm_name = 'db\r\nBcc: all@example.com\r\n\r\nhello';
    await channelTo().send(message('completed', { vm_name }), [OPS], NEVER);
    const [mail] = mailbox.mails;
    expect(mail?.to).toEqual([OPS]);
    expect(mail?.header('Bcc')).toBeUndefined();
    expect(mail?.header('Subject')).toContain('db Bcc: all@example.com hello: converted');
  });

  it('many at a time share few connections, which close when there is nothing to do', async () => {
    const channel = channelTo({}, { idleMs: 20 });
    const many = Array.from({ length: 40 }, async () => channel.send(message('failed'), [OPS], NEVER));
    expect(new Set((await Promise.all(many)).map(([outcome]) => outcome?.result))).toEqual(new Set(['taken']));
    expect(new Set(mailbox.mails.map((mail) => mail.header('Message-ID'))).size).toBe(40);
    expect(mailbox.connections).toBeLessThanOrEqual(4);
    await expect.poll(() => mailbox.connectionsNow, { timeout: 10_000, interval: 10 }).toBe(0);
  });
});

describe('trouble with the mail server', () => {
  it('down for a while: later, and once when it is up again', async () => {
    const channel = channelTo();
    const told = message('failed');
    const { port } = mailbox;
    await channel.send(message('completed'), [OPS], NEVER);
    await mailbox.close();
    const [down] = await channel.send(told, [OPS], NEVER);
    expect(down?.result).toBe('later');
    expect(reasonOf(down)).toMatch(/^mail server 127\.0\.0\.1: /);
    mailbox = await Mailbox.open(port);
    await expect
      .poll(async () => results(await channel.send(told, [OPS], NEVER)), { timeout: 10_000, interval: 20 })
      .toEqual({ [OPS]: 'taken' });
    expect(mailbox.mails.map((mail) => mail.header('Message-ID'))).toEqual([`<${told.id}@hyper2kvm>`]);
  });

  it('down: it is left alone for a moment, by every message', async () => {
    const channel = channelTo({}, { pauseMs: 60_000 });
    await mailbox.close();
    const [first] = await channel.send(message('failed'), [OPS], NEVER);
    const [second] = await channel.send(message('failed'), [OPS], NEVER);
    for (const outcome of [first, second])
      expect(outcome).toMatchObject({ result: 'later', afterMs: expect.any(Number) });
    expect(reasonOf(second)).toContain('it is left alone for a while: connect ECONNREFUSED');
    // Somebody who asks is told how it is now.
    const [asked] = await channel.send(test, [OPS], NEVER);
    expect(reasonOf(asked)).toMatch(/^mail server 127\.0\.0\.1: connect ECONNREFUSED/);
  });

  it('connections that the server closed meanwhile are replaced, and nothing is lost', async () => {
    const channel = channelTo();
    for (let round = 0; round < 3; round += 1) {
      expect(results(await channel.send(message('failed'), [OPS], NEVER))).toEqual({ [OPS]: 'taken' });
      await mailbox.hangUp();
    }
    expect(mailbox.mails).toHaveLength(3);
  });

  it('an address refused for good, and one refused for now: the others get the mail', async () => {
    mailbox.refuse(OPS, 550);
    mailbox.refuse('late@example.com', 451);
    const channel = channelTo();
    const told = message('failed');
    const outcomes = await channel.send(told, [OPS, 'late@example.com', TEAM], NEVER);
    expect(results(outcomes)).toEqual({ [OPS]: 'refused', 'late@example.com': 'later', [TEAM]: 'taken' });
    expect(reasonOf(outcomes[0])).toBe('mail server 127.0.0.1: 550 refused with 550');
    mailbox.accept('late@example.com');
    expect(results(await channel.send(told, ['late@example.com'], NEVER))).toEqual({ 'late@example.com': 'taken' });
    expect(mailbox.mails.map(({ to }) => to)).toEqual([[TEAM], ['late@example.com']]);
  });

  it('an address refused among others is not taken, however its domain is written', async () => {
    mailbox.refuse('Ops@example.com', 550);
    mailbox.refuse('late@example.com', 451);
    const [ops, late] = ['Ops@Example.com', 'late@EXAMPLE.com'];
    const outcomes = await channelTo().send(message('failed'), [ops, late, TEAM], NEVER);
    expect(results(outcomes)).toEqual({ [ops]: 'refused', [late]: 'later', [TEAM]: 'taken' });
    expect(mailbox.mails.map(({ to }) => to)).toEqual([[TEAM]]);
  });

  it.each([
    [550, 'refused'],
    [451, 'later'],
  ])('the only address refused with %d is %s', async (code, result) => {
    mailbox.refuse(OPS, code);
    expect(results(await channelTo().send(message('failed'), [OPS], NEVER))).toEqual({ [OPS]: result });
  });

  it.each([
    [552, 'refused'],
    [452, 'later'],
  ])('the message itself refused with %d is %s', async (code, result) => {
    mailbox.refuseData(code);
    const channel = channelTo();
    expect(results(await channel.send(message('failed'), [OPS], NEVER))).toEqual({ [OPS]: result });
    // The connection is fine.
    mailbox.refuseData(undefined);
    expect(results(await channel.send(message('failed'), [OPS], NEVER))).toEqual({ [OPS]: 'taken' });
  });

  it('our sender refused can be mended: later', async () => {
    mailbox.refuseSender(553);
    const channel = channelTo();
    const told = message('failed');
    const [outcome] = await channel.send(told, [OPS], NEVER);
    expect([outcome?.result, reasonOf(outcome)]).toEqual(['later', expect.stringContaining('553')]);
    mailbox.refuseSender(undefined);
    expect(results(await channel.send(told, [OPS], NEVER))).toEqual({ [OPS]: 'taken' });
  });

  it.each([421, 554])('turned away with %d: later, a fault of the server', async (code) => {
    mailbox.refuseConnections(code);
    const [outcome] = await channelTo().send(message('failed'), [OPS], NEVER);
    expect(outcome?.result).toBe('later');
    expect(reasonOf(outcome)).toContain(String(code));
  });

  it('that never answers is let go', async () => {
    const release = new AbortController();
    mailbox.answersAfter(async () => once(release.signal, 'abort'));
    const [outcome] = await channelTo({}, { silenceMs: 100 }).send(message('failed'), [OPS], NEVER);
    release.abort();
    expect(outcome?.result).toBe('later');
    expect(reasonOf(outcome)).toMatch(/timeout/i);
  });

  it('that is slow gets all the time it needs, also when the service stops meanwhile', async () => {
    const stop = new AbortController();
    mailbox.answersAfter(async () => {
      stop.abort(new Error('the service stops'));
      await pause(50);
    });
    const channel = channelTo();
    expect(results(await channel.send(message('failed'), [OPS], stop.signal))).toEqual({ [OPS]: 'taken' });
    const [next] = await channel.send(message('failed'), [OPS], stop.signal);
    expect([next?.result, reasonOf(next)]).toEqual(['later', 'mail server 127.0.0.1: the service stops']);
    expect(mailbox.mails).toHaveLength(1);
  });

  it('closing lets the message under way through, and ends the connections', async () => {
    const channel = channelTo();
    mailbox.answersAfter(async () => channel.close());
    expect(results(await channel.send(message('failed'), [OPS], NEVER))).toEqual({ [OPS]: 'taken' });
    await expect.poll(() => mailbox.connectionsNow, { timeout: 10_000, interval: 10 }).toBe(0);
    const [after] = await channel.send(message('failed'), [OPS], NEVER);
    expect(after?.result).toBe('later');
  });
});

describe('a login', () => {
  it('that is wrong can be mended, so the message waits; the password is nowhere', async () => {
    mailbox.login('vm', 'right');
    const wrong = await channelTo({ user: 'vm', password: 'wr0ng-secret', starttls: 'never' }).send(
      message('failed'),
      [OPS],
      NEVER,
    );
    expect(wrong[0]?.result).toBe('later');
    expect(reasonOf(wrong[0])).toContain('535');
    expect(JSON.stringify(wrong)).not.toContain('wr0ng-secret');
    const right = channelTo({ user: 'vm', password: 'right', starttls: 'never' });
    expect(results(await right.send(message('failed'), [OPS], NEVER))).toEqual({ [OPS]: 'taken' });
  });
});

describe('TLS', () => {
  let folder: string;
  let ca_file: string;
  let tls: { key: string; cert: string };
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'h2k-mail-'));
    ca_file = path.join(folder, 'ca.pem');
    tls = await makeCertificate();
    writeFileSync(ca_file, tls.cert);
    await mailbox.close();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['from the first byte', { secure: true }],
    ['after STARTTLS', { starttls: 'required' }],
  ])('%s, with the CA of ca_file and without', async (_how, smtp) => {
    mailbox = await Mailbox.open(0, { tls, secure: 'secure' in smtp });
    const trusting = channelTo({ ...smtp, ca_file });
    expect(results(await trusting.send(message('failed'), [OPS], NEVER))).toEqual({ [OPS]: 'taken' });
    expect(mailbox.mails.map(({ encrypted }) => encrypted)).toEqual([true]);
    const [outcome] = await channelTo(smtp).send(message('failed'), [OPS], NEVER);
    expect(outcome?.result).toBe('later');
    expect(reasonOf(outcome)).toMatch(/certificate/);
    expect(mailbox.mails).toHaveLength(1);
  });

  it('required and not offered: nothing leaves', async () => {
    mailbox = await Mailbox.open();
    const [outcome] = await channelTo({ starttls: 'required' }).send(message('failed'), [OPS], NEVER);
    expect(outcome?.result).toBe('later');
    expect(mailbox.mails).toHaveLength(0);
  });

  it('a ca_file that is not there is told at once', () => {
    expect(() => channelTo({ ca_file: path.join(folder, 'none.pem') })).toThrow('none.pem');
  });
});
