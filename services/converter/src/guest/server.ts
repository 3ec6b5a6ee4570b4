import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import { linesOf, spawnGuarded, type GuardedProcess } from '@hyper2kvm/runtime';
import { execa } from 'execa';
import type { ApplianceOptions } from './appliance.js';

type ServerOptions = Pick<ApplianceOptions, 'folder' | 'cacheDir' | 'accelerator' | 'signal'>;

export interface Server {
  readonly server: GuardedProcess;
  /** Of the guestfish that listens, as `--remote` wants it. */
  readonly pid: string;
  /** What it writes to stderr, growing. */
  readonly errors: readonly string[];
}

/** It takes some milliseconds. */
const LISTENS_WITHIN_MS = 15_000;

const ignore = (): void => {};

/** Starts `guestfish --listen`, which detaches: its session ends with `kill` or with this process. */
export async function listen(options: ServerOptions): Promise<Server> {
  const errors: string[] = [];
  const output = linesOf('guestfish');
  let announce: (pid: string) => void = ignore;
  const announced = new Promise<string>((resolve) => {
    announce = resolve;
  });
  const server = spawnGuarded('guestfish', ['--listen'], {
    env: environment(options),
    linger: true,
    signal: options.signal,
    logged: 'none',
    onLine: (line, stream) => {
      if (stream === 'stderr') {
        errors.push(line);
        // Many calls only look whether something is there; a failure that counts is told by its error.
        if (!line.startsWith('libguestfs: error:')) output.line(line);
      }
      const pid = /^GUESTFISH_PID=(\d+)/.exec(line)?.[1];
      if (pid !== undefined) announce(pid);
    },
  });
  void server.exited.then(() => output.end());
  const pid = await Promise.race([announced, server.exited.then(() => undefined)]);
  options.signal.throwIfAborted();
  if (pid === undefined) {
    throw new JobError('CHILD_FAILED', `guestfish did not start: ${errors.at(-1) ?? 'is libguestfs-tools installed?'}`);
  }
  await answers(server, pid, options);
  return { server, pid, errors };
}

/** guestfish says its pid before its socket listens: on a busy machine the first call would come too early. */
async function answers(server: GuardedProcess, pid: string, options: ServerOptions): Promise<void> {
  const deadline = performance.now() + LISTENS_WITHIN_MS;
  for (;;) {
    const { exitCode, stderr } = await execa('guestfish', [`--remote=${pid}`, '--', 'get-verbose'], {
      env: environment(options),
      reject: false,
      timeout: LISTENS_WITHIN_MS,
      stdin: 'ignore',
    });
    options.signal.throwIfAborted();
    if (exitCode === 0) return;
    if (performance.now() > deadline) {
      await server.kill();
      throw new JobError('CHILD_FAILED', `guestfish does not answer: ${stderr.trim()}`);
    }
    await sleep(50);
  }
}

/** libguestfs without libvirtd, its temporary files in the job's folder, by emulation where KVM does not work. */
export function environment(options: ServerOptions): NodeJS.ProcessEnv {
  return {
    LIBGUESTFS_BACKEND: 'direct',
    LIBGUESTFS_BACKEND_SETTINGS: options.accelerator === 'kvm' ? undefined : 'force_tcg',
    LIBGUESTFS_CACHEDIR: options.cacheDir,
    TMPDIR: options.folder,
    LC_ALL: 'C.UTF-8',
    // Would show in every error message, or start pagers and traces.
    LIBGUESTFS_DEBUG: undefined,
    LIBGUESTFS_TRACE: undefined,
  };
}

/** The folders of the appliance's sockets, as the command lines of guestfish's children name them. */
export async function socketFolders(guestfishPid: string): Promise<string[]> {
  const folders = new Set<string>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    // The name may hold anything: the fields start after its closing bracket; the parent is the second of them.
    if (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] !== guestfishPid) continue;
    const cmdline = await readFile(`/proc/${entry}/cmdline`, 'latin1').catch(() => '');
    for (const [folder] of cmdline.matchAll(/\/tmp\/libguestfs[A-Za-z0-9]{6}(?=\/)/g)) folders.add(folder);
  }
  return [...folders];
}
