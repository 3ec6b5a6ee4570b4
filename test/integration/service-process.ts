/** A service as its own process, with a configuration of the test's. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const START_MS = 60_000;

export interface ServiceProcess {
  readonly pid: number;
  /** Everything that it wrote. */
  log(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts processes, and ends them and removes their configuration files in the end. */
export async function serviceProcesses() {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-services-'));
  const running: ServiceProcess[] = [];
  return {
    folder,
    /** @param name of a folder in services/ */
    start: async (name: string, config: object, env: Record<string, string> = {}): Promise<ServiceProcess> => {
      const file = path.join(folder, `${name}-${running.length}.yaml`);
      await writeFile(file, JSON.stringify(config), { mode: 0o600 });
      const started = await start(name, file, env);
      running.push(started);
      return started;
    },
    stop: async (): Promise<void> => {
      for (const one of running) await one.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(name: string, config: string, env: Record<string, string>): Promise<ServiceProcess> {
  const main = fileURLToPath(new URL(`../../services/${name}/dist/main.js`, import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...env, HYPER2KVM_CONFIG: config },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const kill = async (signal: NodeJS.Signals): Promise<void> => end(child, signal);
  const limit = Date.now() + START_MS;
  while (!log.includes('"msg":"ready"')) {
    if (child.exitCode !== null || Date.now() > limit) {
      await kill('SIGKILL');
      throw new Error(`${name} did not start:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return { pid: child.pid ?? -1, log: () => log, kill };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
