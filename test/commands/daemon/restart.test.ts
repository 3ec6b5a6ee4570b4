import { afterEach, beforeEach, expect, it } from 'vitest';
import { Home } from './home.js';

let home: Home;
beforeEach(() => (home = new Home()));
afterEach(() => home.remove());

it('restarts one service, or all of them', async () => {
  await home.start();
  const before = { nats: home.pid('nats'), postgres: home.pid('postgres'), supervisor: home.state.supervisor.pid };
  const one = await home.daemon('restart', 'nats');
  expect(one).toEqual({ exitCode: 0, stdout: 'Restarted: nats', stderr: '' });
  expect(home.pid('nats')).not.toBe(before.nats);
  expect(home.pid('postgres')).toBe(before.postgres);
  expect(home.state.services['nats']).toMatchObject({ state: 'running', wanted: true });

  // A supervisor with nothing to supervise is still there.
  expect((await home.daemon('stop', 'nats', 'postgres')).stdout).toBe('Stopped: nats, postgres');
  expect((await home.daemon('start', 'nats')).stdout).toBe('Started: nats');
  expect(home.state.supervisor.pid).toBe(before.supervisor);

  const all = await home.daemon('restart', '--all', '--json');
  expect(all.exitCode, all.stderr).toBe(0);
  expect(JSON.parse(all.stdout)).toEqual({ manager: 'local', restarted: ['nats', 'postgres'], handed_back: [] });
  expect(home.state.supervisor.pid).not.toBe(before.supervisor);
  expect(home.state.state).toBe('ready');
  expect((await home.daemon('restart')).exitCode).toBe(2);
});
