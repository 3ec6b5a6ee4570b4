import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CliError } from '../lib/errors.js';
import { logFile, makeFolders, stackPaths, type StackPaths } from './home.js';
import { inheritedBy } from './inherited.js';
import { ALL } from './names.js';
import { isAlive } from './processes.js';
import { SETTINGS_VARIABLE } from './settings-variable.js';
import { readState, type StackState } from './state.js';
import { setAllWanted, setWanted } from './wanted.js';

export interface LaunchOptions {
  readonly home: string;
  readonly port?: number | undefined;
  readonly set: readonly string[];
  readonly only?: string | undefined;
  /** The services that are to run; the others are stopped on purpose. Undefined: as it was, a start of everything. */
  readonly wanted?: readonly string[] | 'all' | undefined;
  readonly foreground: boolean;
  /** Called with each new state until it is ready. */
  readonly onState: (state: StackState) => void;
}

/** What flock exits with when somebody else holds the lock; no exit code of the supervisor. */
const LOCKED = 75;
const SUPERVISOR = fileURLToPath(new URL('main.js', import.meta.url));
const LAST_LINES = 5;
/** Whoever was first holds the lock before its state can be read. */
const OTHER_LIMIT_MS = 15_000;

export interface Launched {
  readonly state: StackState;
  /** True when another start was first: nothing was started. */
  readonly already: boolean;
  /** In the foreground: resolves when the stack has ended. */
  readonly ended: Promise<number>;
}

/**
 * Starts the supervisor under flock(1) and waits until the stack is ready. The lock is held by the supervisor itself, so it is
 * free the moment that it dies, however it dies, and two starts at once cannot both get it.
 * @throws CliError saying why it did not come up
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const paths = stackPaths(options.home);
  if (!existsSync(SUPERVISOR))
    throw new CliError('the services are not installed beside this hyperctl: it is the client alone', {
      advice: 'start them where they are installed, and name their gateway: --url or HYPER2KVM_URL',
    });
  try {
    makeFolders(paths);
    if (options.wanted !== undefined) markWanted(paths, options.wanted);
  } catch (error) {
    throw unusable(options.home, error);
  }
  const log = logFile(paths, 'supervisor');
  let child: ChildProcess;
  try {
    child = start(options, paths.lock, log);
  } catch (error) {
    throw unusable(options.home, error);
  }
  if (options.foreground) {
    const stop = (): void => void child.kill('SIGTERM');
    process.on('SIGINT', stop).on('SIGTERM', stop);
  }
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new CliError(`flock cannot be started: ${error.message}`, { advice: 'apt-get install util-linux' })),
    );
    child.once('exit', (code) => resolve(code ?? 1));
  });
  let exit: number | undefined;
  let broken: unknown;
  ended.then(
    (code) => (exit = code),
    (error: unknown) => (broken = error),
  );
  let seen = '';
  let latest: StackState | undefined;
  const otherLimit = Date.now() + OTHER_LIMIT_MS;
  for (;;) {
    if (broken !== undefined) throw broken;
    // Read first, then ask for the exit: the other way round its last words could be missed.
    const already = exit === LOCKED;
    const gone = exit !== undefined && !already;
    const state = readState(paths.state);
    const current = state !== undefined && (already ? isAlive(state.supervisor) : state.supervisor.pid === child.pid);
    if (current && JSON.stringify(state) !== seen) {
      seen = JSON.stringify(state);
      latest = state;
      options.onState(state);
    }
    if (current && state.state === 'ready') {
      if (!options.foreground) child.unref();
      return { state, already, ended };
    }
    // Ctrl-C, or `daemon stop` from elsewhere: as it was meant.
    if (gone && exit === 0 && latest !== undefined) return { state: latest, already, ended };
    if (gone)
      throw new CliError(`the local stack did not start: ${state?.error ?? lastWords(options.home, log)}`, {
        advice: `look at ${log}`,
      });
    // Whoever was first gave up or is just stopping: the user decides.
    const leaves = current && (state.state === 'stopping' || state.state === 'failed');
    if (already && (leaves || (!current && Date.now() > otherLimit)))
      throw new CliError('another hyperctl is starting or stopping this stack', { advice: 'try again in a moment' });
    await sleep(100);
  }
}

function markWanted(paths: StackPaths, wanted: readonly string[] | 'all'): void {
  if (wanted === 'all') setAllWanted(paths);
  else for (const name of ALL) setWanted(paths, name, wanted.includes(name));
}

function unusable(home: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  const advice =
    code === 'ENOSPC'
      ? 'make room there, or choose another --home (HYPER2KVM_HOME)'
      : code === 'EACCES' || code === 'EPERM'
        ? 'it is not yours to write: sudo hyperctl daemon …, or choose another --home (HYPER2KVM_HOME)'
        : 'choose another --home (HYPER2KVM_HOME)';
  return new CliError(`${home} cannot be used: ${message}`, { advice });
}

function start(options: LaunchOptions, lock: string, log: string): ChildProcess {
  const args = [
    '--nonblock',
    '--no-fork',
    '--conflict-exit-code',
    String(LOCKED),
    lock,
    process.execPath,
    '--enable-source-maps',
    SUPERVISOR,
    '--home',
    options.home,
    ...(options.port === undefined ? [] : ['--port', String(options.port)]),
    ...(options.only === undefined ? [] : ['--only', options.only]),
    ...(options.foreground ? ['--foreground'] : []),
  ];
  // Passwords and tokens may be among them; arguments can be read by every user of the machine as long as it runs.
  const own = inheritedBy(stackPaths(options.home).config, options.set, process.env);
  const env = { ...own, [SETTINGS_VARIABLE]: JSON.stringify(options.set) };
  if (options.foreground) return spawn('flock', args, { env, stdio: ['pipe', 'inherit', 'inherit'] });
  const output = openSync(log, 'a', 0o640);
  try {
    return spawn('flock', args, { env, detached: true, stdio: ['ignore', output, output] });
  } finally {
    closeSync(output);
  }
}

function lastWords(home: string, log: string): string {
  try {
    // Without room there are no words either.
    const { bavail } = statfsSync(home);
    if (bavail === 0) return `no space is left in ${home}`;
    return readFileSync(log, 'utf8').trim().split('\n').slice(-LAST_LINES).join('\n');
  } catch {
    return 'it left no word';
  }
}
