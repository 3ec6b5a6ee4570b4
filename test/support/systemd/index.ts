/** A real systemd for tests: process 1 of namespaces of its own, beside the machine's init, with the product's units. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const BOOT = fileURLToPath(new URL('boot.sh', import.meta.url)).replace('/test/dist/', '/test/');
const ROOT = path.resolve(path.dirname(BOOT), '../../..');
const NAMESPACES = ['--mount', '--uts', '--ipc', '--cgroup', '--pid'];
const BOOT_MS = 30_000;

/** Where cgroups of version 2 are, also beside those of version 1. */
const CGROUPS = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((folder) =>
  existsSync(path.join(folder, 'cgroup.procs')),
);

/** Why there can be none here; undefined: there can. */
export function whyNoSystemd(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may make the namespaces';
  if (!existsSync('/lib/systemd/systemd')) return 'systemd is not installed';
  if (CGROUPS === undefined) return 'there are no cgroups of version 2';
  const tried = spawnSync('unshare', [...NAMESPACES, '--fork', 'true']);
  return tried.status === 0 ? undefined : 'namespaces cannot be made here';
}

export interface Systemd {
  /** Runs a command in it to its end, with nothing of this environment but the path. */
  run(
    argv: readonly string[],
    env?: Record<string, string>,
  ): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  stop(): Promise<void>;
}

const target = (name: string): [string, string] => [name, `[Unit]\nDescription=${name}\nDefaultDependencies=no\n`];
/** What the product's units and journald refer to. */
const TARGETS = ['sysinit', 'basic', 'shutdown', 'network', 'network-online', 'multi-user', 'sockets'].map((name) =>
  target(`${name}.target`),
);
const JOURNAL = ['systemd-journald.service', 'systemd-journald.socket', 'systemd-journald-dev-log.socket'];

/** @param config the product's configuration */
export async function bootSystemd(config: string): Promise<Systemd> {
  const scratch = mkdtempSync('/var/tmp/h2k-systemd-');
  const units = path.join(scratch, 'units');
  const etc = path.join(scratch, 'etc');
  for (const folder of [units, etc]) mkdirSync(folder);
  for (const [name, text] of TARGETS) writeFileSync(path.join(units, name), text);
  for (const name of JOURNAL) copyFileSync(path.join('/lib/systemd/system', name), path.join(units, name));
  const own = path.join(ROOT, 'deploy/systemd');
  for (const name of readdirSync(own).filter((file) => file.endsWith('.service')))
    copyFileSync(path.join(own, name), path.join(units, name));
  writeFileSync(path.join(units, 'test.target'), '[Unit]\nDefaultDependencies=no\nRequires=systemd-journald.service\n');
  writeFileSync(path.join(etc, 'config.yaml'), config, { mode: 0o600 });

  const cgroup = path.join(CGROUPS ?? '', path.basename(scratch));
  mkdirSync(cgroup);
  const args = [...NAMESPACES, '--fork', '--kill-child=SIGKILL', BOOT, scratch, ROOT];
  // Into its cgroup first, which is the root of what is seen within.
  const child = spawn('sh', ['-c', 'echo $$ > "$0/cgroup.procs" && exec unshare "$@"', cgroup, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const run: Systemd['run'] = async (argv, env = {}) => {
    const within = ['--target', String(first(child)), ...NAMESPACES, '--', ...argv];
    const ended = await execa('nsenter', within, {
      reject: false,
      extendEnv: false,
      stdin: 'ignore',
      timeout: 150_000,
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    });
    return { exitCode: ended.exitCode ?? 255, stdout: ended.stdout, stderr: ended.stderr };
  };
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(0),
    );
    child.kill('SIGKILL');
    await gone;
    await removeCgroup(cgroup);
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    const end = Date.now() + BOOT_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`systemd did not boot: ${said}`);
      if (first(child) !== undefined && (await run(['systemctl', 'is-active', 'test.target'])).stdout === 'active')
        break;
      if (Date.now() > end) throw new Error(`systemd is not up: ${said}`);
      await sleep(100);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { run, stop };
}

/** Process 1 of the namespaces, by its number out here; the shell that becomes it may still be mounting. */
function first(child: ChildProcess): number | undefined {
  try {
    const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ')[0]);
    return pid > 0 && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('systemd') ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Empty once its last process is gone, which takes a moment. */
async function removeCgroup(folder: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      const inner = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));
      for (const one of inner.filter((name) => statSync(name).isDirectory()).toReversed()) rmdirSync(one);
      rmdirSync(folder);
      return;
    } catch {
      await sleep(100);
    }
  }
}
