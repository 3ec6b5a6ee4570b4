import { setTimeout as pause } from 'node:timers/promises';
import { DeadLetterStore } from '@hyper2kvm/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Mailbox } from '../support/mailbox.js';
import { startNotifierStack, unsettled, type Call, type NotifierStack } from './notifier-stack.js';

const GROUPS = ['notifier', 'notifier-slack', 'notifier-callbacks'];
const KINDS = ['completed', 'failed'] as const;
const DOWN_MS = 3_000;

let stack: NotifierStack;
beforeEach(async () => {
  stack = await startNotifierStack();
});
afterEach(async () => stack.close());

/** How often each fact came. */
const times = (ids: readonly (string | undefined)[]): Map<string, number> => {
  const found = new Map<string, number>();
  for (const id of ids) found.set(id ?? '', (found.get(id ?? '') ?? 0) + 1);
  return found;
};
const idOf = ({ headers }: Call): string => String(headers['webhook-id']);
const mailed = (): Map<string, number> =>
  times(stack.mailbox.mails.map((mail) => mail.header('Message-ID')?.slice(1, -'@hyper2kvm>'.length)));
const settled = async (): Promise<void> =>
  vi.waitFor(
    async () => {
      for (const group of GROUPS) expect([group, await unsettled(stack.bus, group, KINDS)]).toEqual([group, 0]);
    },
    { timeout: 100_000, interval: 500 },
  );

it('1,000 facts reach everybody: once when all is well, and at least once after receivers were down, slow or refusing', async () => {
  const ofSlack = await stack.receiver();
  const fine = await stack.receiver();
  const broken = await stack.receiver((calls) => (calls.length <= 40 ? 500 : 200));
  const busy = await stack.receiver((calls) => (calls.length <= 4 ? [429, { 'retry-after': '1' }] : 200));
  const away = await stack.receiver();
  const slow = await stack.receiver(async () => pause(50, 204));
  const deaf = await stack.receiver((calls) => (calls.length <= 8 ? undefined : 200));
  const gone = await stack.receiver(() => 410);
  stack.configure({
    smtp: { host: '127.0.0.1', port: stack.mailbox.port, from: 'vm@example.com', to: ['team@example.com'] },
    slack: { webhooks: { ops: ofSlack.url } },
    webhook: { timeout_seconds: 5 },
    rules: [{ name: 'all', facts: ['job.completed', 'job.failed'], to: { slack: ['ops'] } }],
  });
  await stack.notifier();
  await stack.notifier();

  const facts = async (from: number, to: number, callbacks: readonly string[]): Promise<void> => {
    for (let at = from; at < to; at += 1) {
      const change = { callback_url: callbacks[at % callbacks.length] };
      await stack.tell(at % 3 === 0 ? 'failed' : 'completed', `fact-${at}`, change, at);
    }
  };
  await facts(0, 500, [fine.url]);
  await settled();
  const once = new Map(Array.from({ length: 500 }, (_, at) => [`fact-${at}`, 1]));
  expect(mailed()).toEqual(once);
  expect(times(fine.calls.map(idOf))).toEqual(once);
  expect(ofSlack.calls).toHaveLength(500);

  const { port, mails } = stack.mailbox;
  await stack.mailbox.close();
  await Promise.all([away.down(), ofSlack.down()]);
  const told = facts(500, 1000, [fine.url, broken.url, busy.url, away.url, slow.url, deaf.url, gone.url]);
  await pause(DOWN_MS);
  stack.mailbox = await Mailbox.open(port);
  stack.mailbox.mails.push(...mails);
  stack.mailbox.refuse('team@example.com', 451);
  await Promise.all([away.up(), ofSlack.up(), pause(DOWN_MS)]);
  stack.mailbox.accept('team@example.com');
  await told;
  await settled();

  expect(mailed().size).toBe(1000);
  const called = new Set([fine, broken, busy, away, slow, deaf, gone].flatMap(({ calls }) => calls.map(idOf)));
  expect(called.size).toBe(1000);
  expect(ofSlack.calls.length).toBeGreaterThanOrEqual(1000);
  const named = JSON.stringify(ofSlack.calls.map(({ body }) => body)).match(/vm-\d+/g);
  expect(new Set(named).size).toBe(1000);
  const letters = new Set(gone.calls.map(idOf));
  expect((await new DeadLetterStore(stack.bus).page(1)).total).toBe(letters.size);
});
