import { expect, it } from 'vitest';
import { Terminal } from '../../support/tmux.js';
import { hyperctl, hyperctlJson, siteEnv } from '../site/index.js';
import { startBatch } from './plan.js';

it('hyperctl batches watch: each step, a line each, to the end', async () => {
  const vms = ['batches-watch-1', 'batches-watch-2-broken'] as const;
  const id = await startBatch('watch-night', vms);
  const watched = await hyperctl(['batches', 'watch', 'watch-night']);
  expect([watched.exitCode, watched.stderr]).toEqual([1, '']);
  expect(watched.stdout).toMatch(new RegExp(`^\\S+Z Batch watch-night \\(${id}\\): `));
  expect(watched.stdout).toContain('1 of 2 done, 1 failed');
  expect(watched.stdout).toMatch(/^ {2}❌ batches-watch-2-broken: failed: dracut failed/m);
  expect(watched.stdout).toContain(`Try again:  hyperctl retry --all-failed --batch ${id}`);
  expect(await hyperctlJson<object>(['batches', 'show', id])).toMatchObject({ status: 'completed' });
  expect((await hyperctl(['batches', 'watch', 'batch-nobody000000'])).exitCode).toBe(4);
});

it('hyperctl batches watch on a terminal: says that a window holds it, and leaves it running at Ctrl-C', async () => {
  const id = await startBatch('watch-later', ['batches-watch-1'], '--at', '+12h');
  const terminal = await Terminal.open({ columns: 70, rows: 16, env: siteEnv() });
  await terminal.run(`hyperctl batches watch ${id}`);
  const held = await terminal.waitFor('0 of 1 done, 1 waiting');
  expect(held).toContain('⏳ The batch waits: it does not start before ');
  expect(held).not.toContain('begins');
  await terminal.keys('C-c');
  const left = await terminal.waitFor('[130] $');
  expect(left).toContain(`The batch goes on. Watch it: hyperctl batches watch ${id}`);
  await hyperctl(['batches', 'cancel', id]);
});
