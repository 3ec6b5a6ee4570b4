/** The local stack, started as a user starts it: `hyperctl daemon start --all`, in a folder of its own. */
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { JobDetail } from '@hyper2kvm/contracts';
import { expectNoProcesses } from './processes.js';
import { freePort } from './ports.js';

/** From test/support and test/dist/support alike. */
const ROOT = fileURLToPath(import.meta.url).replace(/\/test\/(dist\/)?support\/stack\.[jt]s$/, '');
const HYPERCTL = path.join(ROOT, 'cli', 'bin', 'run.js');
/** On disk rather than in /tmp, which may be memory: images are large. */
const SCRATCH = '/var/tmp';

export type Service = 'gateway' | 'exporter' | 'converter' | 'notifier' | 'nats' | 'postgres';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LocalStack {
  readonly home: string;
  readonly url: string;
  /** Runs a command of the CLI to its end; never rejects on its exit code. */
  hyperctl(args: readonly string[], options?: { env?: Record<string, string>; timeoutMs?: number }): Promise<Ran>;
  /** kill -9 (or another signal) of a service's process, by its pid. Its supervisor starts it anew. */
  kill(service: Service, signal?: NodeJS.Signals): Promise<number>;
  job(id: string): Promise<JobDetail>;
  /** Files below the home, relative, sorted. */
  files(folder: string): Promise<string[]>;
  /** Stops it, proves that nothing of it runs any more, and removes the folder. */
  stop(): Promise<void>;
}

export async function startStack(
  options: { set?: Record<string, unknown>; env?: Record<string, string> } = {},
): Promise<LocalStack> {
  const home = await mkdtemp(path.join(SCRATCH, 'h2k-stack-'));
  // The database runs as another user when root starts it.
  await chmod(home, 0o711);
  const base = { HYPER2KVM_HOME: home, XDG_CONFIG_HOME: path.join(home, 'no-config'), NO_COLOR: '1', ...options.env };
  const hyperctl: LocalStack['hyperctl'] = async (args, { env = {}, timeoutMs = 900_000 } = {}) => {
    const result = await execa(process.execPath, [HYPERCTL, ...args], {
      env: { ...base, ...env },
      reject: false,
      timeout: timeoutMs,
      stdin: 'ignore',
    });
    return { exitCode: result.exitCode ?? 255, stdout: result.stdout, stderr: result.stderr };
  };
  const settings = Object.entries(options.set ?? {}).flatMap(([key, value]) => [
    '--set',
    `${key}=${JSON.stringify(value)}`,
  ]);
  const started = await hyperctl(['daemon', 'start', '--all', '--port', String(await freePort()), ...settings], {
    timeoutMs: 120_000,
  });
  const stop = async (): Promise<void> => {
    await hyperctl(['daemon', 'stop', '--all', '--now'], { timeoutMs: 60_000 });
    await expectNoProcesses(home, 10_000);
    await rm(home, { recursive: true, force: true });
  };
  if (started.exitCode !== 0) {
    const logs = await readdir(path.join(home, 'logs')).catch(() => []);
    const tails = await Promise.all(
      logs.map(async (name) => `== ${name}\n${(await readFile(path.join(home, 'logs', name), 'utf8')).slice(-1500)}`),
    );
    await stop();
    throw new Error(`the stack did not start:\n${started.stdout}\n${started.stderr}\n${tails.join('\n')}`);
  }
  const state = async () =>
    JSON.parse(await readFile(path.join(home, 'run', 'stack.json'), 'utf8')) as {
      gateway_url: string;
      services: Record<string, { state: string; process: { pid: number } | null }>;
    };
  const { gateway_url: url } = await state();
  return {
    home,
    url,
    hyperctl,
    kill: async (service, signal = 'SIGKILL') => {
      const pid = (await state()).services[service]?.process?.pid;
      if (pid === undefined) throw new Error(`${service} does not run`);
      process.kill(pid, signal);
      return pid;
    },
    job: async (id) => (await fetch(`${url}/api/v1/jobs/${id}`)).json() as Promise<JobDetail>,
    files: async (folder) => {
      const entries = await readdir(path.join(home, folder), { recursive: true, withFileTypes: true }).catch(() => []);
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => path.relative(home, path.join(entry.parentPath, entry.name)))
        .toSorted();
    },
    stop,
  };
}
