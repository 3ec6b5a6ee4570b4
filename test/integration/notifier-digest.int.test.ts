import { EventEmitter, once } from 'node:events';
import { batchCompleted } from '@hyper2kvm/contracts';
import { DeadLetterStore } from '@hyper2kvm/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BATCH_ID, kill, startNotifierStack, unsettled, type NotifierStack } from './notifier-stack.js';

const TEAM = { smtp: {}, rules: [] };
const BATCH = { batch_id: BATCH_ID, batch_name: 'web farm' };
const ENDS = { name: 'web farm', notify_email: 'owner@example.com' };

let stack: NotifierStack;
beforeEach(async () => {
  stack = await startNotifierStack();
});
afterEach(async () => stack.close());

/** With `smtp.to`, which hears of every job. */
const configure = (to: readonly string[], more: object = {}): void =>
  stack.configure({
    ...TEAM,
    smtp: { host: '127.0.0.1', port: stack.mailbox.port, from: 'vm@example.com', to },
    ...more,
  });
const jobs = async (from: number, to: number): Promise<void> => {
  for (let at = from; at < to; at += 1)
    await stack.tell(at % 50 === 0 ? 'failed' : 'completed', `fact-${at}`, BATCH, at);
};
const mails = async (count: number): Promise<void> =>
  vi.waitFor(() => expect(stack.mailbox.mails).toHaveLength(count), { timeout: 60_000, interval: 100 });
const keys = async (pattern: string): Promise<string[]> => {
  const info = await stack.bus.jsm.streams.info('KV_notifications', {
    subjects_filter: `$KV.notifications.${pattern}`,
  });
  return Object.keys(info.state.subjects ?? {});
};

describe('a batch of 500', () => {
  it('is one mail for each person, though one of two notifiers is killed in the middle of it', async () => {
    configure(['team@example.com']);
    const [first] = [await stack.notifier(), await stack.notifier()];
    await jobs(0, 250);
    await kill(first, 'SIGKILL');
    await jobs(250, 500);
    await stack.tell('batch', 'batch-end', { ...ENDS, completed: 490, failed: 10, cancelled: 0 });
    await mails(2);
    await vi.waitFor(
      async () => expect(await unsettled(stack.bus, 'notifier', ['completed', 'failed', 'batch'])).toBe(0),
      40_000,
    );
    const team = stack.mailbox.mails.find(({ to }) => to.includes('team@example.com'));
    expect(team?.raw).toContain('web farm');
    expect(team?.raw).toContain('490');
    for (const at of [0, 50, 450]) expect(team?.raw).toContain(`vm-${at}`);
    const owner = stack.mailbox.mails.find(({ to }) => to.includes('owner@example.com'));
    expect(owner?.header('Message-ID')).toBe('<batch-end@hyper2kvm>');
    // What was told waits no more.
    expect(stack.mailbox.mails).toHaveLength(2);
    await vi.waitFor(async () => expect([await keys('h.>'), await keys('g.>')]).toEqual([[], []]), 10_000);
  });
});

describe('a digest', () => {
  it('is sent again with the same id when its notifier was killed while it sent', async () => {
    configure(['team@example.com']);
    const gate = new EventEmitter();
    const began = once(gate, 'began');
    // The server takes the message, and says so only after the notifier was killed.
    stack.mailbox.answersAfter(async () => {
      gate.emit('began');
      await once(gate, 'killed');
    });
    const first = await stack.notifier();
    await jobs(0, 3);
    await stack.tell('batch', 'batch-end', { completed: 2, failed: 1, cancelled: 0 });
    await began;
    await kill(first, 'SIGKILL');
    stack.mailbox.answersAfter(() => Promise.resolve());
    gate.emit('killed');
    // It comes too late for the message that is repeated.
    await jobs(3, 4);
    await stack.notifier();
    await mails(2);
    const ids = stack.mailbox.mails.map((mail) => mail.header('Message-ID'));
    expect(ids[0]).toMatch(/^<digest-[0-9a-f]{32}@hyper2kvm>$/);
    expect(ids[1]).toBe(ids[0]);
    for (const { raw } of stack.mailbox.mails)
      expect([0, 1, 2, 3].map((at) => raw.includes(`vm-${at}`))).toEqual([true, true, true, false]);
  });

  it('that is refused for good is one dead letter, and comes whole when that is sent again', async () => {
    configure([]);
    stack.mailbox.refuse('gone@example.com', 550);
    await stack.notifier();
    const own = { ...BATCH, notify_email: 'gone@example.com' };
    for (let at = 1; at <= 3; at += 1) await stack.tell('failed', `fact-${at}`, own, at);
    await stack.tell('batch', 'batch-end', { completed: 0, failed: 3, cancelled: 0 });
    const store = new DeadLetterStore(stack.bus);
    await vi.waitFor(async () => expect((await store.page(10)).total).toBe(1), { timeout: 30_000, interval: 200 });
    const [letter] = (await store.page(10)).letters;
    expect(letter?.reason).toMatch(/gone@example\.com \(.*550/);
    expect(letter?.reason).toContain('2 more');
    stack.mailbox.accept('gone@example.com');
    if (letter) await store.republish(letter);
    await mails(1);
    for (const at of [1, 2, 3]) expect(stack.mailbox.mails[0]?.raw).toContain(`vm-${at}`);
  });

  it('that is refused for good stays one dead letter while its fact comes again for somebody else', async () => {
    const late = { name: 'late', facts: ['batch.completed'], to: { email: ['late@example.com'] }, at_once: true };
    configure(['gone@example.com'], { rules: [late] });
    stack.mailbox.refuse('gone@example.com', 550);
    stack.mailbox.refuse('late@example.com', 451);
    await stack.notifier();
    await jobs(1, 3);
    await stack.tell('batch', 'batch-end', { completed: 2, failed: 0, cancelled: 0 });
    const letters = async (): Promise<number> => (await new DeadLetterStore(stack.bus).page(10)).total;
    const deliveries = async (): Promise<number> =>
      (await stack.bus.jsm.consumers.info('FACTS', 'notifier-batch-completed')).delivered.consumer_seq;
    await vi.waitFor(async () => expect(await letters()).toBe(1), { timeout: 30_000, interval: 200 });
    const before = await deliveries();
    await vi.waitFor(async () => expect(await deliveries()).toBeGreaterThan(before), 40_000);
    stack.mailbox.accept('late@example.com');
    await mails(1);
    await vi.waitFor(async () => expect(await unsettled(stack.bus, 'notifier', ['batch'])).toBe(0), 10_000);
    expect([await letters(), await keys('h.>')]).toEqual([1, []]);
  });

  it('comes so long after the first job of a batch that goes on', async () => {
    configure(['team@example.com'], { digest: { every_minutes: 0.05 } });
    await stack.notifier();
    await jobs(1, 4);
    await mails(1);
    for (const at of [1, 2, 3]) expect(stack.mailbox.mails[0]?.raw).toContain(`vm-${at}`);
    expect(await stack.bus.place(batchCompleted, BATCH_ID)).toBe(0);
  });

  it('is not made where that is switched off', async () => {
    configure(['team@example.com'], { digest: { batches: false } });
    await stack.notifier();
    await jobs(1, 4);
    await mails(3);
  });
});
