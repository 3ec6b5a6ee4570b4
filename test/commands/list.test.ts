import { describe, expect, it } from 'vitest';
import { ended, hyperctl, hyperctlJson, startJob } from './site/index.js';

describe('hyperctl list', () => {
  it('lists jobs, filtered, as a table and as JSON', async () => {
    const [fine, broken] = await Promise.all([startJob('list-1', '--tags', 'list'), startJob('list-2-broken')]);
    await Promise.all([ended(fine), ended(broken)]);

    const table = await hyperctl(['list', '--vm', 'list-1']);
    expect(table.exitCode, table.stderr).toBe(0);
    expect(table.stderr).toBe('');
    expect(table.stdout).toMatch(new RegExp(`^JOB ID .*\\n${fine} .*completed`));

    const failed = await hyperctlJson<{ jobs: { job_id: string }[] }>([
      'list',
      '--status',
      'failed',
      '--vm',
      'list-2-broken',
    ]);
    expect(failed.jobs.map((one) => one.job_id)).toEqual([broken]);

    expect((await hyperctl(['list', '--vm', 'nobody'])).stdout).toBe('No jobs.');
    const wrong = await hyperctl(['list', '--status', 'faild']);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr).toContain('Error: "faild" is no value of --status; did you mean "failed"?');
  });
});
