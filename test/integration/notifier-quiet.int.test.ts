import { readFileSync } from 'node:fs';
import { jobCompleted, jobFailed } from '@hyper2kvm/contracts';
import {
  Deliveries,
  EmailChannel,
  Flusher,
  Held,
  NotifierConfig,
  Pipeline,
  Records,
  Templates,
  type OutcomeFact,
} from '@hyper2kvm/notifier';
import { createLogger, openBus, type Bus } from '@hyper2kvm/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Mailbox } from '../support/mailbox.js';
import { startNats, type NatsServer } from '../support/nats.js';

const golden = (type: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../libs/contracts/test/golden/${type}.v1.json`, import.meta.url), 'utf8'));
const SAMPLES = {
  completed: jobCompleted.schema.parse(golden('job.completed')),
  failed: jobFailed.schema.parse(golden('job.failed')),
};
const NEVER = new AbortController().signal;
const BATCH = 'batch-000000000001';

let nats: NatsServer;
let mailbox: Mailbox;
let bus: Bus;
let closeBus: () => Promise<void>;
let pipeline: Pipeline;
let flushers: Flusher[];
/** When the quiet hours that are now end. */
let quietUntil: number | undefined;

beforeEach(async () => {
  quietUntil = undefined;
  [nats, mailbox] = await Promise.all([startNats(), Mailbox.open()]);
  const log = createLogger('test', 'silent');
  const ids = { service: 'test', workerId: 'test', logger: log };
  ({ bus, close: closeBus } = await openBus({ nats: { servers: nats.servers, replicas: 1 }, ...ids }));
  const config = NotifierConfig.parse({
    smtp: { host: '127.0.0.1', port: mailbox.port, to: ['team@example.com'] },
    quiet_hours: { from: '22:00', to: '07:00', timezone: 'UTC', but_not: ['job.failed'] },
    rules: [
      { name: 'night', facts: ['job.completed'], tags: ['now'], to: { email: ['oncall@example.com'] }, at_once: true },
    ],
  });
  const channel = new EmailChannel(config.smtp, Templates.load());
  const records = new Records(bus);
  const held = new Held(records);
  const quiet = { until: () => quietUntil };
  const common = { config, held, quiet, log };
  const deliveries = new Deliveries(records);
  pipeline = new Pipeline({ ...common, channel, deliveries, placeOf: () => Promise.resolve(0) });
  // Two, as of two notifiers.
  flushers = [1, 2].map(
    () =>
      new Flusher({
        ...common,
        channels: new Map([['email', new EmailChannel(config.smtp, Templates.load())] as const]),
        isThrough: () => Promise.resolve(true),
        putAside: () => Promise.reject(new Error('nobody refuses')),
        pollMs: 50,
      }),
  );
  for (const flusher of flushers) flusher.start();
});
afterEach(async () => {
  await Promise.all(flushers.map(async (flusher) => flusher.stop()));
  await closeBus();
  await Promise.all([nats.stop(), mailbox.close()]);
});

const fact = (kind: 'completed' | 'failed', at: number, change: object = {}): OutcomeFact =>
  ({
    kind,
    eventId: `fact-${at}`,
    time: new Date().toISOString(),
    data: { ...SAMPLES[kind], batch_id: undefined, notify_email: undefined, vm_name: `vm-${at}`, tags: [], ...change },
  }) as OutcomeFact;
const mails = async (count: number): Promise<void> =>
  vi.waitFor(() => expect(mailbox.mails).toHaveLength(count), { timeout: 20_000, interval: 20 });
const names = (at: number): string[] => [...new Set(mailbox.mails[at]?.raw.match(/vm-\d+/g))].toSorted();

it('in quiet hours facts wait, but for those that must not; at their end all is told at once', async () => {
  quietUntil = Date.now() + 3_600_000;
  for (let at = 0; at < 20; at += 1)
    await pipeline.handle(fact('completed', at, { batch_id: at % 2 ? BATCH : undefined }), NEVER);
  await pipeline.handle(fact('failed', 20), NEVER);
  await pipeline.handle(fact('completed', 21, { tags: ['now'] }), NEVER);
  await mails(2);
  expect([names(0), names(1)]).toEqual([['vm-20'], ['vm-21']]);
  expect(mailbox.mails[1]?.to).toEqual(['oncall@example.com']);
  // The same fact again, later: it waits already.
  await pipeline.handle(fact('completed', 0), NEVER);
  expect(mailbox.mails).toHaveLength(2);
  // Webhooks of facts are secrets that a digest needs not.
  const records = new Records(bus);
  const kept = await records.all(await records.keys('h.>'));
  expect(kept).toHaveLength(21);
  expect(JSON.stringify(kept)).not.toContain('https://hooks.slack.com');

  quietUntil = undefined;
  // Slowly enough for the other notifier to see that somebody is sending.
  mailbox.answersAfter(async () => new Promise((resolve) => setTimeout(resolve, 500)));
  const [key = ''] = await new Held(new Records(bus)).groups();
  await new Held(new Records(bus)).hasten(key, Date.now());
  await mails(3);
  expect(names(2)).toHaveLength(21);
  expect(mailbox.mails[2]?.to).toEqual(['team@example.com']);
  expect(mailbox.mails[2]?.raw).toContain('While it was quiet');
  await vi.waitFor(async () => expect(await new Held(new Records(bus)).groups()).toEqual([]), 10_000);
  expect(mailbox.mails).toHaveLength(3);
});

it('a digest whose time comes in quiet hours waits for their end', async () => {
  quietUntil = Date.now() - 1;
  await pipeline.handle(fact('completed', 1), NEVER);
  quietUntil = Date.now() + 1_500;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(mailbox.mails).toEqual([]);
  quietUntil = undefined;
  await mails(1);
  // One alone is told as itself.
  expect(mailbox.mails[0]?.header('Message-ID')).toBe('<fact-1@hyper2kvm>');
});

it('while NATS is away what was sent is remembered as soon as it is back', async () => {
  mailbox.answersAfter(async () => nats.kill('SIGKILL'));
  const handling = pipeline.handle(fact('completed', 1), NEVER);
  await mails(1);
  await nats.start();
  await handling;
  mailbox.answersAfter(() => Promise.resolve());
  await pipeline.handle(fact('completed', 1), NEVER);
  expect(mailbox.mails).toHaveLength(1);
});
