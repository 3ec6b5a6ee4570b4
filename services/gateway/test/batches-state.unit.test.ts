import { JOB_STATUSES, isEnded, type JobStatus } from '@hyper2kvm/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countsOf, percentOf, sumOf, type Counts, type WaveCounts } from '../src/batches/counts.js';
import { reasonOf, statusOf, underWay, waveStatus } from '../src/batches/state.js';
import { csvOf } from '../src/batches/report.js';
import { Batch, type WaveRow } from '../src/database/index.js';

interface Kind {
  readonly status: JobStatus;
  readonly resting?: boolean;
  readonly admitted?: boolean;
}
const of = (...jobs: (Kind & { readonly count?: number })[]) =>
  countsOf(
    jobs.map(({ status, resting = false, admitted = true, count = 1 }) => ({ status, resting, admitted, count })),
  );
const NOW = new Date('2026-01-17T10:00:00Z');
const wave = (name: string, ...after: string[]): WaveRow => ({ name, after, hooks: null });
const batch = (changes: Partial<Batch> = {}): Batch =>
  Object.assign(new Batch(), {
    id: 'batch-abc123',
    waves: [wave('databases'), wave('web', 'databases')],
    failuresForgiven: 0,
    stoppedAt: null,
    cancelledAt: null,
    completedAt: null,
    ...changes,
  });

describe('the counts of a batch', () => {
  it('hold for whatever jobs there are', () => {
    const kind = fc.record({
      status: fc.constantFrom(...JOB_STATUSES),
      resting: fc.boolean(),
      admitted: fc.boolean(),
      count: fc.nat({ max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(fc.array(kind, { maxLength: 8 }), { minLength: 1, maxLength: 4 }), (waves) => {
        const rows = waves.map((jobs) =>
          jobs.map((job) => ({ ...job, resting: job.resting && job.status === 'exported' })),
        );
        const all = sumOf(new Map(rows.map((jobs, index) => [`w${index}`, countsOf(jobs)])));
        const sum = (which: (job: (typeof rows)[number][number]) => boolean): number =>
          rows.flat().reduce((total, job) => total + (which(job) ? job.count : 0), 0);
        expect(all.totals.total).toBe(sum(() => true));
        for (const status of JOB_STATUSES) expect(all.totals[status]).toBe(sum((job) => job.status === status));
        expect(all.over).toBe(sum((job) => isEnded(job.status) || job.resting));
        expect(all.waiting).toBe(sum((job) => job.status === 'pending' && !job.admitted));
        expect(underWay(all)).toBeGreaterThanOrEqual(0);
        const percent = percentOf(all);
        expect(percent === 100).toBe(all.over === all.totals.total);
        expect(percent).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('give an exported VM half, and one that rests there the whole', () => {
    expect(percentOf(of({ status: 'exported' }, { status: 'pending' }))).toBe(25);
    expect(percentOf(of({ status: 'exported', resting: true }, { status: 'pending' }))).toBe(50);
    expect(percentOf(of({ status: 'converting' }, { status: 'failed' }))).toBe(75);
  });
});

describe('the state of a batch', () => {
  it.each([
    [{}, 'running'],
    [{ stoppedAt: NOW }, 'stopped'],
    [{ stoppedAt: NOW, completedAt: NOW }, 'completed'],
    [{ stoppedAt: NOW, cancelledAt: NOW }, 'cancelled'],
    [{ cancelledAt: NOW, completedAt: NOW }, 'cancelled'],
  ])('%j is %s', (changes, status) => {
    expect(statusOf(batch(changes))).toBe(status);
  });

  const waiting = of({ status: 'pending', admitted: false, count: 3 });
  const counts = (databases: Counts): WaveCounts =>
    new Map([
      ['databases', databases],
      ['web', waiting],
    ]);

  it('has a wave wait until all before it are through', () => {
    const begun = counts(of({ status: 'completed', count: 3 }, { status: 'converting', count: 2 }));
    expect(waveStatus(wave('databases'), begun)).toEqual({ status: 'running', reason: null });
    expect(waveStatus(wave('web', 'databases'), begun)).toEqual({
      status: 'waiting',
      reason: 'wave web waits for wave databases (2 of 5 left)',
    });
    expect(reasonOf(batch(), begun)).toBeNull();
  });

  it('has it wait while one of them failed, and tells so of the batch', () => {
    const failed = counts(of({ status: 'completed', count: 3 }, { status: 'failed', count: 2 }));
    const why = 'wave web waits for wave databases: 2 of its VMs failed; retry or cancel them';
    expect(waveStatus(wave('web', 'databases'), failed)).toEqual({ status: 'waiting', reason: why });
    expect(reasonOf(batch(), failed)).toBe(why);
    const cancelled = counts(
      of({ status: 'completed' }, { status: 'cancelled' }, { status: 'exported', resting: true }),
    );
    expect(waveStatus(wave('web', 'databases'), cancelled).status).toBe('running');
  });

  it('tells after how many failures it stopped, without those that are forgiven', () => {
    const failed = counts(of({ status: 'failed', count: 5 }, { status: 'pending' }));
    expect(reasonOf(batch({ stoppedAt: NOW, failuresForgiven: 2 }), failed)).toBe(
      'the batch stopped after 3 failures: hyperctl batches resume batch-abc123',
    );
  });
});

describe('the report as CSV', () => {
  const line = {
    wave: 'all',
    vm_name: '=cmd|calc',
    job_id: 'job-abc123',
    status: 'failed' as const,
    error_code: 'VM_NOT_FOUND' as const,
    error: 'There is no VM "a,b",\nnowhere.',
    retry_count: 0,
    created_at: '2026-01-17T10:00:00.000Z',
    started_at: null,
    completed_at: null,
    duration_seconds: null,
    export_seconds: null,
    conversion_seconds: null,
    bytes_downloaded: 0,
    capacity_bytes: 0,
    booted: false,
    libvirt_domain: null,
    output_dir: null,
    concerns: 0,
  };
  it('quotes, and defuses what a spreadsheet would run', () => {
    const [header, ...rows] = csvOf([line, { ...line, vm_name: '@x' }, { ...line, vm_name: '+x' }]).split('\r\n');
    expect(header).toBe(Object.keys(line).join(','));
    expect(rows[0]).toBe(
      `all,'=cmd|calc,job-abc123,failed,VM_NOT_FOUND,"There is no VM ""a,b"",\nnowhere.",0,2026-01-17T10:00:00.000Z,,,,,,0,0,false,,,0`,
    );
    expect(rows[1]).toContain("all,'@x,");
    expect(rows[2]).toContain("all,'+x,");
  });
});
