import { describe, expect, it } from 'vitest';
import { hyperctl as run } from '../integration/cli-standin.js';
import { until } from '../integration/gateway-stack.js';
import { oneError } from './one-error.js';
import { ended, hyperctl, hyperctlJson, job, siteEnv, startJob } from './site/index.js';

const LINE = /^\d{4}-\d\d-\d\dT\S+Z (DEBUG|INFO |WARN |ERROR) \S+: \S/;

describe('hyperctl logs', () => {
  it('shows the log of a job, and the end of it', async () => {
    const id = await startJob('logs-1');
    await ended(id);
    const ran = await hyperctl(['logs', '--vm', 'logs-1']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = ran.stdout.split('\n');
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.filter((line) => !LINE.test(line))).toEqual([]);
    expect((await hyperctl(['logs', '--job', id, '--tail', '2'])).stdout.split('\n')).toEqual(lines.slice(-2));
    expect(lines[0]).toMatch(/ INFO {2}export: Export, attempt 1, begins on \S+/);
    const document = await hyperctlJson<{ job_id: string; lines: { source?: string; message: string }[] }>([
      'logs',
      '--job',
      id,
    ]);
    expect(document.job_id).toBe(id);
    expect(document.lines.filter(({ source }) => source === undefined)).toHaveLength(lines.length);
    // What programs printed stands below, with --verbose.
    const verbose = (await hyperctl(['logs', '--job', id, '--verbose'])).stdout.split('\n');
    expect(verbose).toHaveLength(document.lines.length);
    expect(verbose.filter((line) => !/ DEBUG {3}\S+: /.test(line))).toEqual(lines);
    // Followed, an ended job has the same lines, and an end; with --json each is a document.
    expect((await hyperctl(['logs', '--job', id, '--follow'])).stdout.split('\n')).toEqual(lines);
    const streamed = await hyperctl(['logs', '--job', id, '--follow', '--json']);
    expect(streamed.stdout.split('\n').map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(
      document.lines.map(({ message }) => message),
    );
  });

  it('says on standard error that there is none yet, and why', async () => {
    const id = await startJob('logs-2', '--at', '+2h');
    const ran = await hyperctl(['logs', '--job', id]);
    expect(ran).toMatchObject({ exitCode: 0, stdout: '' });
    expect(ran.stderr).toMatch(/^No log lines yet: the job waits: it does not start before .*\.$/);
    expect(await hyperctl(['logs', '--job', id, '--quiet'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const following = hyperctl(['logs', '--job', id, '--follow']);
    expect((await hyperctl(['cancel', '--job', id, '--quiet'])).exitCode).toBe(0);
    expect((await following).exitCode).toBe(0);
    expect((await hyperctl(['logs', '--job', id])).stdout).toMatch(/WARN {2}export: The job was cancelled by \S+$/);
    expect((await hyperctl(['logs', '--job', id, '--level', 'error'])).stderr).toMatch(/^No log lines of that level/);
  });

  it('follows a job that runs until Ctrl-C', async () => {
    const id = await startJob('logs-3-stuck');
    await until(
      () => job(id),
      ({ status }) => status === 'converting',
      60_000,
    );
    const following = run(['logs', '--job', id, '--follow'], siteEnv());
    // Its handler stands once it follows.
    await new Promise((resolve) => following.stdout?.once('data', resolve));
    following.kill('SIGINT');
    const { exitCode, stdout } = await following;
    expect(exitCode).toBe(130);
    expect(
      String(stdout)
        .split('\n')
        .filter((line) => !LINE.test(line)),
    ).toEqual([]);
    expect((await job(id)).status).toBe('converting');
    await hyperctl(['cancel', '--job', id, '--quiet']);
  });

  it('says what is wrong', async () => {
    expect(await oneError(4, ['logs', '--job', 'job-000000000000'])).toContain('JOB_NOT_FOUND');
    expect(await oneError(2, ['logs', '--vm', 'logs-1', '--tail', '0'])).toContain('--tail');
  });
});
