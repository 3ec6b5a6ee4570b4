/** The notifier's service process(es) as in production, a real NATS, a real mail server and real receivers. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { batchCompleted, jobCancelled, jobCompleted, jobFailed, type EventDefinition } from '@hyper2kvm/contracts';
import { createLogger, openBus, type Bus } from '@hyper2kvm/runtime';
import { Mailbox } from '../support/mailbox.js';
import { startNats } from '../support/nats.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const sample = (type: string): object =>
  JSON.parse(readFileSync(path.join(ROOT, `libs/contracts/test/golden/${type}.v1.json`), 'utf8')) as object;
const EVENTS = { completed: jobCompleted, failed: jobFailed, cancelled: jobCancelled, batch: batchCompleted };
const SAMPLES = {
  completed: sample('job.completed'),
  failed: sample('job.failed'),
  cancelled: sample('job.cancelled'),
  batch: sample('batch.completed'),
};
/** Nobody but whom the test names. */
const NOBODY = { notify_email: undefined, callback_url: undefined, slack_webhook: undefined };
const NO_BATCH = { batch_id: undefined, batch_name: undefined };

export type FactKind = keyof typeof EVENTS;
export const jobId = (at: number): string => `job-${String(at).padStart(12, '0')}`;
export const BATCH_ID = 'batch-000000000001';

export interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}
/** A status, with headers where they matter; undefined: no answer at all. */
export type Answer = number | readonly [number, Record<string, string>] | undefined;

export interface Receiver {
  readonly url: string;
  readonly calls: Call[];
  /** Listens no more. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export interface NotifierStack {
  readonly bus: Bus;
  readonly servers: string[];
  mailbox: Mailbox;
  /** Starts the service and waits for its "ready". */
  notifier(env?: NodeJS.ProcessEnv): Promise<ChildProcess>;
  /** An HTTP server on loopback. */
  receiver(answer?: (calls: readonly Call[]) => Answer | Promise<Answer>): Promise<Receiver>;
  configure(notifier: object): void;
  /** Publishes a fact; of a job, `at` names it. */
  tell(kind: FactKind, eventId: string, change?: object, at?: number, time?: string): Promise<void>;
  close(): Promise<void>;
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** @param notifier the section of the configuration, beside smtp */
export async function startNotifierStack(notifier: object = {}): Promise<NotifierStack> {
  const undo: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const folder = mkdtempSync(path.join(tmpdir(), 'h2k-notifier-'));
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    const children: ChildProcess[] = [];
    const nats = await startNats();
    undo.push(async () => nats.stop());
    const logger = createLogger('test', 'error');
    const ids = { service: 'test', workerId: 'test' };
    const opened = await openBus({ nats: { servers: nats.servers, replicas: 1 }, ...ids, logger });
    undo.push(opened.close);
    const stack: NotifierStack = {
      bus: opened.bus,
      servers: nats.servers,
      mailbox: await Mailbox.open(),
      close,
      configure: (section) => {
        const smtp = { host: '127.0.0.1', port: stack.mailbox.port, from: 'vm@example.com' };
        const config = { nats: { servers: nats.servers }, notifier: { smtp, ...section } };
        // JSON is YAML.
        writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(config));
      },
      notifier: async (env = {}) => {
        const args = ['services/notifier/dist/main.js'];
        const child = spawn('node', args, {
          cwd: ROOT,
          env: { ...process.env, HYPER2KVM_CONFIG: path.join(folder, 'config.yaml'), ...env },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        children.push(child);
        await new Promise<void>((resolve, reject) => {
          child.stdout.on('data', (chunk: Buffer) => {
            if (chunk.includes('"msg":"ready"')) resolve();
          });
          child.once('exit', (code) => reject(new Error(`the notifier ended with ${code}`)));
        });
        return child;
      },
      receiver: async (answer = () => 200) => {
        const calls: Call[] = [];
        const server = createServer((request, response) => {
          void json(request).then(async (body) => {
            calls.push({ headers: request.headers, body: body as Record<string, unknown> });
            const said = await answer(calls);
            const [status, headers] = typeof said === 'object' ? said : [said, {}];
            if (status !== undefined) response.writeHead(status, headers).end();
          });
        });
        const down = async (): Promise<void> => {
          if (!server.listening) return;
          const closed = once(server, 'close');
          server.close();
          server.closeAllConnections();
          await closed;
        };
        const up = async (port = 0): Promise<number> => {
          await once(server.listen(port, '127.0.0.1'), 'listening');
          return (server.address() as AddressInfo).port;
        };
        undo.push(down);
        const port = await up();
        return { url: `http://127.0.0.1:${port}/secret-path`, calls, down, up: async () => void (await up(port)) };
      },
      tell: async (kind, eventId, change = {}, at = 1, time = new Date().toISOString()) => {
        const own = kind === 'batch' ? { batch_id: BATCH_ID } : { ...NO_BATCH, job_id: jobId(at), vm_name: `vm-${at}` };
        const now = new Date().toISOString();
        const times = kind === 'cancelled' ? {} : { created_at: now, completed_at: now };
        const data = JSON.parse(JSON.stringify({ ...SAMPLES[kind], ...NOBODY, ...own, ...times, ...change })) as object;
        const event: EventDefinition = EVENTS[kind];
        await opened.bus.publish(event, kind === 'batch' ? BATCH_ID : jobId(at), data, { eventId, time });
      },
    };
    undo.push(async () => stack.mailbox.close());
    undo.push(async () => Promise.all(children.map(async (child) => kill(child, 'SIGKILL'))));
    stack.configure(notifier);
    return stack;
  } catch (error) {
    await close();
    throw error;
  }
}

/** The facts of a channel that were taken to their end. @param durable `notifier`, `notifier-slack` or `notifier-callbacks` */
export async function unsettled(bus: Bus, durable: string, kinds: readonly FactKind[]): Promise<number> {
  let sum = 0;
  for (const kind of kinds) {
    const { num_pending, num_ack_pending } = await bus.jsm.consumers.info(
      'FACTS',
      `${durable}-${EVENTS[kind].name.replaceAll('.', '-')}`,
    );
    sum += num_pending + num_ack_pending;
  }
  return sum;
}
