import { setTimeout as pause } from 'node:timers/promises';
import { batchCompleted, notificationStatus, testNotifications } from '@hyper2kvm/contracts';
import { DeadLetterStore } from '@hyper2kvm/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Mailbox } from '../support/mailbox.js';
import { kill, startNotifierStack, unsettled, type NotifierStack } from './notifier-stack.js';

let stack: NotifierStack;
beforeEach(async () => {
  stack = await startNotifierStack();
});
afterEach(async () => stack.close());

const smtp = (to: readonly string[]): object => ({
  smtp: { host: '127.0.0.1', port: stack.mailbox.port, from: 'vm@example.com', to },
});
const recipients = (): string[] => stack.mailbox.mails.flatMap(({ to }) => to);
const soon = async (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(async () => check(), { timeout: 30_000, interval: 100 });
const settled = async (group = 'notifier'): Promise<void> =>
  soon(async () => expect(await unsettled(stack.bus, group, ['completed', 'failed', 'cancelled', 'batch'])).toBe(0));

describe('what became of a fact', () => {
  it('is known after a restart, and to another notifier: who was told is not told again', async () => {
    stack.configure(smtp(['team@example.com']));
    const first = await stack.notifier();
    await stack.tell('failed', 'fact-1');
    await soon(() => expect(recipients()).toEqual(['team@example.com']));
    await settled();
    await kill(first, 'SIGKILL');
    // As when the acknowledgement was lost, or somebody sent the message again.
    const again = await stack.bus.jsm.streams.getMessage('FACTS', { last_by_subj: 'job.failed.>' });
    await stack.bus.js.publish(again.subject, again.data, { headers: again.header, msgID: 'another' });
    await stack.notifier();
    await stack.tell('failed', 'fact-2', {}, 2);
    await soon(() => expect(recipients()).toHaveLength(2));
    await settled();
    expect(stack.mailbox.mails.map((mail) => mail.header('Message-ID'))).toEqual([
      '<fact-1@hyper2kvm>',
      '<fact-2@hyper2kvm>',
    ]);
  });

  it('that could not be written down is not told: it would be told again and again', async () => {
    const callback = await stack.receiver();
    stack.configure(smtp(['team@example.com']));
    await stack.notifier();
    const { config } = await stack.bus.jsm.streams.info('KV_notifications');
    await stack.bus.jsm.streams.update('KV_notifications', { ...config, max_bytes: 1 });
    await stack.tell('failed', 'fact-1', { callback_url: callback.url });
    // Each channel has tried twice.
    await soon(async () => {
      for (const durable of ['notifier-job-failed', 'notifier-callbacks-job-failed']) {
        const { delivered } = await stack.bus.jsm.consumers.info('FACTS', durable);
        expect(delivered.consumer_seq).toBeGreaterThanOrEqual(2);
      }
    });
    await stack.bus.jsm.streams.update('KV_notifications', { ...config, max_bytes: -1 });
    await settled();
    await settled('notifier-callbacks');
    expect([recipients(), callback.calls.length]).toEqual([['team@example.com'], 1]);
  });

  it('of long ago is told like any other: nobody is given up who was hardly tried', async () => {
    // More at once than may wait for one receiver.
    const slow = await stack.receiver(async () => pause(50, 200));
    await stack.notifier();
    const time = new Date(Date.now() - 100 * 3_600_000).toISOString();
    for (let at = 0; at < 120; at += 1) await stack.tell('failed', `fact-${at}`, { callback_url: slow.url }, at, time);
    await settled('notifier-callbacks');
    expect(new Set(slow.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(120);
    expect((await new DeadLetterStore(stack.bus).page(1)).total).toBe(0);
  });

  it('a dead letter that is sent again goes to those who refused it, and to nobody else', async () => {
    stack.configure(smtp(['team@example.com', 'gone@example.com']));
    stack.mailbox.refuse('gone@example.com', 550);
    await stack.notifier();
    await stack.tell('failed', 'fact-1');
    const store = new DeadLetterStore(stack.bus);
    await soon(async () => expect((await store.page(1)).total).toBe(1));
    const [letter] = (await store.page(1)).letters;
    expect(letter?.reason).toMatch(/gone@example.com \(.*550/);
    expect(letter?.reason).not.toContain('team@example.com');
    stack.mailbox.accept('gone@example.com');
    if (letter) await store.republish(letter);
    await settled();
    expect(recipients()).toEqual(['team@example.com', 'gone@example.com']);
  });
});

describe('rules', () => {
  it('choose who is told on which channel; one channel that is down holds up none of the others', async () => {
    const [ops, cmdb] = [await stack.receiver(), await stack.receiver(() => 503)];
    stack.configure({
      smtp: { host: '127.0.0.1', port: stack.mailbox.port, from: 'vm@example.com' },
      slack: { webhooks: { ops: ops.url } },
      webhook: { endpoints: { cmdb: { url: cmdb.url } }, timeout_seconds: 1 },
      notify_on_failure: false,
      rules: [
        { name: 'production', facts: ['job.failed'], tags: ['prod'], to: { email: ['oncall@example.com'] } },
        { name: 'urgent', facts: ['job.failed', 'job.cancelled'], lanes: ['high'], to: { slack: ['ops'] } },
        { name: 'all', facts: ['job.failed', 'batch.completed'], to: { webhook: ['cmdb'] } },
        {
          name: 'farm',
          facts: ['job.failed'],
          batches: ['web farm'],
          to: { email: ['farm@example.com'] },
          at_once: true,
        },
      ],
    });
    await stack.mailbox.close();
    await stack.notifier();
    await stack.tell('failed', 'fact-1', { tags: ['prod'], priority: 'low' }, 1);
    await stack.tell('failed', 'fact-2', { tags: ['test'], priority: 'high' }, 2);
    await stack.tell('cancelled', 'fact-3', { tags: ['prod'], priority: 'high' }, 3);
    await stack.tell('completed', 'fact-4', { tags: ['prod'], priority: 'high' }, 4);
    const farm = { batch_id: 'batch-000000000002', batch_name: 'web farm', tags: [], priority: 'low' };
    await stack.tell('failed', 'fact-5', farm, 5);
    // E-mail is down, and the endpoint refuses: Slack hears of both at once.
    await soon(() => expect(ops.calls).toHaveLength(2));
    expect(new Set(ops.calls.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['fact-2', 'fact-3']));
    stack.mailbox = await Mailbox.open(stack.mailbox.port);
    await soon(() => expect(recipients().toSorted()).toEqual(['farm@example.com', 'oncall@example.com']));
    await soon(() => expect(new Set(cmdb.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(3));
    expect(await stack.bus.place(batchCompleted, 'batch-000000000002')).toBe(0);
  });
});

describe('questions of administrators', () => {
  it('a test goes to everybody who is configured, and tells what each of them said', async () => {
    const [ops, cmdb] = [await stack.receiver(), await stack.receiver(() => 404)];
    stack.mailbox.refuse('gone@example.com', 550);
    stack.configure({
      ...smtp(['team@example.com', 'gone@example.com']),
      slack: { webhooks: { ops: ops.url } },
      webhook: { endpoints: { cmdb: { url: cmdb.url } } },
    });
    await stack.notifier();
    const { results } = await stack.bus.request(testNotifications, {});
    const said = results.map(({ channel, target, delivered }) => [channel, target, delivered]);
    expect(said).toEqual([
      ['email', 'team@example.com', true],
      ['email', 'gone@example.com', false],
      ['slack', 'ops', true],
      ['webhook', 'cmdb', false],
    ]);
    const messages = results.map(({ message }) => message).join('\n');
    expect(messages).toMatch(/250[\s\S]*550[\s\S]*404/);
    expect(JSON.stringify(results)).not.toContain('secret-path');
    expect(recipients()).toEqual(['team@example.com']);

    const one = await stack.bus.request(testNotifications, { channel: 'email', to: 'new@example.com' });
    expect(one.results).toMatchObject([{ target: 'new@example.com', delivered: true }]);
    expect((await stack.bus.request(testNotifications, { channel: 'slack', to: 'ops' })).results).toHaveLength(1);
    await expect(stack.bus.request(testNotifications, { channel: 'slack', to: 'dev' })).rejects.toThrow(
      'to: dev is neither an address nor configured for slack; configured is ops',
    );
    const cut = { channel: 'slack', to: 'hooks.slack.com/services/T0/secret' } as const;
    await expect(stack.bus.request(testNotifications, cut)).rejects.toThrow('to: what is given is neither an address');
  });

  it('the status names targets and rules, and counts what waits', async () => {
    const now = new Date(Date.now() + 24 * 3_600_000);
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][now.getUTCDay()];
    stack.configure({
      ...smtp(['team@example.com']),
      rules: [{ name: 'one', facts: ['job.failed'], lanes: ['high'], to: { email: ['a@example.com'] }, at_once: true }],
      // Not now: tomorrow.
      quiet_hours: { from: '00:00', to: '24:00', timezone: 'UTC', days: [day] },
    });
    await stack.notifier();
    await stack.mailbox.close();
    await stack.tell('failed', 'fact-1', { batch_id: 'batch-000000000001', priority: 'low' }, 1);
    await stack.tell('failed', 'fact-2', { priority: 'low' }, 2);
    await soon(async () => {
      const status = await stack.bus.request(notificationStatus, {});
      expect(status.channels[0]).toEqual({
        channel: 'email',
        configured: true,
        targets: ['team@example.com', 'a@example.com'],
        held: 1,
        waiting: 1,
      });
      expect(status.channels.map(({ configured }) => configured)).toEqual([true, false, false]);
      expect(status.rules).toEqual([
        { name: 'one', summary: 'job.failed of lane high to email a@example.com at once' },
      ]);
      expect([status.quiet_hours, status.quiet_until]).toEqual([`${day} 00:00-24:00 UTC`, null]);
    });
  });
});
