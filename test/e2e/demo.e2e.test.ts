// The README's first command, as it stands there: exit code 0, the files that it names are there and stay, nothing is left running.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, expect, it } from 'vitest';
import { expectNoProcesses } from '../support/processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let home = '';

afterAll(async () => {
  if (home !== '') await rm(home, { recursive: true, force: true });
});

it('npm run demo', async () => {
  home = await mkdtemp(path.join('/var/tmp', 'h2k-demo-'));
  const { exitCode, stdout, stderr } = await execa('npm', ['run', '--silent', 'demo'], {
    cwd: ROOT,
    env: { HYPER2KVM_DEMO_HOME: home, NO_COLOR: '1' },
    reject: false,
    stdin: 'ignore',
    timeout: 900_000,
  });
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  const named = Object.fromEntries(
    [...stdout.matchAll(/^ {2}(disk|domain|serial log|screenshot): +(\/\S+)$/gm)].map(([, what, file]) => [what, file]),
  );
  expect(Object.keys(named)).toEqual(['disk', 'domain', 'serial log', 'screenshot']);
  for (const file of Object.values(named) as string[]) expect((await stat(file)).size, file).toBeGreaterThan(0);
  await expectNoProcesses(home);
});
