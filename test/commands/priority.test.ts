import { describe, expect, it } from 'vitest';
import { oneError } from './one-error.js';
import { hyperctl, hyperctlJson, job, startJob } from './site/index.js';

describe('hyperctl priority', () => {
  it('changes the lane of a job that waits', async () => {
    const id = await startJob('priority-1', '--at', '+2h');
    const ran = await hyperctl(['priority', '--job', id, 'high']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toMatch(new RegExp(`^Job ${id}: priority high`));
    expect((await job(id)).priority).toBe('high');
    expect(await hyperctlJson(['priority', '--vm', 'priority-1', 'low'])).toMatchObject({
      job_id: id,
      priority: 'low',
    });

    expect(await oneError(2, ['priority', '--job', id, 'hihg'])).toBe(
      'Error: "hihg" is no priority; did you mean "high"?\n  try:   one of: high, normal, low',
    );
    expect(await oneError(2, ['priority', '--job', id])).toMatch(/^Error: which priority\?\n/);
    expect((await hyperctl(['cancel', '--job', id, '--quiet'])).exitCode).toBe(0);
    expect(await oneError(1, ['priority', '--job', id, 'high'])).toMatch(/code: +STATE_CONFLICT/);
  });
});
