/**
 * No secret appears anywhere: after a full run everything that could have kept one is searched, once it was proven that it would be
 * found there.
 */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { FORGOTTEN } from '@hyper2kvm/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dumpOf } from '../support/canary/database.js';
import { filesOf } from '../support/canary/files.js';
import { formsOf, leaksIn } from '../support/canary/forms.js';
import { plantInStreams, streamsOf } from '../support/canary/messages.js';
import { askEverything, fullRun } from './gateway-secrets-run.js';
import {
  CONFIGURED,
  LUKS,
  PASSWORD,
  PLANTED,
  SIGNING,
  startWorld,
  TOKEN,
  WEBHOOK,
  WRONG,
  type World,
} from './gateway-secrets-world.js';
import { until } from './gateway-stack.js';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world?.stop();
});

/** Puts the planted text, in all its forms, where the run alone does not bring it. Before that, those who would react are ended. */
async function plant(): Promise<void> {
  const { bus, callbackUrl, mailbox, otlp, roots, running, seen, watch, workDir } = world;
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
  await world.endWork();
  await plantInStreams(bus, text);
  await writeFile(`${workDir}/planted`, text);
  await fetch(callbackUrl, { method: 'POST', body: text });
  mailbox.mails.push({ from: '', to: [], raw: text, header: () => undefined, encrypted: false });
  seen.printed.push(text);
}

it('no password, token or key in rows, messages, logs, spans, processes, files, mails or answers', async () => {
  const { bus, mailbox, otlp, running, seen, stack, watch, wire, workDir } = world;
  const done = await fullRun(world);
  await askEverything(world, done);
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
    expect(database.get(`public.${table}`), table).toBeTruthy();
  for (const stream of ['FACTS', 'LOGS', 'PROGRESS', 'DEAD_LETTERS', 'KV_claims', 'KV_workers'])
    expect(kept.get(stream), stream).toBeTruthy();
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
  for (const service of running) expect(service.log()).toBeTruthy();
  // Exporters start children of their own.
  expect(watch.count()).toBeGreaterThan(running.length);
  expect([seen.callbacks.length > 0, mailbox.mails.length > 0]).toEqual([true, true]);

  // Whatever nobody needs any more has gone, also sealed.
  const { rows } = await stack.db.query<{ status: string; source: string; options: string }>(
    'SELECT status, source::text, options::text FROM jobs',
  );
  for (const { status, source, options } of rows.filter((row) => row.status !== 'failed')) {
    expect(options, status).not.toContain('luks_keys_sealed');
    expect(source, status).toContain(FORGOTTEN);
  }
  expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['completed', 'failed', 'cancelled']));

  await plant();
  const sinks = new Map<string, string>([
    ...[...(await dumpOf(stack.db))].map(([table, text]): [string, string] => [`table ${table}`, text]),
    ...[...(await streamsOf(bus))].map(([stream, text]): [string, string] => [`stream ${stream}`, text]),
    ['wire', wire.text()],
    ['logs', running.map((service) => service.log()).join('\n')],
    ['spans', otlp.bodies.join('\n')],
    ['process arguments', watch.arguments()],
    ['process environments', watch.environments()],
    ['files of workers', await filesOf(workDir)],
    ['mails', mailbox.mails.map(({ raw }) => raw).join('\n')],
    ['callbacks', seen.callbacks.join('\n')],
    ['command line', seen.printed.join('\n')],
    ['answers', seen.answers.join('\n')],
  ]);

  const blind = [...sinks]
    .filter(([name]) => !name.startsWith('table ') || name === 'table public.jobs' || name === 'table public.outbox')
    .flatMap(([name, text]) =>
      [...formsOf(PLANTED).keys()]
        .filter(
          (form) => !leaksIn(text, new Map([['planted', PLANTED]])).some((leak) => leak.startsWith(`planted ${form}:`)),
        )
        .map((form) => `${name}: ${form}`),
    );
  expect(blind).toEqual([]);

  const secrets = new Map([
    ['password', PASSWORD],
    ['wrong password', WRONG],
    ['configured password', CONFIGURED],
    ['LUKS key', LUKS],
    ['signing secret', SIGNING],
    ['sealing key', world.sealingKey],
    ['token', TOKEN],
    ['made token', done.made],
  ]);
  const leaks = [...sinks].flatMap(([name, text]) => leaksIn(text, secrets).map((leak) => `${name}: ${leak}`));
  expect(leaks).toEqual([]);

  // Who is told is kept, and told to the notifier; it is shown to nobody.
  const knows = /^(table public\.(jobs|batches|outbox)|stream (FACTS|DEAD_LETTERS|KV_notifications)|wire)$/;
  const receivers = new Map([['path of a receiver', WEBHOOK]]);
  const shown = [...sinks].filter(([name]) => !knows.test(name));
  expect(shown.flatMap(([name, text]) => leaksIn(text, receivers).map((leak) => `${name}: ${leak}`))).toEqual([]);
  expect(sinks.get('table public.jobs')).toContain(WEBHOOK);
}, 240_000);
