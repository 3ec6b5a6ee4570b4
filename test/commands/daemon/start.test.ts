import { createServer } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Home } from './home.js';

let home: Home;
beforeEach(() => (home = new Home()));
afterEach(() => home.remove());

it('starts what is named, with what that needs, and the rest when it is named', async () => {
  const first = await home.daemon('start', 'nats');
  expect(first.exitCode, first.stderr).toBe(0);
  expect(first.stdout).toBe('Started: nats, postgres');
  expect(first.stderr).toContain('Starting nats …');
  const states = (): Record<string, [string, boolean]> =>
    Object.fromEntries(Object.entries(home.state.services).map(([name, one]) => [name, [one.state, one.wanted]]));
  expect(states()).toMatchObject({
    nats: ['running', true],
    gateway: ['stopped', false],
    converter: ['stopped', false],
  });

  expect((await home.daemon('start', 'nats')).stdout).toBe('Running already: nats');
  const named = await home.daemon('start', '--daemon', 'notifier', '--json');
  expect(JSON.parse(named.stdout)).toEqual({ manager: 'local', started: ['notifier'], already_running: [] });
  expect(states()['notifier']).toEqual(['running', true]);
});

it('says what is wrong, and starts nothing', async () => {
  const nothing = await home.daemon('start');
  expect(nothing).toMatchObject({ exitCode: 2, stdout: '' });
  expect(nothing.stderr).toContain('what is to start?');
  const slip = await home.daemon('start', 'convertr');
  expect(slip.exitCode).toBe(2);
  expect(slip.stderr).toContain('there is no service convertr; did you mean "converter"?');
  expect((await home.daemon('start', '--all', 'nats')).stderr).toContain('--all and nats do not go together');

  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const used = await home.daemon('start', '--only', 'nats', '--port', String(port));
  taken.close();
  expect(used.exitCode).toBe(1);
  expect(used.stderr).toContain(`port ${port} is taken by another program`);

  const file = path.join(home.path, 'file');
  writeFileSync(file, '');
  const unusable = await home.daemon('start', '--all', '--home', path.join(file, 'home'));
  expect(unusable.exitCode).toBe(1);
  expect(unusable.stderr).toContain('cannot be used: ');
  expect(unusable.stderr).toContain('choose another --home');
  const forced = await home.daemon('start', '--all', '--systemd');
  expect(forced.exitCode).toBe(1);
  expect(forced.stderr).toMatch(/systemd does not run this machine|no unit of hyper2kvm is installed/);
});
