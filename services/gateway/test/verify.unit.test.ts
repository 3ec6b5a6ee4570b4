import { JOB_STATUSES, Verification } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import type { Job } from '../src/database/index.js';
import { decide, type Fact } from '../src/jobs/decide.js';
import { toVerification } from '../src/jobs/projection.js';
import { decideVerify } from '../src/jobs/verify.js';
import { failure } from './facts.js';
import { exportedJob, job, NOW, SETTING } from './given.js';

const by = (attempt: number) => ({ job_id: 'job-abc123', attempt, worker: 'worker-1' });
const report = {
  identical: false,
  files: [{ file: '/out/disk1.qcow2', segments: 16, first_difference: 7 }],
  verified_at: NOW.toISOString(),
  duration_seconds: 12,
};
const verified = (attempt = 1): Fact => ({ name: 'verify.completed', data: { ...by(attempt), ...report } });
const unreadable = (attempt = 1): Fact => ({
  name: 'verify.failed',
  data: { ...by(attempt), failure: failure({ code: 'ARTIFACT_MISSING' }) },
});
const asked = (changes: Partial<Job> = {}): Job => {
  const given = exportedJob(changes);
  return Object.assign(given, decideVerify(given, NOW)?.patch);
};

const progress = (phase: 'verify' | 'export', attempt: number) => ({
  job_id: 'job-abc123',
  attempt,
  phase,
  time: NOW.toISOString(),
  percent_complete: 42.7,
});

it.each(JOB_STATUSES)('of a job that is %s looks where its files are', (status) => {
  const folder = { exported: '/work/job-abc123', failed: '/work/job-abc123', completed: '/out/production-db' }[
    status as string
  ];
  const given = exportedJob({
    status,
    verifyAttempt: 2,
    outputDir: status === 'completed' ? '/out/production-db' : null,
  });
  const decision = decideVerify(given, NOW);
  if (folder === undefined) expect(decision).toBeUndefined();
  else {
    expect(decision?.messages).toMatchObject([
      { type: 'task.verify.v1', data: { folder, attempt: 3, pool: 'host-a' } },
    ]);
    expect(decision?.patch.verifyAttempt).toBe(3);
  }
});

it('is refused where there is nothing to read', () => {
  expect(decideVerify(job({ status: 'failed' }), NOW)).toBeUndefined();
  expect(
    decideVerify(exportedJob({ status: 'failed', failure: failure({ code: 'ARTIFACT_MISSING' }) }), NOW),
  ).toBeUndefined();
});

it('is not begun twice at a time, but again after its end', () => {
  const given = asked();
  expect(decideVerify(given, NOW)).toEqual({ patch: {}, messages: [] });
  const ended = Object.assign(given, decide(given, verified(), SETTING)?.patch);
  expect(decideVerify(ended, NOW)?.patch).toMatchObject({ verifyAttempt: 2, verification: { report: null } });
});

it('keeps its report or its failure, of the attempt that was asked for', () => {
  expect(decide(asked(), verified(), SETTING)?.patch.verification).toMatchObject({ status: 'completed', report });
  expect(decide(asked(), unreadable(), SETTING)?.patch.verification).toMatchObject({
    status: 'failed',
    failure: { code: 'ARTIFACT_MISSING' },
  });
  for (const end of [verified, unreadable]) {
    expect(decide(asked(), end(2), SETTING)).toBeUndefined();
    expect(decide(exportedJob({ verifyAttempt: 1 }), end(), SETTING)).toBeUndefined();
    const ended = asked();
    Object.assign(ended, decide(ended, verified(), SETTING)?.patch);
    expect(decide(ended, end(), SETTING)).toBeUndefined();
  }
});

it('tells how far it is', () => {
  const row = asked().verification;
  if (row === null) throw new Error('not asked for');
  const shown = [undefined, progress('verify', 1), progress('export', 1), progress('verify', 2)].map((latest) =>
    Verification.parse(toVerification(row, 1, latest)),
  );
  expect(shown.map((one) => [one.status, one.percent_complete])).toEqual([
    ['queued', 0],
    ['in_progress', 42],
    ['queued', 0],
    ['queued', 0],
  ]);
  const done = toVerification({ ...row, status: 'completed', report }, 1, undefined);
  expect(done).toMatchObject({ status: 'completed', percent_complete: 100 });
});
