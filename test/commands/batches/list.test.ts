import { expect, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';
import { startBatch } from './plan.js';

it('hyperctl batches list: how far they are, newest first', async () => {
  const id = await startBatch('list-night', ['batches-list-1'], '--at', '+12h');
  const table = await hyperctl(['batches', 'list', '--status', 'running']);
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  expect(table.stdout).toMatch(/^BATCH ID +STATUS +DONE +FAILED +NAME +CREATED\n/);
  expect(table.stdout).toMatch(new RegExp(`^${id} +running +0/1 +0 +list-night +\\S+Z$`, 'm'));
  const { batches } = await hyperctlJson<{ batches: object[] }>(['batches', 'list', '--limit', '1']);
  expect(batches).toHaveLength(1);
  await hyperctl(['batches', 'cancel', id]);
  expect((await hyperctl(['batches', 'list', '--status', 'cancelled'])).stdout).toContain(id);
  expect(await hyperctl(['batches', 'list', '--status', 'done'])).toMatchObject({ exitCode: 2, stdout: '' });
});
