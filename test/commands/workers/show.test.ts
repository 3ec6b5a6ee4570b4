import { expect, it } from 'vitest';
import { ended, hyperctl, hyperctlJson, job, startJob, until } from '../site/index.js';

it('hyperctl workers show: a worker, and the jobs that it is at', async () => {
  const id = await startJob('workers-show-1-stuck');
  await until(
    () => job(id),
    ({ status }) => status === 'converting',
    60_000,
  );
  const shown = await until(
    () => hyperctl(['workers', 'show', 'converter-1']),
    ({ stdout }) => stdout.includes(id),
    30_000,
  );
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^Worker: +converter-1$/m);
  expect(shown.stdout).toMatch(/^Status: +running: it takes work$/m);
  expect(shown.stdout).toMatch(/^Free space: +500 GB$/m);
  expect(shown.stdout).toMatch(new RegExp(`^${id} +workers-show-1-stuck +converting +\\d+%$`, 'm'));
  const one = await hyperctlJson<{ active_jobs: string[] }>(['workers', 'show', 'converter-1']);
  expect(one.active_jobs).toContain(id);
  await hyperctl(['cancel', '--job', id, '--detach']);
  await ended(id);

  const near = await hyperctl(['workers', 'show', 'convreter-1']);
  expect(near).toMatchObject({ exitCode: 4, stdout: '' });
  expect(near.stderr).toContain('did you mean "converter-1"?');
  expect((await hyperctl(['workers', 'show'])).exitCode).toBe(2);
});
