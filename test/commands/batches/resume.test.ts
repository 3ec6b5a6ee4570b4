import { expect, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';
import { startBatch } from './plan.js';

it('hyperctl batches resume: goes on with a batch that stopped after a failure', async () => {
  const vms = ['batches-resume-1-broken', 'batches-resume-2'] as const;
  const id = await startBatch('resume-night', vms, '--parallel', '1', '--stop-after', '1');
  const stopped = await hyperctl(['batches', 'watch', id]);
  expect(stopped.exitCode).toBe(1);
  expect(stopped.stdout).toContain(`Go on:      hyperctl batches resume ${id}`);

  const resumed = await hyperctl(['batches', 'resume', 'resume-night']);
  expect([resumed.exitCode, resumed.stderr]).toEqual([1, '']);
  expect(resumed.stdout).toMatch(/Z batches-resume-2: completed \(job-\w+\)$/m);
  expect(resumed.stdout).toContain('1 of 2 done, 1 failed');
  const again = await hyperctl(['batches', 'resume', id, '--detach']);
  expect(again).toMatchObject({ exitCode: 1, stdout: '' });
  expect(again.stderr).toContain('STATE_CONFLICT');
  expect(await hyperctlJson(['batches', 'show', id])).toMatchObject({ status: 'completed' });
  expect((await hyperctl(['batches', 'resume', 'resume-nihgt'])).stderr).toContain('"resume-night"');
});
