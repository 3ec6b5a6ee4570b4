import { expect, it } from 'vitest';
import { ended, hyperctl, hyperctlJson } from '../site/index.js';
import { startBatch } from './plan.js';

it('hyperctl batches cancel: what has not ended; a second time it says so', async () => {
  const id = await startBatch('cancel-night', ['batches-cancel-1-stuck', 'batches-cancel-2'], '--parallel', '1');
  expect(await hyperctl(['batches', 'cancel', 'cancel-night'])).toEqual({
    exitCode: 0,
    stdout: `Batch ${id} is cancelled: 0 of 2 done, 2 cancelled.`,
    stderr: '',
  });
  const again = await hyperctl(['batches', 'cancel', id]);
  expect(again).toEqual({
    exitCode: 0,
    stdout: `Batch ${id} was cancelled before: 0 of 2 done, 2 cancelled.`,
    stderr: '',
  });
  expect(await hyperctlJson(['batches', 'cancel', id])).toMatchObject({ status: 'cancelled' });

  const done = await startBatch('cancel-done', ['batches-cancel-2']);
  const { jobs } = await hyperctlJson<{ jobs: { job_id: string }[] }>(['list', '--batch', done]);
  await ended(jobs[0]?.job_id ?? '');
  const late = await hyperctl(['batches', 'cancel', done]);
  expect(late).toMatchObject({ exitCode: 1, stdout: '' });
  expect(late.stderr).toContain('is completed');
  expect((await hyperctl(['batches', 'cancel', 'cancel-nigth'])).stderr).toContain('did you mean "cancel-night"?');
});
