import { expect, it } from 'vitest';
import { ended, hyperctl, hyperctlJson, startJob } from './site/index.js';

it('hyperctl timeline: attempts and events of a job, with who and when', async () => {
  const id = await startJob('timeline-1-broken');
  await ended(id);
  const told = await hyperctl(['timeline', '--job', id]);
  expect(told).toMatchObject({ exitCode: 0, stderr: '' });
  expect(told.stdout).toMatch(new RegExp(`^${id} \\(timeline-1-broken\\): failed after \\d+`));
  expect(told.stdout).toMatch(/^export 1 +completed +\S+.* \S+Z$/m);
  expect(told.stdout).toMatch(/^conversion 1 +failed +\d+s +converter-1 +\S+Z +CONVERSION_STEP$/m);
  expect(told.stdout).toMatch(/^\d{4}-\d\d-\d\d UTC$/m);
  expect(told.stdout).toMatch(/^ {2}\d\d:\d\d:\d\d +\+0s +local +The job is asked for, with priority normal\.$/m);
  expect(told.stdout).toMatch(/converter-1 +Conversion 1 failed: dracut failed/);

  const byVm = await hyperctlJson<{
    job_id: string;
    attempts: object[];
    events: { time: string; by: string | null }[];
  }>(['timeline', '--vm', 'timeline-1-broken']);
  expect(byVm.job_id).toBe(id);
  expect(byVm.attempts).toMatchObject([
    { activity: 'export', outcome: 'completed' },
    { activity: 'conversion', outcome: 'failed', worker: 'converter-1', failure: { code: 'CONVERSION_STEP' } },
  ]);
  expect(byVm.events.map(({ by }) => by)).toContain('converter-1');
});

it('hyperctl timeline of nothing', async () => {
  const unknown = await hyperctl(['timeline', '--job', 'job-nobody000000']);
  expect(unknown).toMatchObject({ exitCode: 4, stdout: '' });
  expect(unknown.stderr).toContain('JOB_NOT_FOUND');
  expect((await hyperctl(['timeline'])).exitCode).toBe(2);
});
