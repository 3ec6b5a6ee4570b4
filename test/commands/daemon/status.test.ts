import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { siteEnv } from '../site/index.js';
import { Home } from './home.js';

let home: Home;
beforeEach(() => (home = new Home()));
afterEach(() => home.remove());

it('shows each service, and whether all is well', async () => {
  await home.start();
  const status = await home.daemon('status', '--all');
  expect(status.stdout).toMatch(/^Local stack: ready, home /);
  expect(status.stdout).toMatch(/^SERVICE +STATE +HEALTH +UPTIME +VERSION +JOBS +PID +RESTARTS +LOG$/m);
  expect(status.stdout).toMatch(/^postgres +running +\w+ +\d+s +18\.\d+ +- +\d+ +0 +\/.*postgres\.log$/m);
  // A part of it without a gateway that answers is no whole.
  expect(status.exitCode).toBe(1);
  const document = JSON.parse((await home.daemon('status', '--json')).stdout) as object;
  expect(document).toMatchObject({ manager: 'local', running: true, home: home.path, queue_depth: null });
  expect(document).toHaveProperty('services.0', expect.objectContaining({ name: 'nats', worker: null, wanted: true }));
});

it('has the gateway of another machine tell where nothing is on this one', async () => {
  const { url } = inject('site');
  const far = await home.run(['daemon', 'status'], siteEnv());
  expect(far.exitCode, far.stderr).toBe(0);
  expect(far.stdout).toMatch(/^Another machine: healthy\nGateway: +http/);
  expect(far.stdout).toContain(`Gateway:     ${url}`);
  expect(far.stdout).toMatch(/^Queue: +\d+ messages? \(high \d+, normal \d+, low \d+\)/m);
  expect(far.stdout).toMatch(/^WORKER +SERVICE +STATUS +JOBS/m);
  expect(far.stdout).toMatch(/ converter +running +\d+\/4 /);
  const gone = await home.run(['daemon', 'status'], { HYPER2KVM_URL: 'http://127.0.0.1:1' });
  expect(gone).toMatchObject({ exitCode: 3, stdout: '' });
});

it('knows what a killed supervisor left, and a state that cannot be read', async () => {
  await home.start();
  const { supervisor } = home.state;
  process.kill(supervisor.pid, 'SIGKILL');
  await expect
    .poll(async () => (await home.daemon('status')).stdout, { timeout: 30_000 })
    .toContain('its supervisor was killed');
  writeFileSync(home.paths.state, '{"version":1,');
  const unreadable = await home.daemon('status');
  expect(unreadable).toMatchObject({ exitCode: 1, stderr: '' });
  expect(unreadable.stdout).toContain('Local stack: stopped');
});
