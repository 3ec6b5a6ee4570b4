import { expect, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';
import { startBatch } from './plan.js';

it('hyperctl batches show: totals, limits, and why it waits', async () => {
  const id = await startBatch('show-night', ['batches-show-1'], '--at', '+12h', '--parallel', '3', '--stop-after', '2');
  const shown = await hyperctl(['batches', 'show', 'show-night']);
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  expect(shown.stdout).toMatch(new RegExp(`^Batch ID: +${id}\nName: +show-night\nStatus: +running$`, 'm'));
  expect(shown.stdout).toMatch(/^Parallel: +3\nStop after: +2 failed VMs$/m);
  expect(shown.stdout).toMatch(/^Waiting: +it does not start before /m);
  expect(await hyperctlJson(['batches', 'show', id])).toMatchObject({ batch_id: id, max_parallel: 3 });

  const near = await hyperctl(['batches', 'show', 'show-nihgt']);
  expect(near).toMatchObject({ exitCode: 4, stdout: '' });
  expect(near.stderr).toContain('there is no batch named show-nihgt; did you mean "show-night"?');
  expect((await hyperctl(['batches', 'show', 'batch-nobody000000'])).exitCode).toBe(4);
  expect((await hyperctl(['batches', 'show'])).exitCode).toBe(2);
  await hyperctl(['batches', 'cancel', id]);
});
