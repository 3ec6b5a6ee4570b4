import { execFile } from 'node:child_process';
import { CliError } from '../lib/errors.js';

const LIMIT_MS = 10_000;

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs systemctl; undefined where there is none. Its own texts are read, so they are asked for in English. */
export function systemctl(args: readonly string[], limitMs = LIMIT_MS): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    execFile(
      'systemctl',
      ['--no-pager', '--no-ask-password', ...args],
      { timeout: limitMs, env: { ...process.env, LC_ALL: 'C', SYSTEMD_COLORS: '0' } },
      (error, stdout, stderr) => {
        if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') resolve(undefined);
        else resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      },
    );
  });
}

/** @throws CliError with what systemctl said */
export async function told(args: readonly string[], limitMs: number, sudo: string): Promise<void> {
  const answer = await systemctl(args, limitMs);
  if (answer?.code === 0) return;
  const why = answer?.stderr.trim().split('\n')[0] ?? 'systemctl is not installed';
  const denied = /denied|authentication|permission/i.test(why);
  throw new CliError(`systemctl ${args.join(' ')} failed`, {
    why,
    advice: denied ? sudo : 'look at hyperctl daemon logs, and at journalctl -xe',
  });
}

/** `Key=value` lines of `systemctl show`; a blank line divides units. */
export const properties = (text: string): ReadonlyMap<string, string>[] =>
  text
    .split(/\n{2,}/)
    .map(
      (block) =>
        new Map(
          block.split('\n').flatMap((line): [string, string][] => {
            const equals = line.indexOf('=');
            return equals < 1 ? [] : [[line.slice(0, equals), line.slice(equals + 1)]];
          }),
        ),
    )
    .filter((unit) => unit.size > 0);
