import { JobError, type HookSubject } from '@hyper2kvm/contracts';
import { spawnGuarded } from '@hyper2kvm/runtime';
import type { HookCommand } from './config.js';
import { hookEnvironment } from './environment.js';
import { lastLine, Tail } from './output.js';

export interface CommandRun {
  /** As the allow-list calls it. */
  readonly name: string;
  readonly command: HookCommand;
  readonly args: readonly string[];
  readonly about: HookSubject;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Runs a command of the allow-list to its end; it does not outlive the worker.
 * @throws JobError HOOK_FAILED when it ends with anything but 0, or not in time; the signal's reason when aborted
 */
export async function runCommand(run: CommandRun): Promise<{ code: number; output: string }> {
  const { name, command, about, signal } = run;
  const [program = '', ...configured] = command.argv;
  const args = [...configured, ...run.args];
  if (args.some((arg) => arg.includes('\0')))
    throw new JobError('HOOK_FAILED', `The hook ${name} was not run: an argument holds a NUL character.`);
  const child = spawnGuarded(program, args, {
    cwd: '/',
    env: hookEnvironment(about, command.env),
    input: `${JSON.stringify(about)}\n`,
    signal,
  });
  const tail = new Tail();
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => tail.add(chunk));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void child.kill();
  }, run.timeoutMs);
  const exit = await child.exited;
  clearTimeout(timer);
  signal.throwIfAborted();
  const output = tail.text();
  if (late) throw failed(name, `did not end within ${run.timeoutMs / 1000} s`, output);
  if (exit.code !== 0) throw failed(name, `ended with exit code ${exit.code ?? exit.signal}`, output);
  return { code: 0, output };
}

function failed(name: string, what: string, output: string): JobError {
  const line = lastLine(output);
  return new JobError('HOOK_FAILED', `The hook ${name} ${what}${line === '' ? '.' : `: ${line}`}`);
}
