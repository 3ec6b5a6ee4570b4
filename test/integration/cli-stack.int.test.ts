import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readState, stackPaths, type StackState } from '@hyper2kvm/cli';
import { expectNoProcesses } from '../support/processes.js';
import { hyperctl } from './cli-standin.js';

// nats-server and PostgreSQL alone (--only): the supervisor treats the four services alike, and these two start in a second.
let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'hyperctl-stack-'));
  chmodSync(home, 0o711);
});
afterEach(async () => {
  await hyper('daemon', 'stop', '--all');
  rmSync(home, { recursive: true, force: true });
});

const hyper = (...args: string[]): ReturnType<typeof hyperctl> =>
  hyperctl(args, { HYPER2KVM_HOME: home }, { stdin: 'ignore' });
const start = (...more: string[]): ReturnType<typeof hyperctl> =>
  hyper('daemon', 'start', '--only', 'nats,postgres', ...more);
const state = (): StackState => {
  const found = readState(stackPaths(home).state);
  if (found === undefined) throw new Error('the stack has no state');
  return found;
};
const pid = (service: string): number => state().services[service]?.process?.pid ?? -1;
const isGone = (number: number): boolean => !existsSync(`/proc/${number}`);

describe('the local stack', () => {
  it('starts, says what runs, and leaves nothing behind when it stops', async () => {
    const started = await start('--set', 'logging.level=warn');
    expect(started.exitCode, String(started.stderr)).toBe(0);
    expect(started.stdout).toMatch(/✅ nats \d+\.\d+[\s\S]*✅ postgres 18[\s\S]*is ready/);
    const status = JSON.parse(String((await hyper('daemon', 'status', '--all', '--json')).stdout)) as {
      services: { name: string; state: string; pid: number; version: string }[];
    };
    expect(status.services.map((one) => [one.name, one.state, one.pid])).toEqual([
      ['nats', 'running', pid('nats')],
      ['postgres', 'running', pid('postgres')],
    ]);
    const before = state();
    // What was set may be a password: it is in no argument of what goes on running, and in no service's environment.
    expect(readFileSync(stackPaths(home).config, 'utf8')).toContain('level: warn');
    const argv = readFileSync(`/proc/${before.supervisor.pid}/cmdline`, 'utf8');
    expect(argv).toContain(home);
    expect(argv).not.toContain('logging.level');
    expect(readFileSync(`/proc/${pid('nats')}/environ`, 'utf8')).not.toContain('logging.level');
    expect(JSON.parse(readFileSync(stackPaths(home).prometheusTargets, 'utf8'))).toEqual([]);
    const stopped = await hyper('daemon', 'stop', '--all');
    expect(stopped.stdout).toBe('Stopped: nats, postgres');
    await expectNoProcesses(home);
    expect(existsSync(stackPaths(home).state)).toBe(false);
    expect(existsSync(stackPaths(home).prometheusTargets)).toBe(false);
    expect((await hyper('daemon', 'stop', '--all')).stdout).toContain('Nothing runs');
    expect((await hyper('daemon', 'status')).exitCode).toBe(1);

    // Ports and data are kept.
    await start();
    expect(state().services['nats']?.port).toBe(before.services['nats']?.port);
    expect(state().services['postgres']?.port).toBe(before.services['postgres']?.port);
  });

  it('is started once, also by two at the same moment', async () => {
    const both = await Promise.all([start(), start()]);
    expect(both.map((run) => run.exitCode)).toEqual([0, 0]);
    expect(both.filter((run) => String(run.stdout).includes('already runs'))).toHaveLength(1);
    expect((await start()).stdout).toContain(`already runs (pid ${state().supervisor.pid})`);
  });

  it('starts again what dies', async () => {
    await start();
    for (const service of ['nats', 'postgres']) {
      const old = pid(service);
      process.kill(old, 'SIGKILL');
      await expect
        .poll(() => state().services[service], { timeout: 30_000 })
        .toMatchObject({ state: 'running', restarts: expect.any(Number) as number });
      await expect
        .poll(() => pid(service) !== old && pid(service) > 0 && !isGone(pid(service)), { timeout: 30_000 })
        .toBe(true);
    }
    const restarts = Object.values(state().services).map((service) => service.restarts);
    expect(Math.min(...restarts)).toBeGreaterThanOrEqual(1);
  });

  it('ends with its supervisor, also after kill -9, and can be stopped and started afterwards', async () => {
    await start();
    const { supervisor } = state();
    const pids = ['nats', 'postgres'].map(pid);
    process.kill(supervisor.pid, 'SIGKILL');
    await expect.poll(() => pids.every(isGone), { timeout: 15_000 }).toBe(true);
    await expectNoProcesses(home);
    const status = await hyper('daemon', 'status', '--json');
    expect(JSON.parse(String(status.stdout))).toMatchObject({ running: false, error: 'its supervisor was killed' });
    // With its state left behind: a start does not care, and the database recovers.
    expect((await start()).exitCode).toBe(0);
    process.kill(state().supervisor.pid, 'SIGKILL');
    const stopped = await hyper('daemon', 'stop', '--all');
    expect(stopped.exitCode, String(stopped.stderr)).toBe(0);
    await expectNoProcesses(home);
    expect(existsSync(stackPaths(home).state)).toBe(false);
  });

  it('in the foreground ends with Ctrl-C', async () => {
    const running = hyperctl(['daemon', 'start', '--only', 'nats', '--foreground'], { HYPER2KVM_HOME: home });
    await expect.poll(() => readState(stackPaths(home).state)?.state, { timeout: 30_000 }).toBe('ready');
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(0);
    await expectNoProcesses(home);
  });

  it('says what stands in the way, and leaves nothing running', async () => {
    const bad = await start('--set', 'nonsense');
    expect(bad.exitCode).toBe(1);
    expect(bad.stderr).toContain('expected key.path=value');
    await expectNoProcesses(home);
    expect((await hyper('daemon', 'start')).exitCode).toBe(2);
  });
});
