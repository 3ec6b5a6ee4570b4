import { expect, it } from 'vitest';
import { oneError } from './one-error.js';
import { ended, hyperctl, hyperctlJson, job, startJob } from './site/index.js';

it('hyperctl retry: starts another attempt of one failed job, and shows it', async () => {
  const id = await startJob('retry-1-broken');
  await ended(id);
  const ran = await hyperctl(['retry', '--vm', 'retry-1-broken']);
  // It fails again, as it has to: what counts is that it was tried.
  expect(ran).toMatchObject({ exitCode: 1, stderr: '' });
  expect(ran.stdout).toMatch(new RegExp(`^\\S+Z Conversion of retry-1-broken, job ${id}$`, 'm'));
  expect(ran.stdout).toContain('❌ Conversion Failed');
  expect(await job(id)).toMatchObject({ status: 'failed', retry_count: 1 });

  const detached = await hyperctl(['retry', '--job', id, '--detach']);
  expect(detached).toMatchObject({ exitCode: 0, stderr: '' });
  expect(detached.stdout).toMatch(
    new RegExp(`^Job ${id} is \\w+ again\\.\\nFollow progress: hyperctl status --job ${id} --follow$`),
  );
  await ended(id);
  expect(await hyperctlJson<object>(['retry', '--job', id, '--detach'])).toMatchObject({ job_id: id });
  await ended(id);

  const fine = await startJob('list-1');
  await ended(fine);
  expect(await oneError(1, ['retry', '--job', fine])).toMatch(/completed/);
  expect(await oneError(4, ['retry', '--job', 'job-000000000000'])).toContain('JOB_NOT_FOUND');
  expect(await oneError(2, ['retry', '--vm', 'retry-1-broken', '--tag', 'x'])).toContain('--all-failed');
});

it('hyperctl retry --all-failed: those with a tag, and says which', async () => {
  const ids = await Promise.all(
    (['retry-2-broken', 'retry-3-broken'] as const).map((vm) => startJob(vm, '--tags', 'retry-all')),
  );
  await Promise.all(ids.map((id) => ended(id)));
  const all = ['retry', '--all-failed', '--tag', 'retry-all'];
  const none = await hyperctl([...all, '--code', 'DISK_FULL']);
  expect(none).toEqual({ exitCode: 0, stdout: 'Nothing to try again.', stderr: '' });
  const ran = await hyperctl(all);
  expect(ran).toEqual({ exitCode: 0, stdout: 'Tried again: 2 jobs\nSee them: hyperctl list', stderr: '' });
  await Promise.all(ids.map((id) => ended(id)));
  const document = await hyperctlJson<{ retried: string[]; refused: object[] }>(all);
  expect(document.refused).toEqual([]);
  expect(document.retried.toSorted()).toEqual(ids.toSorted());
  expect(await oneError(2, [...all, '--code', 'DISK_FUL'])).toContain('DISK_FUL is no error code');
});
