import { describe, expect, it } from 'vitest';
import { until } from '../integration/gateway-stack.js';
import { oneError } from './one-error.js';
import { ended, hyperctl, hyperctlJson, job, startJob } from './site/index.js';

describe('hyperctl status', () => {
  it('shows a job while it runs and when it ended; 0 whatever became of it', async () => {
    const id = await startJob('status-3-stuck', '--tags', 'night');
    await until(
      () => job(id),
      ({ status, conversion }) => status === 'converting' && conversion.steps_completed > 3,
      60_000,
    );
    const running = await hyperctl(['status', '--vm', 'status-3-stuck']);
    expect(running).toMatchObject({ exitCode: 0, stderr: '' });
    expect(running.stdout).toMatch(new RegExp(`^Job ID: +${id}\\nSource VM: +status-3-stuck `));
    expect(running.stdout).toMatch(/^Status: +converting \(conversion\)$/m);
    expect(running.stdout).toMatch(/^Tags: +night$/m);
    expect(running.stdout).toMatch(/^Conversion: +in_progress: Fixing network configuration \(4 of 5 steps done\)$/m);
    expect((await hyperctl(['cancel', '--job', id, '--quiet'])).exitCode).toBe(0);
    const over = await hyperctl(['status', '--job', id]);
    expect(over).toMatchObject({ exitCode: 0, stderr: '' });
    expect(over.stdout).toContain('🛑 Conversion Cancelled');
    expect(await hyperctlJson<object>(['status', '--job', id])).toMatchObject({ job_id: id, status: 'cancelled' });
    expect(await hyperctl(['status', '--job', id, '--quiet'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('follows a job to its end, which is the exit code then', async () => {
    const [fine, broken] = await Promise.all([startJob('status-1'), startJob('status-2-broken')]);
    const followed = await hyperctl(['status', '--job', fine, '--follow']);
    expect(followed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(followed.stdout).toContain('✅ Conversion Successful');
    await ended(broken);
    const failed = await hyperctl(['status', '--vm', 'status-2-broken', '-f', '-q']);
    expect(failed).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `Error: dracut failed: no space left on device (${broken}, trace ${(await job(broken)).trace_id})`,
    });
  });

  it('says that there is no such job, and which could be meant', async () => {
    expect(await oneError(4, ['status', '--job', 'job-000000000000'])).toContain('JOB_NOT_FOUND');
    expect(await oneError(4, ['status', '--vm', 'status-0'])).toContain('there is no job of a VM named status-0');
    expect(await oneError(2, ['status'])).toContain('which job?');
  });
});
