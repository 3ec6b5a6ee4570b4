import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expectNoProcesses } from '../../support/processes.js';
import { Home } from './home.js';

let home: Home;
beforeEach(() => (home = new Home()));
afterEach(() => home.remove());

it('stops one service, which stays stopped until it is started', async () => {
  await home.start();
  const postgres = home.pid('postgres');
  const stopped = await home.daemon('stop', 'nats');
  expect(stopped).toEqual({ exitCode: 0, stdout: 'Stopped: nats', stderr: '' });
  expect(home.state.services['nats']).toMatchObject({ state: 'stopped', wanted: false, process: null });
  expect(home.pid('postgres')).toBe(postgres);

  // What dies is started anew; what was stopped on purpose is not.
  process.kill(postgres, 'SIGKILL');
  await expect
    .poll(() => home.pid('postgres') > 0 && home.pid('postgres') !== postgres, { timeout: 30_000 })
    .toBe(true);
  await sleep(500);
  expect(home.state.services['nats']?.state).toBe('stopped');
  const status = await home.daemon('status');
  expect(status.exitCode).toBe(1);
  expect(status.stdout).toMatch(/^nats +stopped on purpose/m);
  expect((await home.daemon('stop', 'nats')).stdout).toBe('nats: stopped already');

  // Also with a supervisor that was started anew, but not with a start of everything.
  process.kill(home.state.supervisor.pid, 'SIGKILL');
  const orphaned = await home.daemon('stop', 'postgres');
  expect(orphaned.exitCode, orphaned.stderr).toBe(0);
  const again = await home.daemon('start', '--only', 'nats,postgres');
  expect(again.exitCode, again.stderr).toBe(0);
  expect(home.state.services['nats']).toMatchObject({ state: 'running', wanted: true });
});

it('finds a supervisor whose state is lost', async () => {
  await home.start();
  writeFileSync(home.paths.state, '{"version":1,');
  const stopped = await home.daemon('stop', '--all');
  expect(stopped).toEqual({ exitCode: 0, stdout: 'Stopped: the supervisor', stderr: '' });
  await expectNoProcesses(home.path);
});

it('stops everything once, and says so', async () => {
  await home.start();
  const both = await Promise.all([home.daemon('stop', '--all'), home.daemon('stop', '--all', '--json')]);
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await home.daemon('stop', '--all')).toEqual({
    exitCode: 0,
    stdout: `Nothing runs in ${home.path}.`,
    stderr: '',
  });
  expect((await home.daemon('stop')).exitCode).toBe(2);
});
