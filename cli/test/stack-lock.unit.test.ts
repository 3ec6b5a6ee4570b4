import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stackPaths } from '../src/stack/home.js';
import { lockHolder } from '../src/stack/lock.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'hyperctl-lock-'));
  mkdirSync(stackPaths(home).run);
  writeFileSync(stackPaths(home).lock, '');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Who holds the lock, as a program with these arguments sees it that is the holder itself. */
async function holding(...args: string[]): Promise<boolean> {
  const { lock } = stackPaths(home);
  const program = "process.stdout.write('held'); process.stdin.resume().on('end', () => process.exit())";
  const argv = ['--nonblock', '--no-fork', lock, process.execPath, '-e', program, '--', ...args];
  const child = spawn('flock', argv, { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    await once(child.stdout, 'data');
    const holder = lockHolder(lock);
    if (holder !== undefined) expect(holder.pid).toBe(child.pid);
    return holder !== undefined;
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
}

it('finds the supervisor of a home by its lock', async () => {
  expect(await holding('--home', home)).toBe(true);
  expect(lockHolder(stackPaths(home).lock)).toBeUndefined();
});

it('takes nobody else who holds a lock for it', async () => {
  expect(await holding('--home', path.join(home, 'other'))).toBe(false);
  expect(await holding()).toBe(false);
});
