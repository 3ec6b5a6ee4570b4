import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { JobError } from '@hyper2kvm/contracts';
import { tellOutput } from './output.js';

/** From src and from dist alike: the script is not compiled. */
const GUARD = fileURLToPath(new URL('../../src/process/guard.sh', import.meta.url));
const KEPT_STDERR_LINES = 20;
/** Of each stream that is kept in memory: a guest's files decide how much some tools print. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** After the session was ended, for output that is still under way. */
const CLOSE_MS = 1_000;

export interface GuardOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to the command's standard input, which is empty otherwise. */
  readonly input?: string | Buffer;
  /** Keeps standard input open for the caller instead. */
  readonly stdin?: 'pipe';
  /** The session lives on after the command ended (servers that detach) until `kill` or this process's death. */
  readonly linger?: boolean;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Which of what it prints goes into the log of the job at hand; default: stderr, as stdout mostly is data. */
  readonly logged?: 'stderr' | 'both' | 'none';
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the command ended and its output was read; with `linger`, when the session ended. Never rejects. */
  readonly exited: Promise<Exit>;
  /** Ends the command and everything it left behind: SIGTERM, then SIGKILL after a second. */
  kill(): Promise<void>;
}

type ChildListener = (program: string, seconds: number) => void;
let childEnded: ChildListener = () => {};

/** Has every child that ends from now on told: its program's name, never its arguments. One listener in a process. */
export function onChildEnd(listener: ChildListener): void {
  childEnded = listener;
}

type StartListener = (command: string, exited: Promise<Exit>, wasEnded: () => boolean) => void;
let childStarted: StartListener = () => {};

/**
 * Has every child that is started from now on told, in the context of who starts it. One listener in a process: services trace
 * them, and what only asks a question of its machine (the client) need not have the means.
 */
export function onChildStart(listener: StartListener): void {
  childStarted = listener;
}

/**
 * Starts a command that cannot outlive this process, not even after kill -9: see guard.sh.
 * A command that does not exist ends with code 127.
 */
export function spawnGuarded(command: string, args: readonly string[], options: GuardOptions = {}): GuardedProcess {
  options.signal?.throwIfAborted();
  const began = performance.now();
  const env = { ...process.env, ...options.env };
  const child: ChildProcess = spawn(GUARD, [options.linger === true ? 'linger' : 'once', command, ...args], {
    cwd: options.cwd,
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  // Without descriptors or memory for a process there are no streams either.
  const streams = child.stdio as unknown as [Writable, Readable, Readable, Writable] | undefined;
  if (streams === undefined) {
    child.on('error', () => {});
    throw new JobError('CHILD_FAILED', `${command} could not be started: too many open files or processes`);
  }
  const [stdin, stdout, stderr, lifeline] = streams;
  // A command that ends early closes its pipes: that is its exit code's to tell.
  for (const stream of [stdin, lifeline]) stream.on('error', () => {});
  if (options.stdin !== 'pipe') stdin.end(options.input ?? '');
  if (options.onLine) {
    const { onLine } = options;
    createInterface({ input: stdout }).on('line', (line) => onLine(line, 'stdout'));
    createInterface({ input: stderr }).on('line', (line) => onLine(line, 'stderr'));
  }
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', () => resolve({ code: 127, signal: null }));
    child.once(options.linger === true ? 'exit' : 'close', (code: number | null, signal: NodeJS.Signals | null) =>
      resolve({ code, signal }),
    );
  });
  const { logged = 'stderr' } = options;
  // Before anybody else hears of the end: the last lines belong to the step that started the command.
  const toldAll = tellOutput(command, logged === 'none' ? [] : logged === 'both' ? [stdout, stderr] : [stderr]);
  void exited.then(toldAll);
  // What left the session may hold the output open for ever.
  const close = (): void => {
    setTimeout(() => {
      stdout.destroy();
      stderr.destroy();
    }, CLOSE_MS).unref();
  };
  let ending = false;
  const kill = async (): Promise<void> => {
    ending = true;
    lifeline.end();
    if (child.exitCode === null && child.signalCode === null) child.once('exit', close);
    else close();
    await exited;
  };
  const onAbort = (): void => void kill();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  void exited.then(() => {
    options.signal?.removeEventListener('abort', onAbort);
    lifeline.destroy();
  });
  void exited.then(() => childEnded(path.basename(command), (performance.now() - began) / 1000));
  childStarted(command, exited, () => options.signal?.aborted === true || ending);
  return { pid: child.pid ?? -1, stdin, stdout, stderr, exited, kill };
}

/**
 * Runs a command to its end and gives its output.
 * @param options.timeoutMs after which it is ended, with everything it started
 * @throws JobError CHILD_FAILED with the command's name, its exit code and its last lines; the signal's reason when aborted
 */
export async function runGuarded(
  command: string,
  args: readonly string[],
  options: GuardOptions & { readonly timeoutMs?: number } = {},
): Promise<{ stdout: string; stderr: string }> {
  const child = spawnGuarded(command, args, options);
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let tooMuch = false;
  for (const name of ['stdout', 'stderr'] as const) {
    let bytes = 0;
    child[name].on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_OUTPUT_BYTES) output[name].push(chunk);
      else if (!tooMuch) {
        tooMuch = true;
        void child.kill();
      }
    });
  }
  let timedOut = false;
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          void child.kill();
        }, options.timeoutMs);
  const exit = await child.exited;
  clearTimeout(timer);
  options.signal?.throwIfAborted();
  const stdout = Buffer.concat(output.stdout).toString('utf8');
  const stderr = Buffer.concat(output.stderr).toString('utf8');
  if (timedOut)
    throw new JobError('CHILD_FAILED', `${command} did not end within ${(options.timeoutMs ?? 0) / 1000} s`);
  if (tooMuch)
    throw new JobError(
      'CHILD_FAILED',
      `${command} printed more than ${MAX_OUTPUT_BYTES / 1024 / 1024} MiB and was ended`,
    );
  if (exit.code !== 0) {
    const last = stderr.trim().split('\n').slice(-KEPT_STDERR_LINES).join('\n');
    const how = exit.code === 127 ? 'could not be started' : `ended with ${exit.code ?? exit.signal}`;
    throw new JobError('CHILD_FAILED', `${command} ${how}${last === '' ? '' : `: ${last}`}`);
  }
  return { stdout, stderr };
}
