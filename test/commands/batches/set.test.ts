import { expect, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';
import { startBatch } from './plan.js';

it('hyperctl batches set: limits and priority of a batch that runs', async () => {
  const id = await startBatch('set-night', ['batches-set-1'], '--at', '+12h');
  expect(await hyperctl(['batches', 'set', 'set-night', '--parallel', '8', '--priority', 'low'])).toEqual({
    exitCode: 0,
    stdout: `Batch ${id}: VMs at a time: 8, priority: low`,
    stderr: '',
  });
  const lifted = await hyperctlJson(['batches', 'set', id, '--parallel', 'unlimited', '--stop-after', '5']);
  expect(lifted).toMatchObject({ max_parallel: null, stop_after_failures: 5 });
  expect((await hyperctl(['list', '--batch', id])).stdout).toMatch(/ low /);
  const near = await hyperctl(['batches', 'set', 'sett-night', '--parallel', '8']);
  expect(near.exitCode).toBe(4);
  expect(near.stderr).toContain('"set-night"');
  for (const args of [[], ['--parallel', '0'], ['--stop-after', 'many']])
    expect(await hyperctl(['batches', 'set', id, ...args])).toMatchObject({ exitCode: 2, stdout: '' });
  await hyperctl(['batches', 'cancel', id]);
});
