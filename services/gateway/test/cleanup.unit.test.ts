import type { JobProgress } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { decideCancel, decideRetry } from '../src/jobs/asked.js';
import { decide, type Fact } from '../src/jobs/decide.js';
import type { Decision } from '../src/jobs/decision.js';
import { toDetail } from '../src/jobs/projection.js';
import type { CleanupRow, Job } from '../src/database/index.js';
import { fact, failure } from './facts.js';
import { exportedJob, job, logged, NOW, sent, SETTING } from './given.js';

const by = (attempt: number) => ({ job_id: 'job-abc123', attempt, worker: 'worker-1' });
const cleanedUp = (attempt = 1): Fact => ({
  name: 'cleanup.completed',
  data: { ...by(attempt), removed_snapshots: ['hyper2kvm-job-abc123'], removed_files: true },
});
const notCleanedUp = (attempt = 1): Fact => ({
  name: 'cleanup.failed',
  data: { ...by(attempt), failure: failure({ code: 'CLEANUP_INCOMPLETE', message: 'the snapshot is locked' }) },
});
const queued: CleanupRow = { status: 'queued', remove_files: true, failures: 0, message: null, next_try_at: null };
const task = (decision: Decision | undefined) =>
  decision?.messages.find((message) => message.type === 'task.cleanup.v1');
const cancelled = (changes: Partial<Job> = {}): Job =>
  exportedJob({ status: 'cancelled', cleanup: queued, cleanupAttempt: 1, ...changes });

describe('is asked for', () => {
  it('when a job is cancelled that has been let out, with its files, where they are', () => {
    const decision = decideCancel(exportedJob({ cleanupAttempt: 4 }), 'local', NOW);
    expect(decision?.patch).toMatchObject({ cleanup: queued, cleanupAttempt: 5 });
    expect(task(decision)?.data).toMatchObject({
      attempt: 5,
      pool: 'host-a',
      vm_name: 'production-db',
      moref: 'vm-42',
      source: { kind: 'vsphere' },
      remove_files: true,
    });
  });

  it('not when nothing has begun', () => {
    const decision = decideCancel(job({ releasedAt: null }), 'local', NOW);
    expect(sent(decision)?.map((message) => message.type)).toEqual(['job.cancelled.v1']);
    expect(logged(decision)).toEqual([['warn', 'The job was cancelled by local']]);
    expect(decision?.patch).not.toHaveProperty('cleanup');
    expect(task(decideCancel(job({ releasedAt: null, exportAttempt: 2 }), 'local', NOW))).toBeDefined();
  });

  it('a moment later where a worker has to let go first', () => {
    for (const status of ['pending', 'exporting', 'converting'] as const) {
      const at = task(decideCancel(exportedJob({ status }), 'local', NOW))?.availableAt;
      expect(at?.getTime(), status).toBeGreaterThan(NOW.getTime());
    }
    expect(task(decideCancel(exportedJob({ status: 'failed' }), 'local', NOW))?.availableAt).toBeUndefined();
  });

  it.each(['STARTS_EXHAUSTED', 'VM_UNSUPPORTED', 'DISK_FULL'] as const)('when an export ends with %s', (code) => {
    const what = failure({ code, retryable: false });
    const decision = decide(job({ status: 'exporting' }), fact['export.failed'](1, what), SETTING);
    expect(task(decision)?.data).toMatchObject({ remove_files: true, pool: 'any' });
  });

  it('not between attempts, and not when a conversion failed: its artifact stands', () => {
    expect(task(decide(job({ status: 'exporting' }), fact['export.failed'](), SETTING))).toBeUndefined();
    const what = failure({ code: 'GUEST_NO_OS', retryable: false });
    const given = exportedJob({ status: 'converting' });
    expect(task(decide(given, fact['conversion.failed'](1, what), SETTING))).toBeUndefined();
  });

  it('when an export leaves something, without its files, and the conversion goes on', () => {
    const completed = fact['export.completed']();
    const leftover = { vm: 'production-db', snapshot: 'hyper2kvm-job-abc123' };
    const decision = decide(
      job({ status: 'exporting' }),
      { ...completed, data: { ...completed.data, leftover } } as Fact,
      SETTING,
    );
    expect(decision?.messages.map((message) => message.type)).toEqual(['conversion.requested.v1', 'task.cleanup.v1']);
    expect(task(decision)?.data).toMatchObject({ remove_files: false, pool: 'host-a', attempt: 1 });
    expect(decision?.patch).toMatchObject({ status: 'exported', conversionAttempt: 1, cleanupAttempt: 1 });
    expect(task(decide(job(), completed, SETTING))).toBeUndefined();
  });
});

describe('when it ends', () => {
  it('well, the job says so', () => {
    const decision = decide(cancelled(), cleanedUp(), SETTING);
    expect(decision?.patch.cleanup).toMatchObject({ status: 'completed', message: null });
    expect(decision?.messages).toEqual([]);
  });

  it('badly, it is tried again after longer and longer pauses, eight times, and then given up', () => {
    let given = cancelled();
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      const decision = decide(given, notCleanedUp(attempt), SETTING);
      const message = task(decision);
      expect(message?.data).toMatchObject({ attempt: attempt + 1, remove_files: true });
      pauses.push(((message?.availableAt?.getTime() ?? 0) - NOW.getTime()) / 60_000);
      given = Object.assign(given, decision?.patch);
      expect(given.cleanup).toMatchObject({
        status: 'queued',
        message: 'the snapshot is locked',
        next_try_at: message?.availableAt?.toISOString(),
      });
      expect(decision?.messages[0]).toMatchObject({
        type: 'job.log.v1',
        data: { level: 'warn', phase: 'cleanup', message: expect.stringContaining('the snapshot is locked') },
      });
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 320, 640]);
    const last = decide(given, notCleanedUp(9), SETTING);
    expect(last?.patch.cleanup).toMatchObject({
      status: 'failed',
      message: 'the snapshot is locked',
      next_try_at: null,
    });
    expect(last?.messages.map((message) => [message.type, message.data['level']])).toEqual([['job.log.v1', 'error']]);
  });

  it('facts of another try, or after the end, change nothing', () => {
    for (const end of [cleanedUp, notCleanedUp]) {
      expect(decide(cancelled({ cleanupAttempt: 2 }), end(1), SETTING)).toBeUndefined();
      expect(decide(cancelled({ cleanup: { ...queued, status: 'completed' } }), end(1), SETTING)).toBeUndefined();
      expect(decide(exportedJob(), end(1), SETTING)).toBeUndefined();
    }
  });

  it('badly while a new attempt waits for it, that goes on without it', () => {
    const given = job({ releasedAt: null, exportAttempt: 2, cleanup: queued, cleanupAttempt: 1 });
    const decision = decide(given, notCleanedUp(), SETTING);
    expect(decision?.patch.cleanup).toBeNull();
    expect(task(decision)).toBeUndefined();
  });
});

it('a retry forgets a clean-up that had not left, and waits for one that had', () => {
  const given = job({ status: 'failed', cleanup: queued, cleanupAttempt: 1 });
  expect(decideRetry(given, NOW, true)?.patch.cleanup).toBeNull();
  expect(decideRetry(given, NOW, false)?.patch).not.toHaveProperty('cleanup');
});

const progress = (attempt: number) => ({
  job_id: 'job-abc123',
  attempt,
  phase: 'cleanup' as const,
  time: NOW.toISOString(),
  percent_complete: 50,
});

const show = (given: Job, attempt?: number) =>
  toDetail(given, {
    progress: attempt === undefined ? undefined : progress(attempt),
    queuePosition: null,
    waitingReason: null,
  });

describe('is shown', () => {
  it('as the phase of a cancelled job while it lasts', () => {
    expect(show(cancelled())).toMatchObject({ phase: 'cleanup', cleanup: { status: 'queued' }, percent_complete: 0 });
    expect(show(cancelled(), 1)).toMatchObject({
      phase: 'cleanup',
      cleanup: { status: 'in_progress' },
      percent_complete: 50,
      progress: { phase: 'cleanup', percent_complete: 50 },
    });
    expect(show(cancelled({ cleanupAttempt: 2 }), 1)).toMatchObject({
      cleanup: { status: 'queued' },
      percent_complete: 0,
    });
    expect(show(cancelled({ cleanup: { ...queued, status: 'completed' } }))).toMatchObject({
      phase: 'conversion',
      cleanup: { status: 'completed' },
    });
  });

  it('with what went wrong and the time of the next try', () => {
    const next = '2026-01-17T10:05:00.000Z';
    const given = cancelled({ cleanup: { ...queued, failures: 1, message: 'locked', next_try_at: next } });
    expect(show(given).cleanup).toEqual({ status: 'queued', message: 'locked', next_try_at: next });
    expect(show(exportedJob()).cleanup).toBeNull();
    const of = (latest: JobProgress) => toDetail(given, { progress: latest, queuePosition: null, waitingReason: null });
    expect(of({ ...progress(1), phase: 'export' }).cleanup?.status).toBe('queued');
  });
});
