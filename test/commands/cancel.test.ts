import { describe, expect, it } from 'vitest';
import { until } from '../integration/gateway-stack.js';
import { oneError } from './one-error.js';
import { hyperctl, hyperctlJson, job, startJob } from './site/index.js';

describe('hyperctl cancel', () => {
  it('ends a job that converts, and waits until its traces are removed', async () => {
    const id = await startJob('cancel-1-stuck');
    await until(
      () => job(id),
      ({ status }) => status === 'converting',
      60_000,
    );
    const ran = await hyperctl(['cancel', '--vm', 'cancel-1-stuck']);
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(
      new RegExp(`^Job ${id} is cancelled\\.\\n(Nothing of it is left behind|There was nothing to remove)\\.$`),
    );
    expect((await job(id)).status).toBe('cancelled');

    const again = await hyperctl(['cancel', '--job', id, '--quiet']);
    expect(again).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect((await hyperctl(['cancel', '--job', id, '--detach'])).stdout).toMatch(/^Job \S+ was cancelled before\./);
  });

  it('ends one that waits, told as a document; not one that is completed', async () => {
    const id = await startJob('cancel-2', '--at', '+2h');
    const seen = await hyperctlJson<{ job_id: string; status: string }>(['cancel', '--job', id]);
    expect(seen).toMatchObject({ job_id: id, status: 'cancelled' });
    expect(await oneError(4, ['cancel', '--job', 'job-abc123'])).toMatch(/code: +JOB_NOT_FOUND/);
    expect(await oneError(2, ['cancel'])).toBe(
      'Error: which job? Give --job <id> or --vm <name>\n  try:   hyperctl list shows the jobs',
    );
  });
});
