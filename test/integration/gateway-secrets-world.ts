/** Everything that a full run needs, and the ears and eyes that hear and see all of it. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { createLogger, openBus } from '@hyper2kvm/runtime';
import { wiretap } from '../support/canary/messages.js';
import { watchProcesses } from '../support/canary/processes.js';
import { Mailbox } from '../support/mailbox.js';
import { startOtlpReceiver } from '../support/otlp.js';
import { freePort } from '../support/ports.js';
import { startVcsim } from '../support/vcsim.js';
import { makeDisk, servedDisk } from './export-setup.js';
import { startStack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';
import { serviceProcesses, type ServiceProcess } from './service-process.js';

// Signs that encodings treat in different ways, but quotes and backslashes: those would look otherwise in each kind of text.
export const PASSWORD = 'Canary p+ss/w?rd&%~ü-9f2c';
export const WRONG = 'Canary wr+ng/?&%~-7b1d';
export const CONFIGURED = 'Canary c+nf/?&%~-1e6a';
export const LUKS = 'Canary l+ks/k?y&%~-3c4d';
export const SIGNING = 'Canary s+gn/?&%~-0a9b';
export const TOKEN = 'Canary-t+k/n~-5e8a-0123456789';
/** Within an address, so that it holds nothing that is escaped there. */
export const WEBHOOK = 'Canary-w~bh_k-8d3b';
export const PLANTED = 'Planted c+n/?ry&%~ü-2d7f';

export type World = Awaited<ReturnType<typeof startWorld>>;

/** Real services but for the converter, a simulated vCenter, receivers of traces, mails and callbacks. */
export async function startWorld() {
  const ends: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await open(ends)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(ends: (() => unknown)[]) {
  const stack = await startStack();
  ends.push(() => stack.stop());
  const otlp = await startOtlpReceiver();
  ends.push(() => otlp.stop());
  const mailbox = await Mailbox.open();
  ends.push(() => mailbox.close());
  const callbacks: string[] = [];
  const callbackUrl = await receiver(callbacks, ends);
  const services = await serviceProcesses();
  ends.push(() => services.stop());
  const disk = await makeDisk(services.folder, 'disk', 66 * 2 ** 20);
  const vms = ['web', 'db', 'mail', 'shop', 'cli'].map((name) => ({ name, disks: [servedDisk(disk)] }));
  const vcsim = await startVcsim({ password: PASSWORD, vms });
  ends.push(() => vcsim.stop());
  const nats = { servers: stack.nats.servers };
  const { bus, close } = await openBus({
    nats: { ...nats, replicas: 1 },
    service: 'test',
    workerId: 'test',
    logger: createLogger('test', 'error'),
  });
  ends.push(close);
  const wire = await wiretap(bus);
  /** Processes whose arguments and environment are looked at, with their children; of the quiet ones the arguments alone. */
  const [roots, quiet]: [number[], number[]] = [[], []];
  const watch = watchProcesses(roots, quiet);
  ends.push(() => watch.stop());
  const sealingKey = randomBytes(32).toString('base64');
  const port = await freePort();
  const common = { nats, secrets: { key: sealingKey }, logging: { level: 'debug' } };
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.endpoint };
  const gateway = {
    listen: `127.0.0.1:${port}`,
    database: { url: stack.postgres.url },
    api: { auth: { enabled: true, token: TOKEN } },
  };
  const exporter = { work_dir: `${services.folder}/work`, min_free_bytes: 0, shutdown_grace_seconds: 0 };
  const smtp = { host: '127.0.0.1', port: mailbox.port, from: 'hyper2kvm@example.com' };
  const vsphere = { server: 'vc.example.com', username: 'svc', password: CONFIGURED };
  const running: ServiceProcess[] = await Promise.all([
    services.start('gateway', { ...common, vsphere, gateway }, env),
    services.start('exporter', { ...common, exporter }, env),
    services.start('notifier', { ...common, notifier: { smtp, webhook: { secret: SIGNING } } }, env),
  ]);
  roots.push(...running.map(({ pid }) => pid));
  let stopConverter: (() => Promise<void>) | undefined = await startWorkers(stack.nats.servers, {}, ['converter']);
  const endWork = async (): Promise<void> => {
    await stopConverter?.();
    stopConverter = undefined;
    for (const service of running) await service.kill('SIGTERM');
  };
  ends.push(endWork);
  /** All that the API answered, with the headers; what the command line printed. */
  const [answers, printed]: [string[], string[]] = [[], []];
  const url = `http://127.0.0.1:${port}`;
  const seen = { answers, printed, callbacks };
  return {
    stack,
    otlp,
    mailbox,
    callbackUrl,
    vcsim,
    bus,
    wire,
    watch,
    roots,
    quiet,
    running,
    sealingKey,
    url,
    seen,
    workDir: exporter.work_dir,
    /** Ends those who would react to what is planted. */
    endWork,
    ask: askerOf(url, answers),
  };
}

async function receiver(callbacks: string[], ends: (() => unknown)[]): Promise<string> {
  const server = createServer((request, response) => {
    void readText(request).then((body) => {
      callbacks.push(JSON.stringify(request.headers), body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

interface Asked {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Record<string, string>;
}
const askerOf =
  (url: string, answers: string[]) =>
  async (method: string, path: string, { body, token = TOKEN, headers = {} }: Asked = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // A stream of events goes on while its job does; the jobs asked for have ended.
    const text = await response.text();
    const all = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    answers.push(`${method} ${path} ${response.status}\n${all}\n${text}`);
    return {
      status: response.status,
      text,
      json: <T>(schema: { parse(value: unknown): T }) => schema.parse(JSON.parse(text)),
    };
  };
