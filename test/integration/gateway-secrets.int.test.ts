/**
 * No secret appears anywhere: a full run with real services (but for the converter), in which every way that a secret comes in is
 * used; then everything that could have kept one is searched, after it was proven that it would be found there.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { BatchDetail, ConvertAccepted, JobDetail, TokenCreated } from '@hyper2kvm/contracts';
import { createLogger, openBus, type Bus } from '@hyper2kvm/runtime';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dumpOf } from '../support/canary/database.js';
import { filesOf } from '../support/canary/files.js';
import { formsOf, leaksIn } from '../support/canary/forms.js';
import { plantInStreams, streamsOf, wiretap, type Wiretap } from '../support/canary/messages.js';
import { watchProcesses, type ProcessWatch } from '../support/canary/processes.js';
import { Mailbox } from '../support/mailbox.js';
import { startOtlpReceiver, type OtlpReceiver } from '../support/otlp.js';
import { freePort } from '../support/ports.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { makeDisk, servedDisk } from './export-setup.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';
import { serviceProcesses, type ServiceProcess } from './service-process.js';

// Signs that encodings treat in different ways, but quotes and backslashes: those would look otherwise in each kind of text.
const PASSWORD = 'Canary p+ss/w?rd&%~ü-9f2c';
const WRONG = 'Canary wr+ng/?&%~-7b1d';
const CONFIGURED = 'Canary c+nf/?&%~-1e6a';
const LUKS = 'Canary l+ks/k?y&%~-3c4d';
const SIGNING = 'Canary s+gn/?&%~-0a9b';
const TOKEN = 'Canary-t+k/n~-5e8a-0123456789';
const PLANTED = 'Planted c+n/?ry&%~ü-2d7f';
const planted = new Map([['planted', PLANTED]]);
const CLI = fileURLToPath(new URL('../../cli/bin/run.js', import.meta.url));

let stack: Stack;
let services: Awaited<ReturnType<typeof serviceProcesses>>;
let vcsim: Vcsim;
let mailbox: Mailbox;
let otlp: OtlpReceiver;
let receiver: Server;
let bus: Bus;
let closeBus: () => Promise<void>;
let stopWorkers: (() => Promise<void>) | undefined;
let wire: Wiretap;
let watch: ProcessWatch;
let url: string;
let sealingKey: string;
/** Tokens that were made in the run. */
let made: string;
const running: ServiceProcess[] = [];
const roots: number[] = [];
const quiet: number[] = [];
/** All that the API answered, with the headers. */
const answers: string[] = [];
const callbacks: string[] = [];
let cliOutput = '';

beforeAll(async () => {
  [stack, services, mailbox, otlp] = await Promise.all([
    startStack(),
    serviceProcesses(),
    Mailbox.open(),
    startOtlpReceiver(),
  ]);
  receiver = createServer((request, response) => {
    void readText(request).then((body) => {
      callbacks.push(JSON.stringify(request.headers), body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  const disk = await makeDisk(services.folder, 'disk', 66 * 2 ** 20);
  vcsim = await startVcsim({
    password: PASSWORD,
    vms: ['web', 'db', 'mail', 'shop', 'cli'].map((name) => ({ name, disks: [servedDisk(disk)] })),
  });
  const nats = { servers: stack.nats.servers };
  ({ bus, close: closeBus } = await openBus({
    nats: { ...nats, replicas: 1 },
    service: 'test',
    workerId: 'test',
    logger: createLogger('test', 'error'),
  }));
  wire = await wiretap(bus);
  watch = watchProcesses(roots, quiet);
  sealingKey = randomBytes(32).toString('base64');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const common = { nats, secrets: { key: sealingKey }, logging: { level: 'debug' } };
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.endpoint };
  const started = await Promise.all([
    services.start(
      'gateway',
      {
        ...common,
        vsphere: { server: 'vc.example.com', username: 'svc', password: CONFIGURED },
        gateway: {
          listen: `127.0.0.1:${port}`,
          database: { url: stack.postgres.url },
          api: { auth: { enabled: true, token: TOKEN } },
        },
      },
      env,
    ),
    services.start(
      'exporter',
      { ...common, exporter: { work_dir: `${services.folder}/work`, min_free_bytes: 0, shutdown_grace_seconds: 0 } },
      env,
    ),
    services.start(
      'notifier',
      {
        ...common,
        notifier: {
          smtp: { host: '127.0.0.1', port: mailbox.port, from: 'hyper2kvm@example.com' },
          webhook: { secret: SIGNING },
        },
      },
      env,
    ),
  ]);
  running.push(...started);
  roots.push(...started.map(({ pid }) => pid));
  stopWorkers = await startWorkers(stack.nats.servers, {}, ['converter']);
});
afterAll(async () => {
  await watch?.stop();
  await stopWorkers?.();
  await services?.stop();
  await closeBus?.();
  await stack?.stop();
  await Promise.all([vcsim?.stop(), mailbox?.close(), otlp?.stop()]);
  receiver?.closeAllConnections();
  receiver?.close();
});

interface Asked {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Record<string, string>;
}
async function ask(method: string, path: string, { body, token = TOKEN, headers = {} }: Asked = {}) {
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
}
const login = (password = PASSWORD) => ({
  server: vcsim.host,
  username: vcsim.username,
  password,
  thumbprint: vcsim.thumbprint,
});
const luks_keys = [{ key_base64: Buffer.from(LUKS).toString('base64') }];

async function convert(vm_name: string, options: object, rest: object, headers = {}): Promise<string> {
  const answer = await ask('POST', '/api/v1/convert', { body: { vm_name, options, ...rest }, headers });
  expect(answer.status, answer.text).toBe(202);
  return answer.json(ConvertAccepted).job_id;
}
const reaches = (id: string, status: string): Promise<JobDetail> =>
  until(
    async () => (await ask('GET', `/api/v1/jobs/${id}`)).json(JobDetail),
    (job) => job.status === status,
    60_000,
  );

/** All ways in, and all kinds of ends. */
async function fullRun(): Promise<{ completed: string; batch: string; worker: string }> {
  expect((await ask('GET', '/api/v1/jobs', { token: `${TOKEN}wrong` })).status).toBe(401);
  // The one answer that shows a token is not kept.
  const created = await fetch(`${url}/api/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'idempotency-key': 'a-token' },
    body: JSON.stringify({ name: 'made', role: 'admin' }),
  });
  made = TokenCreated.parse(await created.json()).token;

  expect((await ask('POST', '/api/v1/vcenters', { body: { name: 'canary', ...login() }, token: made })).status).toBe(
    201,
  );
  expect((await ask('PUT', '/api/v1/vcenters/canary', { body: login() })).status).toBe(200);
  expect((await ask('POST', '/api/v1/vcenters/canary/test')).status).toBe(200);
  expect((await ask('POST', '/api/v1/vcenters/default/test')).status).not.toBe(200);
  expect((await ask('POST', '/api/v1/inventory/vms', { body: { vcenter: login() } })).status).toBe(200);
  await ask('POST', '/api/v1/inspect', { body: { vm_name: 'web', vcenter: login(), luks_keys } });

  // Refused: the login, a field of a wrong type, one that there is not, one that is too long, no JSON at all.
  const refused = { vm_name: 'web', options: {}, vcenter: login(WRONG) };
  expect((await ask('POST', '/api/v1/convert', { body: refused })).status).toBe(401);
  for (const vcenter of [
    { ...login(), password: [PASSWORD] },
    { ...login(), pasword: PASSWORD },
    { ...login(), password: PASSWORD.repeat(100) },
  ])
    expect((await ask('POST', '/api/v1/convert', { body: { ...refused, vcenter } })).status).toBe(400);
  const noJson = { 'content-type': 'application/json' };
  expect((await ask('POST', `/api/v1/convert?password=${encodeURIComponent('x')}`, { headers: noJson })).status).toBe(
    400,
  );

  const callback_url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const told = { notify_email: 'ops@example.com', callback_url };
  // Proves the rows, facts, answers and callbacks that come from them.
  const tags = [...formsOf(PLANTED).values()];
  const key = { 'idempotency-key': 'the-same-job' };
  const rest = { vcenter: login(), luks_keys };
  const completed = await convert('web', { ...told, tags }, rest, key);
  expect(await convert('web', { ...told, tags }, rest, key)).toBe(completed);
  await reaches(completed, 'completed');
  for (const task of ['verify', 'import'])
    expect((await ask('POST', `/api/v1/jobs/${completed}/${task}`, { body: {} })).status).toBe(202);

  const planned = await ask('POST', '/api/v1/batches', {
    body: { name: 'night', vcenter: { server: 'canary' }, options: told, vms: [{ vm_name: 'db', luks_keys }] },
  });
  expect(planned.status, planned.text).toBe(202);
  const batch = (JSON.parse(planned.text) as { batch_id: string }).batch_id;

  // Fails, is tried again with other keys, and fails for good; another is called off while it waits.
  await vcsim.change({ fail: { method: 'CreateSnapshot_Task', fault: 'NoPermission', times: 2 } });
  const failed = await convert('mail', told, { vcenter: { server: 'canary' }, luks_keys });
  await reaches(failed, 'failed');
  expect((await ask('POST', `/api/v1/jobs/${failed}/retry`, { body: { luks_keys } })).status).toBe(202);
  const waiting = await convert('shop', { not_before: '2999-01-01T00:00:00Z' }, { vcenter: login(), luks_keys });
  expect((await ask('DELETE', `/api/v1/jobs/${waiting}`)).status).toBe(200);

  // The command line: the environment is the way in.
  const child = execa(
    process.execPath,
    [
      CLI,
      'convert',
      '--vm',
      'cli',
      '--vcenter',
      vcsim.host,
      '--username',
      vcsim.username,
      '--thumbprint',
      vcsim.thumbprint,
    ],
    {
      env: { HYPER2KVM_URL: url, HYPER2KVM_TOKEN: made, VSPHERE_PASSWORD: PASSWORD, NO_COLOR: '1' },
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: 60_000,
    },
  );
  if (child.pid !== undefined) {
    quiet.push(child.pid);
    roots.push(child.pid);
  }
  const { exitCode, all } = await child;
  expect(exitCode, all).toBe(0);
  cliOutput = all;

  await bus.js.publish('export.requested.normal.any.job-notamessage', 'this is no message');
  expect((await ask('POST', '/api/v1/secrets/rotate')).status).toBe(200);
  await until(
    async () => (await ask('GET', `/api/v1/batches/${batch}`)).json(BatchDetail),
    ({ status }) => status === 'completed',
    60_000,
  );
  await until(
    async () => (await ask('GET', '/api/v1/dead-letters')).text,
    (text) => text.includes('job-notamessage'),
  );
  await until(
    async () => mailbox.mails.length,
    (count) => count >= 2,
  );
  const workers = JSON.parse((await ask('GET', '/api/v1/workers')).text) as { workers: { worker_id: string }[] };
  return { completed, batch, worker: workers.workers[0]?.worker_id ?? '' };
}

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>;
}

/** GET of every address that /openapi.json tells. */
async function askEverything(ids: { completed: string; batch: string; worker: string }): Promise<void> {
  const { paths } = JSON.parse((await ask('GET', '/openapi.json')).text) as Document;
  const letters = JSON.parse((await ask('GET', '/api/v1/dead-letters')).text) as { dead_letters: { id: string }[] };
  const values: [RegExp, string][] = [
    [/(?<=\/jobs\/)\{\w+\}/, ids.completed],
    [/(?<=\/batches\/)\{\w+\}/, ids.batch],
    [/(?<=\/workers\/)\{\w+\}/, ids.worker],
    [/(?<=\/vcenters\/)\{\w+\}/, 'canary'],
    [/(?<=\/dead-letters\/)\{\w+\}/, letters.dead_letters[0]?.id ?? 'none'],
  ];
  const gets = Object.entries(paths).filter(([, methods]) => methods['get'] !== undefined);
  expect(gets.length).toBeGreaterThan(20);
  for (const [path, methods] of gets) {
    const at = values.reduce((so, [hole, value]) => so.replace(hole, value), path);
    const kinds = Object.keys(methods['get']?.responses['200']?.content ?? {});
    for (const accept of kinds.length === 0 ? ['*/*'] : kinds) {
      const { status, text } = await ask('GET', at, { headers: { accept } });
      expect(status, `${at} ${accept}: ${text}`).toBe(200);
    }
  }
}

/** Puts the planted text, in all its forms, where the run alone does not bring it. Before that, those who would react are ended. */
async function plant(): Promise<void> {
  const forms = [...formsOf(PLANTED).values()];
  const text = forms.join('\n');
  const span = {
    name: 'planted',
    attributes: forms.map((stringValue, key) => ({ key: `${key}`, value: { stringValue } })),
  };
  await fetch(`${otlp.endpoint}/v1/traces`, {
    method: 'POST',
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  });
  const script = 'console.log(process.env.PLANTED); setTimeout(() => {}, 60_000)';
  const child = spawn(process.execPath, ['-e', script, '--', ...forms], {
    env: { PLANTED: text },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  roots.push(child.pid ?? -1);
  running.push({ pid: child.pid ?? -1, log: () => log, kill: async () => void child.kill() });
  try {
    await until(
      async () => [log, watch.arguments(), watch.environments()],
      (seen) => seen.every((one) => one.includes(PLANTED)),
    );
  } finally {
    child.kill('SIGKILL');
  }
  await stopWorkers?.();
  stopWorkers = undefined;
  for (const service of running.slice(0, 3)) await service.kill('SIGTERM');
  await plantInStreams(bus, text);
  await writeFile(`${services.folder}/work/planted`, text);
  mailbox.mails.push({ from: '', to: [], raw: text, header: () => undefined });
  cliOutput += text;
}

it('no password, token or key in rows, messages, logs, spans, processes, files, mails or answers', async () => {
  const ids = await fullRun();
  await askEverything(ids);
  const [database, kept] = [await dumpOf(stack.db), await streamsOf(bus)];
  for (const table of [
    'jobs',
    'outbox',
    'vcenters',
    'tokens',
    'audit',
    'idempotency_keys',
    'job_events',
    'job_attempts',
    'batches',
  ])
    expect(database.get(`public.${table}`), table).not.toBe('');
  for (const stream of ['FACTS', 'LOGS', 'PROGRESS', 'DEAD_LETTERS', 'KV_claims', 'KV_workers'])
    expect(kept.get(stream), stream).not.toBe('');
  // What queues gave away, and questions that nothing keeps.
  for (const subject of [
    'export.requested.',
    'conversion.requested.',
    'task.',
    'exporter.describe-vm',
    'exporter.check-vcenter',
  ])
    expect(wire.text()).toContain(subject);
  expect(new Set(otlp.spans.map(({ service }) => service))).toEqual(new Set(['gateway', 'exporter', 'notifier']));
  for (const service of running) expect(service.log()).not.toBe('');
  // Exporters start children of their own.
  expect(watch.count()).toBeGreaterThan(running.length);
  expect([callbacks.length > 0, mailbox.mails.length > 0]).toEqual([true, true]);

  await plant();
  const sinks = new Map<string, string>([
    ...[...(await dumpOf(stack.db))].map(([table, text]): [string, string] => [`table ${table}`, text]),
    ...[...(await streamsOf(bus))].map(([stream, text]): [string, string] => [`stream ${stream}`, text]),
    ['wire', wire.text()],
    ['logs', running.map((service) => service.log()).join('\n')],
    ['spans', otlp.bodies.join('\n')],
    ['process arguments', watch.arguments()],
    ['process environments', watch.environments()],
    ['files of workers', await filesOf(`${services.folder}/work`)],
    ['mails', mailbox.mails.map(({ raw }) => raw).join('\n')],
    ['callbacks', callbacks.join('\n')],
    ['command line', cliOutput],
    ['answers', answers.join('\n')],
  ]);

  const blind = [...sinks]
    .filter(([name]) => !name.startsWith('table ') || name === 'table public.jobs' || name === 'table public.outbox')
    .flatMap(([name, text]) =>
      [...formsOf(PLANTED).keys()]
        .filter((form) => !leaksIn(text, planted).some((leak) => leak.startsWith(`planted ${form}:`)))
        .map((form) => `${name}: ${form}`),
    );
  expect(blind).toEqual([]);

  const secrets = new Map([
    ['password', PASSWORD],
    ['wrong password', WRONG],
    ['configured password', CONFIGURED],
    ['LUKS key', LUKS],
    ['signing secret', SIGNING],
    ['sealing key', sealingKey],
    ['token', TOKEN],
    ['made token', made],
  ]);
  const leaks = [...sinks].flatMap(([name, text]) => leaksIn(text, secrets).map((leak) => `${name}: ${leak}`));
  expect(leaks).toEqual([]);
}, 240_000);
