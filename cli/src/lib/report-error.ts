import { CliError, errorDocument, explain } from './errors.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { whySystem } from './file-errors.js';
import { jsonText, printable } from './format.js';

/** How an error is to be shown; taken from the bare words, as it may be about those. */
export interface Showing {
  readonly json: boolean;
  readonly debug: boolean;
}

export const showingOf = (argv: readonly string[]): Showing => ({
  json: argv.includes('--json'),
  debug: argv.includes('--debug') || process.env['DEBUG'] !== undefined,
});

/** Shows an error, and gives the exit code. */
export async function report(error: CliError, { json, debug }: Showing): Promise<ExitCode> {
  guardOutput();
  if (json) process.stdout.write(`${jsonText(errorDocument(error), 2)}\n`);
  process.stderr.write(`${explain(error).join('\n')}\n`);
  // Where it came from is of use for a failure, not for what was typed.
  if (debug) process.stderr.write(`${stackOf(error.cause instanceof Error ? error.cause : error)}\n`);
  await flushed();
  return error.exitCode;
}

/** Any error as one that can be told. */
export function toCliError(error: Error): CliError {
  if (error instanceof CliError) return error;
  return ofSystem(error) ?? defect(error);
}

/** What the operating system refused: a file, a folder, a device. */
function ofSystem(error: NodeJS.ErrnoException & { dest?: string }): CliError | undefined {
  const { errno, code, syscall } = error;
  if (errno === undefined || code === undefined || syscall === undefined) return undefined;
  const file = error.dest ?? error.path;
  const what = /^(open|read|stat|lstat|scandir|access)/.test(syscall) && code !== 'ENOSPC' ? 'read' : 'written';
  return new CliError(`${file ?? 'a file'} cannot be ${code === 'EISDIR' || file === undefined ? 'used' : what}`, {
    code: code === 'ENOSPC' || code === 'EDQUOT' ? 'DISK_FULL' : 'FILE',
    why: whySystem(error),
    advice: ADVICE[code] ?? 'check the path and its permissions, then run the command again',
    cause: error,
  });
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'free space there, or name another place, then run the command again',
  EDQUOT: 'free space there, or name another place, then run the command again',
  EISDIR: 'name a file',
};

function defect(error: Error): CliError {
  return new CliError(`something unexpected happened: ${error.message}`, {
    code: 'INTERNAL',
    exitCode: EXIT.failed,
    advice: 'this is a defect of hyperctl; run it again with --debug and report what it prints',
    cause: error,
  });
}

const stackOf = (error: Error): string => (error.stack ?? String(error)).split('\n').map(printable).join('\n');

/** An exit drops what a slow reader at the other end of a pipe has not taken yet. */
export async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => {
      stream.write('', () => resolve());
    });
}

let guarded = false;

/**
 * Output that nobody takes any more (`| head`) is no failure; output that cannot be written is one, of one sentence. Whatever
 * writes it, now or later.
 */
export function guardOutput(): void {
  if (guarded) return;
  guarded = true;
  // Who does not want to read what went wrong has the exit code.
  process.stderr.prependListener('error', () => {});
  process.stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`${explain(outputError(error)).join('\n')}\n`);
    // oxlint-disable-next-line node/no-process-exit -- the listeners that come after throw
    process.exit(EXIT.failed);
  });
}

function outputError(error: NodeJS.ErrnoException): CliError {
  const { code = '' } = error;
  return new CliError('standard output cannot be written', {
    code: code === 'ENOSPC' || code === 'EDQUOT' ? 'DISK_FULL' : 'FILE',
    why: whySystem(error),
    advice: ADVICE[code] ?? 'write it elsewhere, then run the command again',
  });
}
