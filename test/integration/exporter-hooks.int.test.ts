/** Hooks in an exporter of its own over a real NATS: run, cancelled, killed with it, and not understood. */
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hookCompleted, hookFailed, hookRequested, jobLog, type HookSubject } from '@hyper2kvm/contracts';
import { createLogger, openBus } from '@hyper2kvm/runtime';
import { headers } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNats } from '../support/nats.js';
import { firstOf, startProcess, type ExporterProcess } from './export-process.js';
import { removeFolder, tempFolder } from './export-setup.js';

const sh = (script: string): object => ({ argv: ['/bin/sh', '-c', script, 'hook'] });
const ABOUT: HookSubject = { moment: 'before', scope: 'vm', job_id: 'job-abc123', vm_name: 'web' };

let folder: string;
let config: string;
let exporter: ExporterProcess;
let opened: Awaited<ReturnType<typeof openBus>>;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await tempFolder();
  undo.push(async () => removeFolder(folder));
  const nats = await startNats();
  undo.push(async () => nats.stop());
  config = path.join(folder, 'config.yaml');
  await writeFile(
    config,
    JSON.stringify({
      nats: { servers: nats.servers },
      secrets: { key: randomBytes(32).toString('base64') },
      exporter: { work_dir: path.join(folder, 'work'), shutdown_grace_seconds: 0 },
      hooks: {
        commands: {
          freeze: sh('echo "frozen $HYPER2KVM_VM_NAME for $1"'),
          no: sh('echo no way; exit 3'),
          slow: sh(`echo $$ >> ${folder}/$1; sleep 60`),
          // The first time it waits, and is gone with its worker; the second time it is through.
          twice: sh(`test -e ${folder}/twice && exit 0; echo $$ > ${folder}/twice; sleep 60`),
        },
      },
    }),
    { mode: 0o600 },
  );
  opened = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'test',
    workerId: 'test',
    logger: createLogger('test', 'error'),
  });
  undo.push(opened.close);
  exporter = await startProcess(config);
  undo.push(async () => exporter.kill('SIGKILL'));
});
afterAll(async () => {
  for (const step of undo.toReversed()) await step();
});

const ask = async (id: string, command: string, args: string[] = []): Promise<void> =>
  opened.queue.send(
    hookRequested,
    {
      job_id: id,
      attempt: 1,
      generation: 0,
      lane: 'normal',
      pool: 'any',
      hook: { command, args, timeout_seconds: 100, on_failure: 'fail' },
      about: ABOUT,
    },
    { eventId: randomUUID() },
  );
const end = (id: string) => firstOf(opened.bus, id, hookCompleted, hookFailed);
const pidIn = async (name: string): Promise<number> => {
  const file = path.join(folder, name);
  await expect
    .poll(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'), { timeout: 20_000 })
    .toBe(true);
  return Number(readFileSync(file, 'utf8'));
};
const gone = async (pid: number): Promise<void> =>
  expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);

describe('hooks of the exporter', () => {
  test('end in a fact that says all, and in no log of a job', async () => {
    await ask('hook-frozen', 'freeze', ['a b']);
    expect(await end('hook-frozen')).toMatchObject({ completed: { code: 0, output: 'frozen web for a b\n' } });
    await ask('hook-refused', 'no');
    expect(await end('hook-refused')).toMatchObject({
      failed: { failure: { code: 'HOOK_FAILED', message: 'The hook no ended with exit code 3: no way' } },
    });
    expect(await opened.bus.last(jobLog, 'hook-refused')).toBeUndefined();
    expect(exporter.output.filter((line) => line.includes('a line of the log was lost'))).toEqual([]);
  });

  test('end when they are cancelled', async () => {
    await ask('hook-cancelled', 'slow', ['cancelled']);
    const pid = await pidIn('cancelled');
    await opened.queue.cancel(hookRequested, 'hook-cancelled');
    await gone(pid);
  });

  test('that cannot be understood are put aside, and come to an end', async () => {
    const { bus, claims } = opened;
    const fence = { job_id: 'hook-unknown', attempt: 1, generation: 0, lane: 'normal', pool: 'any' } as const;
    await claims.prepare('hook', fence);
    const hdrs = headers();
    for (const [key, value] of Object.entries({ id: 'x', type: 'task.hook.v9', source: 'test', specversion: '1.0' }))
      hdrs.set(`ce-${key}`, value);
    await bus.js.publish('task.hook.any.hook-unknown', '{}', { headers: hdrs });
    expect(await end('hook-unknown')).toMatchObject({ failed: { failure: { code: 'INVALID_MESSAGE' } } });
  });

  test('die with their worker, and are run again by the next', async () => {
    await ask('hook-again1', 'twice');
    const pid = await pidIn('twice');
    await exporter.kill('SIGKILL');
    await gone(pid);
    exporter = await startProcess(config);
    expect(await end('hook-again1')).toMatchObject({ completed: { code: 0 } });
  });
});
