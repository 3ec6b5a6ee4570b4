import { Import, JOB_STATUSES } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import type { Job } from '../src/database/index.js';
import { decide, type Fact } from '../src/jobs/decide.js';
import { decideImport } from '../src/jobs/import.js';
import { toDetail, toImport } from '../src/jobs/projection.js';
import { failure } from './facts.js';
import { exportedJob, NOW, SETTING } from './given.js';

const WISH = { target: undefined, pool: undefined, start: false };
const by = (attempt: number) => ({ job_id: 'job-abc123', attempt, worker: 'worker-1' });
const report = {
  libvirt_domain: 'production-db',
  libvirt_uri: 'qemu:///system',
  defined: true,
  started: false,
  concerns: [],
};
const imported = (attempt = 1): Fact => ({ name: 'import.completed', data: { ...by(attempt), ...report } });
const refused = (attempt = 1): Fact => ({
  name: 'import.failed',
  data: { ...by(attempt), failure: failure({ code: 'DOMAIN_EXISTS' }) },
});
const done = (changes: Partial<Job> = {}): Job =>
  exportedJob({ status: 'completed', phase: 'cleanup', outputDir: '/out/production-db', ...changes });
const asked = (changes: Partial<Job> = {}): Job => {
  const given = done(changes);
  return Object.assign(given, decideImport(given, WISH, NOW)?.patch);
};
const progress = (phase: 'import' | 'conversion', attempt: number) => ({
  job_id: 'job-abc123',
  attempt,
  phase,
  time: NOW.toISOString(),
  percent_complete: 50,
});
const live = { progress: undefined, queuePosition: null, waitingReason: null };

it.each(JOB_STATUSES.filter((status) => status !== 'completed'))('there is nothing of a job that is %s', (status) => {
  expect(decideImport(done({ status }), WISH, NOW)).toBeUndefined();
});

it('goes to the converters of the target, else to those that wrote the output', () => {
  const poolOf = (job: Job, pool: string | undefined): unknown =>
    decideImport(job, { ...WISH, pool }, NOW)?.messages.map(({ data }) => data['pool']);
  expect(poolOf(done(), undefined)).toEqual(['host-a']);
  expect(poolOf(done({ targetPool: 'kvm1' }), undefined)).toEqual(['kvm1']);
  expect(poolOf(done({ targetPool: 'kvm1' }), 'kvm2')).toEqual(['kvm2']);
  expect(decideImport(done({ importAttempt: 2 }), { ...WISH, target: 'lab', start: true }, NOW)).toMatchObject({
    patch: { importAttempt: 3, libvirtImport: { target: 'lab' } },
    messages: [
      { type: 'task.import.v1', data: { folder: '/out/production-db', attempt: 3, target: 'lab', start: true } },
    ],
  });
});

it('is not begun twice at a time, but again after its end', () => {
  const given = asked();
  expect(decideImport(given, WISH, NOW)).toEqual({ patch: {}, messages: [] });
  const ended = Object.assign(given, decide(given, imported(), SETTING)?.patch);
  expect(decideImport(ended, WISH, NOW)?.patch).toMatchObject({ importAttempt: 2, libvirtImport: { report: null } });
});

it('keeps its report or its failure, of the attempt that was asked for', () => {
  expect(decide(asked(), refused(), SETTING)?.patch.libvirtImport).toMatchObject({
    status: 'failed',
    failure: { code: 'DOMAIN_EXISTS' },
  });
  for (const end of [imported, refused]) {
    expect(decide(asked(), end(2), SETTING)).toBeUndefined();
    expect(decide(done({ importAttempt: 1 }), end(), SETTING)).toBeUndefined();
    const ended = asked();
    Object.assign(ended, decide(ended, imported(), SETTING)?.patch);
    expect(decide(ended, end(), SETTING)).toBeUndefined();
  }
});

it('tells whether it has begun, and the domain afterwards', () => {
  const row = asked().libvirtImport;
  if (row === null) throw new Error('not asked for');
  const latest = [undefined, progress('import', 1), progress('conversion', 1), progress('import', 2)];
  const shown = latest.map((one) => Import.parse(toImport(row, 1, one)).status);
  expect(shown).toEqual(['queued', 'in_progress', 'queued', 'queued']);
  const ended = asked();
  expect(toDetail(ended, live)).toMatchObject({ import: { status: 'queued' }, libvirt_domain: null });
  Object.assign(ended, decide(ended, imported(), SETTING)?.patch);
  expect(toDetail(ended, live)).toMatchObject({
    import: { status: 'completed', report },
    libvirt_domain: 'production-db',
  });
});
