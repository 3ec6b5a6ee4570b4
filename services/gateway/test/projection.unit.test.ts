import { JOB_STATUSES, JobDetail, type JobProgress } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { gigabytes, toDetail } from '../src/jobs/projection.js';
import { fact } from './facts.js';
import { exportedJob, job } from './given.js';

const progress = (changes: Partial<JobProgress> = {}): JobProgress => ({
  job_id: 'job-abc123',
  attempt: 1,
  phase: 'export',
  time: '2026-01-17T09:30:00.000Z',
  percent_complete: 67.9,
  eta_seconds: 180,
  disks: [
    { index: 1, name: 'a', capacity_bytes: 1000, done_bytes: 1000, bytes_downloaded: 400, state: 'done' },
    { index: 2, name: 'b', capacity_bytes: 500, done_bytes: 20, bytes_downloaded: 15, state: 'transferring' },
  ],
  ...changes,
});
const live = (latest?: JobProgress) => ({ progress: latest, queuePosition: null, waitingReason: null });

it.each(JOB_STATUSES)('a job that is %s has a detail as the contract says', (status) => {
  for (const given of [job({ status }), exportedJob({ status })]) {
    expect(() => JobDetail.parse(toDetail(given, live(progress())))).not.toThrow();
  }
});

describe('progress', () => {
  it('of the running attempt is shown', () => {
    const detail = toDetail(job({ status: 'exporting' }), live(progress()));
    expect(detail.progress).toMatchObject({ current_disk: 2, total_disks: 2, percent_complete: 67, eta_seconds: 180 });
    expect(detail.export).toMatchObject({ status: 'in_progress', bytes_downloaded: 415, total_bytes: 1500 });
    expect(detail.percent_complete).toBe(67);
  });

  it.each([
    ['an older attempt', progress({ attempt: 1 }), job({ status: 'exporting', exportAttempt: 2 })],
    ['an earlier phase', progress(), exportedJob({ status: 'converting' })],
  ])('of %s is not', (_, latest, given) => {
    const detail = toDetail(given, live(latest));
    expect(detail.progress).toMatchObject({ percent_complete: 0, eta_seconds: null, disks: [] });
  });

  it("of a conversion speaks the seed's words", () => {
    const latest = progress({ phase: 'conversion', step: 'initramfs', steps_completed: 3, steps_total: 5 });
    const detail = toDetail(exportedJob({ status: 'converting' }), live(latest));
    expect(detail.conversion).toMatchObject({
      status: 'in_progress',
      current_step: 'injecting_virtio_drivers',
      steps_completed: 3,
      steps_total: 5,
    });
  });
});

it('a finished phase keeps the figures of its row', () => {
  const detail = toDetail(exportedJob({ status: 'converting' }), live(progress()));
  expect(detail.export).toEqual({
    status: 'completed',
    duration: '7m 25s',
    duration_seconds: 445,
    bytes_downloaded: 700,
    total_bytes: 1500,
  });
});

it('a completed job tells where everything lies', () => {
  const { data } = fact['conversion.completed']();
  const given = exportedJob({
    status: 'completed',
    phase: 'cleanup',
    outputDir: '/out/production-db',
    completedAt: new Date('2026-01-17T09:12:57.000Z'),
    result: data as NonNullable<ReturnType<typeof exportedJob>['result']>,
  });
  expect(toDetail(given, live())).toMatchObject({
    percent_complete: 100,
    duration_seconds: 777,
    files: ['/out/production-db/disk1.qcow2'],
    domain_xml: '/out/production-db/domain.xml',
    guest: 'Debian GNU/Linux 12',
    concerns: ['look at this'],
    conversion: { status: 'completed', steps_completed: 11, steps_total: 11 },
  });
});

it('no detail carries anything of the source', () => {
  const text = JSON.stringify(toDetail(exportedJob({ status: 'failed' }), live()));
  expect(text).not.toMatch(/password|v1\.a\.b\.c|username/);
});

it("gigabytes are the seed's: 10^9 bytes, one decimal", () => {
  expect([85_200_000_000, 0, 49_999_999, 8 * 1024 ** 3].map((count) => gigabytes(count))).toEqual([85.2, 0, 0, 8.6]);
});
