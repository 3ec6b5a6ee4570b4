import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Terminal } from '../support/tmux.js';
import { Gate, startOwnFleet, type OwnFleet } from './own-fleet.js';
import { until } from './site/index.js';

let fleet: OwnFleet;
/** Conversions wait for it. */
let gate: Gate;
beforeAll(async () => {
  fleet = await startOwnFleet({ converting: async (_, work) => gate.passed(work.signal) });
});
beforeEach(() => {
  gate = new Gate();
});
afterEach(async () => {
  gate.open();
  await fleet?.hyperctl(['resume', '--all']);
});
afterAll(() => fleet?.stop());

const converting = async (vm: string): Promise<string> => {
  const id = await fleet.client.convert(vm);
  await fleet.client.reaches(id, 'converting');
  return id;
};

it('hyperctl drain --wait: shows what is left, and ends when nothing runs any more', async () => {
  const id = await converting('drain-1');
  const terminal = await Terminal.open({ columns: 100, env: { ...fleet.env } });
  await terminal.run('hyperctl drain converter-1 --wait');
  await terminal.waitFor('⏳ Draining 1 worker, 1 job left: converter-1 1');
  gate.open();
  await fleet.client.reaches(id, 'completed');
  const lines = (await terminal.waitFor(/They can be stopped[^]*\[0\] \$/)).split('\n');
  expect(lines.slice(1, 4)).toEqual([
    'converter-1: drains; 1 job goes on',
    'converter-1: drained, nothing runs on it',
    'They can be stopped now. To have them go on: hyperctl resume converter-1',
  ]);
});

it('hyperctl drain: tells at once; a second one says that it was draining', async () => {
  await converting('drain-2');
  expect(await fleet.hyperctl(['drain', '--daemon', 'python'])).toEqual({
    exitCode: 0,
    stdout:
      'converter-1: drains; 1 job goes on\n' +
      'Wait for the end: hyperctl drain --daemon python --wait\nTo go on instead: hyperctl resume --daemon python',
    stderr: '',
  });
  expect((await fleet.hyperctl(['drain', 'converter-1'])).stdout).toMatch(/^converter-1: was draining already; /);
  const idle = await fleet.json<{ workers: object[] }>(['drain', 'exporter-1', '--wait']);
  expect(idle.workers).toMatchObject([{ worker_id: 'exporter-1', status: 'drained' }]);
  expect((await fleet.hyperctl(['drain', 'nobody'])).exitCode).toBe(4);
});

it('hyperctl drain --wait: Ctrl-C leaves it draining; one that is resumed meanwhile is no drained one', async () => {
  await converting('drain-3');
  const terminal = await Terminal.open({ columns: 60, env: { ...fleet.env } });
  await terminal.run('hyperctl drain --all --wait');
  await terminal.waitFor('⏳ Draining 1 worker, 1 job left');
  await terminal.keys('C-c');
  const screen = await terminal.waitFor('[130] $');
  expect(screen).toContain('The draining goes on. Look at it: hyperctl workers');
  expect((await fleet.hyperctl(['workers'])).stdout).toMatch(/^converter-1 .* draining /m);

  await fleet.hyperctl(['resume', '--all']);
  const waiting = fleet.hyperctl(['drain', 'converter-1', '--wait', '--quiet']);
  await until(
    () => fleet.hyperctl(['workers']),
    ({ stdout }) => /^converter-1 .* draining /m.test(stdout),
  );
  await fleet.hyperctl(['resume', 'converter-1']);
  expect(await waiting).toEqual({ exitCode: 1, stdout: '', stderr: 'converter-1: somebody had it go on' });
});
