import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hyperctl } from '../../integration/cli-standin.js';
import { Home } from './home.js';

let home: Home;
beforeEach(() => {
  home = new Home();
  mkdirSync(home.paths.logs);
});
afterEach(() => home.remove());

const log = (service: string): string => path.join(home.paths.logs, `${service}.log`);
const line = (service: string, time: string, msg: string, more = {}): string =>
  `${JSON.stringify({ level: 'info', time, service, msg, ...more })}\n`;
const env = { TZ: 'UTC' };

it('merges the logs of services, readable, and across a rotation', async () => {
  writeFileSync(`${log('gateway')}.1`, line('gateway', '2026-01-17T10:00:00.000Z', 'old'));
  writeFileSync(log('gateway'), line('gateway', '2026-01-17T10:00:02.000Z', 'taken', { job_id: 'job-7k2m9x4qa3hd' }));
  writeFileSync(
    log('converter'),
    line('converter', '2026-01-17T10:00:01.000Z', 'no \u001b[31mroom', { level: 'error', err: { message: 'ENOSPC' } }),
  );
  writeFileSync(log('postgres'), '2026-01-17 10:00:03.500 UTC [7] LOG:  checkpoint starting\n\tof its second line\n');
  const shown = await home.run(['daemon', 'logs'], env);
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  expect(shown.stdout.split('\n')).toEqual([
    '2026-01-17 10:00:00.000 gateway   INFO  old',
    '2026-01-17 10:00:01.000 converter ERROR no [31mroom: ENOSPC',
    '2026-01-17 10:00:02.000 gateway   INFO  taken (job-7k2m9x4qa3hd)',
    '2026-01-17 10:00:03.500 postgres  INFO  checkpoint starting',
    '2026-01-17 10:00:03.500 postgres   of its second line',
  ]);
  const some = await home.run(['daemon', 'logs', 'gateway', 'python', '--tail', '2'], env);
  expect(some.stdout.split('\n').map((text) => text.slice(24, 33))).toEqual(['converter', 'gateway  ']);
  const since = await home.run(['daemon', 'logs', 'gateway', '--since', '2026-01-17T10:00:01Z', '--json'], env);
  expect(since.stdout.split('\n').map((text) => JSON.parse(text) as unknown)).toEqual([
    { level: 'info', time: '2026-01-17T10:00:02.000Z', service: 'gateway', msg: 'taken', job_id: 'job-7k2m9x4qa3hd' },
  ]);

  const none = await home.run(['daemon', 'logs', 'nats'], env);
  expect(none).toMatchObject({ exitCode: 0, stdout: '' });
  expect(none.stderr).toContain('there is nothing in the logs of the local stack');
  expect((await home.run(['daemon', 'logs', 'gatway'], env)).stderr).toContain('did you mean "gateway"?');
});

it('follows a log that is moved aside, until Ctrl-C', async () => {
  writeFileSync(log('gateway'), line('gateway', '2026-01-17T10:00:00.000Z', 'one'));
  const following = hyperctl(['daemon', 'logs', 'gateway', '--follow', '--json'], { HYPER2KVM_HOME: home.path });
  let said = '';
  (following as unknown as { stdout: NodeJS.ReadableStream }).stdout.on(
    'data',
    (data: Buffer) => (said += data.toString()),
  );
  const sees = async (text: string): Promise<void> => {
    await expect.poll(() => said, { timeout: 30_000 }).toContain(`"msg":"${text}"`);
  };
  await sees('one');
  const cut = line('gateway', '2026-01-17T10:00:01.000Z', 'two');
  appendFileSync(log('gateway'), cut.slice(0, 20));
  appendFileSync(log('gateway'), cut.slice(20));
  await sees('two');
  appendFileSync(log('gateway'), line('gateway', '2026-01-17T10:00:02.000Z', 'three'));
  renameSync(log('gateway'), `${log('gateway')}.1`);
  writeFileSync(log('gateway'), line('gateway', '2026-01-17T10:00:03.000Z', 'four'));
  await sees('four');
  following.kill('SIGINT');
  expect((await following).exitCode).toBe(130);
  const messages = said
    .trim()
    .split('\n')
    .map((text) => (JSON.parse(text) as { msg: string }).msg);
  expect(messages).toEqual(['one', 'two', 'three', 'four']);
});
