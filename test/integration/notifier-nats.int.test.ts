import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { batchCompleted, jobCancelled, jobCompleted, jobFailed } from '@hyper2kvm/contracts';
import { createLogger, openBus, type Bus } from '@hyper2kvm/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../support/ports.js';
import { Mailbox } from '../support/mailbox.js';
import { startOtlpReceiver } from '../support/otlp.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const golden = (type: string): unknown =>
  JSON.parse(readFileSync(path.join(ROOT, `libs/contracts/test/golden/${type}.json`), 'utf8'));
/** Without the sample's receivers, these tests have their own, and of no batch: nothing is gathered. */
const {
  callback_url: _completed,
  slack_webhook: _s1,
  batch_id: _b1,
  ...COMPLETED
} = jobCompleted.schema.parse(golden('job.completed.v1'));
const {
  callback_url: _failed,
  slack_webhook: _s2,
  batch_id: _b2,
  ...FAILED
} = jobFailed.schema.parse(golden('job.failed.v1'));
const {
  callback_url: _batch,
  slack_webhook: _s3,
  ...BATCH
} = batchCompleted.schema.parse(golden('batch.completed.v1'));
const JOB = COMPLETED.job_id;

let folder: string;
let servers: string[];
let mailbox: Mailbox;
let bus: Bus;
/** Undone in reverse order, also when setting up stopped half-way. */
const undo: (() => Promise<unknown>)[] = [];
const children = new Set<ChildProcess>();

function start(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'ignore'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  return child.exitCode;
}

/** A receiver that takes what it gets, or never says anything. */
async function receiver(answers: boolean): Promise<{ url: string; bodies: Record<string, unknown>[] }> {
  const bodies: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      bodies.push(body as Record<string, unknown>);
      if (answers) response.end();
    });
  }).listen(0, '127.0.0.1');
  undo.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/key-of-the-receiver`, bodies };
}

/** Starts the service as it is started in production, and waits for its "ready". */
async function notifier(env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const child = start('node', ['services/notifier/dist/main.js'], {
    ...process.env,
    HYPER2KVM_CONFIG: path.join(folder, 'config.yaml'),
    ...env,
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes('"msg":"ready"')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the notifier ended with ${code}`)));
  });
  return child;
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'h2k-notifier-'));
  undo.push(async () => rmSync(folder, { recursive: true, force: true }));
  undo.push(async () => Promise.all([...children].map(async (child) => stop(child, 'SIGKILL'))));
  mailbox = await Mailbox.open();
  undo.push(async () => mailbox.close());
  const port = await freePort();
  servers = [`127.0.0.1:${port}`];
  start('nats-server', ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', path.join(folder, 'nats')]);
  const smtp = { host: '127.0.0.1', port: mailbox.port, from: 'vm@example.com' };
  const key = randomBytes(32).toString('base64');
  // JSON is YAML.
  writeFileSync(
    path.join(folder, 'config.yaml'),
    JSON.stringify({
      nats: { servers },
      secrets: { key },
      notifier: { smtp, webhook: { secret: 'sesame', timeout_seconds: 100 } },
    }),
  );
  const logger = createLogger('test', 'error');
  const opened = await openBus({ nats: { servers, replicas: 1 }, service: 'test', workerId: 'test', logger });
  undo.push(opened.close);
  ({ bus } = opened);
});

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

const mails = async (count: number): Promise<void> =>
  vi.waitFor(() => expect(mailbox.mails).toHaveLength(count), { timeout: 30_000, interval: 50 });
const handled = async (durable: string, stream = 'FACTS'): Promise<void> =>
  vi.waitFor(
    async () => {
      const info = await bus.jsm.consumers.info(stream, durable);
      expect([info.num_pending, info.num_ack_pending]).toEqual([0, 0]);
    },
    { timeout: 30_000, interval: 50 },
  );

describe('the notifier on the bus', () => {
  it('turns the ends of jobs into mails, each once, and stops cleanly', async () => {
    const service = await notifier();
    await bus.publish(jobCompleted, JOB, COMPLETED, { eventId: 'fact-1' });
    await bus.publish(jobCompleted, JOB, COMPLETED, { eventId: 'fact-1' });
    await bus.publish(jobFailed, JOB, FAILED, { eventId: 'fact-2' });
    await mails(2);
    await handled('notifier-job-completed');
    await handled('notifier-job-failed');
    expect(await stop(service, 'SIGTERM')).toBe(0);
    const ids = mailbox.mails.map((mail) => mail.header('Message-ID'));
    expect(new Set(ids)).toEqual(new Set(['<fact-1@hyper2kvm>', '<fact-2@hyper2kvm>']));
  });

  it('mail server down, the notifier killed: the mail comes when both are back', async () => {
    await mailbox.close();
    const first = await notifier();
    await bus.publish(jobFailed, JOB, FAILED, { eventId: 'fact-3' });
    await vi.waitFor(async () => {
      const info = await bus.jsm.consumers.info('FACTS', 'notifier-job-failed');
      expect(info.num_redelivered).toBeGreaterThan(0);
    }, 30_000);
    await stop(first, 'SIGKILL');
    mailbox = await Mailbox.open(mailbox.port);
    await notifier();
    await mails(1);
    await handled('notifier-job-failed');
    expect(mailbox.mails[0]?.header('Message-ID')).toBe('<fact-3@hyper2kvm>');
  });

  it('a recipient that the mail server refuses for good ends as a dead letter, and blocks nothing', async () => {
    mailbox.refuse('gone@example.com', 550);
    await notifier();
    await bus.publish(jobFailed, JOB, { ...FAILED, notify_email: 'gone@example.com' }, { eventId: 'fact-4' });
    await bus.publish(jobFailed, JOB, FAILED, { eventId: 'fact-5' });
    await mails(1);
    await handled('notifier-job-failed');
    const dead = await bus.jsm.streams.getMessage('DEAD_LETTERS', { last_by_subj: `dead.job.failed.${JOB}` });
    expect(dead.header.get('ce-id')).toBe('fact-4');
    expect(dead.header.get('h2k-dead-reason')).toContain('gone@example.com');
    expect(mailbox.mails[0]?.header('Message-ID')).toBe('<fact-5@hyper2kvm>');
  });

  it('a receiver that never answers holds up neither mails nor the callbacks of others; a stop does not wait for it', async () => {
    const hanging = await receiver(false);
    const fine = await receiver(true);
    const otlp = await startOtlpReceiver();
    undo.push(async () => otlp.stop());
    const service = await notifier({ OTEL_EXPORTER_OTLP_ENDPOINT: otlp.endpoint });
    const of = async (url: string, id: string): Promise<unknown> =>
      bus.publish(jobCompleted, JOB, { ...COMPLETED, callback_url: url }, { eventId: id });
    for (let at = 0; at < 10; at += 1) await of(hanging.url, `stuck-${at}`);
    await of(fine.url, 'fine-1');
    const cancelled = { job_id: JOB, vm_name: 'web', cancelled_by: 'alice', callback_url: fine.url };
    await bus.publish(jobCancelled, JOB, cancelled, { eventId: 'fine-2' });
    const { batch_id: id } = BATCH;
    await bus.publish(batchCompleted, id, { ...BATCH, callback_url: fine.url }, { eventId: 'fine-3' });
    await mails(12);
    await vi.waitFor(() => expect(fine.bodies).toHaveLength(3), 30_000);
    expect(hanging.bodies.length).toBeGreaterThan(0);
    expect(new Set(fine.bodies.map((body) => body['status']))).toEqual(new Set(['success', 'cancelled', 'completed']));
    expect(mailbox.mails.find((mail) => mail.header('X-Hyper2kvm-Batch') === id)?.to).toEqual(['ops@example.com']);
    expect(await stop(service, 'SIGTERM')).toBe(0);
    expect(otlp.spans.map(({ name }) => name)).toContain('notify webhook');
    expect(otlp.bodies.some((body) => body.includes('key-of-the-receiver'))).toBe(false);
    // Unsettled, for the next instance.
    const { num_ack_pending } = await bus.jsm.consumers.info('FACTS', 'notifier-callbacks-job-completed');
    expect(num_ack_pending).toBe(10);
  });
});
