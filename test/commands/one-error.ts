import { expect } from 'vitest';
import { hyperctl, type Ran } from './site/index.js';

/** Runs a command that has to fail: one message on standard error, no stack trace, nothing on standard output. */
export async function oneError(
  exitCode: number,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const ran = await hyperctl(args, env);
  expectOne(ran, exitCode);
  expect(ran.stdout).toBe('');
  return ran.stderr;
}

export function expectOne({ exitCode: got, stderr }: Ran, exitCode: number): void {
  expect(got, stderr).toBe(exitCode);
  expect(stderr).toMatch(/^Error: [^\n]+/);
  expect(stderr.match(/^Error:/gm)).toHaveLength(1);
  expect(stderr).not.toMatch(/^\s+at |›|See more help|node_modules/m);
}
