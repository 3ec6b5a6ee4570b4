import { exportRequested } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { decideCancel, decideConvert, decidePriority } from '../src/jobs/asked.js';
import * as messages from '../src/jobs/messages.js';
import { askedBy, eventOf, lineOf, newsOf } from '../src/jobs/timeline.js';
import { fact, failure } from './facts.js';
import { exportedJob, job, logged, NOW, sent } from './given.js';

const AT = new Date('2026-01-17T09:45:00.000Z');

describe('what the timeline says', () => {
  it.each([
    ['export.started', 'Export 2 began on worker-1: 2 disks, 0 GB.'],
    ['export.completed', 'Export 2 is completed: 0 GB in 7m 25s.'],
    ['export.failed', 'Export 2 failed: the line broke'],
    ['conversion.started', 'Conversion 2 began on worker-1.'],
    ['conversion.completed', 'Conversion 2 is completed in 4m 32s: /out/production-db'],
    ['conversion.failed', 'Conversion 2 failed: the line broke'],
  ] as const)('of %s', (name, message) => {
    expect(eventOf(fact[name](2), AT)).toEqual({ event: name, time: AT, attempt: 2, by: 'worker-1', message });
  });

  it.each([
    [messages.created(job()), { event: 'job.created', by: 'local' }],
    [messages.cancelled(job(), 'alice'), { event: 'job.cancelled', by: 'alice' }],
    [messages.failed(job(), failure(), NOW), { event: 'job.failed', message: 'The job failed: the line broke' }],
    [messages.requestExport(job(), true), { event: 'export.requested', attempt: 1 }],
    [
      { ...messages.requestConversion(exportedJob()), availableAt: AT },
      {
        event: 'conversion.requested',
        message: 'Conversion 1 is asked for in the lane high, not before 2026-01-17T09:45:00.000Z.',
      },
    ],
    [
      messages.requestCleanup(job({ cleanupAttempt: 3 }), { remove_files: true }),
      { event: 'task.cleanup', attempt: 3, message: 'Clean-up 3 is asked for.' },
    ],
    [messages.inAnotherLane(messages.requestExport(job({ priority: 'low' }), true)), { event: 'export.moved' }],
    [messages.withdraw(exportRequested, 'job-abc123'), { event: 'export.withdrawn' }],
  ])('of what leaves (%#)', (message, line) => {
    expect(lineOf(message)).toMatchObject(line);
  });

  it('has no line of what it tells otherwise', () => {
    expect(lineOf(messages.limitBandwidth('job-abc123', 1))).toBeUndefined();
    expect(lineOf(messages.log(job(), { level: 'info', phase: 'export', message: 'x' }, NOW))).toBeUndefined();
  });
});

describe('a try', () => {
  it('begins with its command, and only with that', () => {
    expect(askedBy('job-abc123', messages.requestExport(job({ exportAttempt: 4 }), true))).toEqual({
      jobId: 'job-abc123',
      activity: 'export',
      attempt: 4,
      outcome: 'queued',
    });
    const { messages: moved } = decidePriority(job(), 'low', { now: NOW, maxRetries: 1 }) ?? { messages: [] };
    const { messages: ended } = decideCancel(job(), 'alice', NOW) ?? { messages: [] };
    expect([...moved, ...ended].flatMap((message) => askedBy('job-abc123', message) ?? [])).toMatchObject([
      { activity: 'cleanup', attempt: 1 },
    ]);
  });

  it('that was stopped by a cancel did not fail', () => {
    expect(newsOf(fact['export.failed'](1, failure({ code: 'CANCELLED' })), AT)).toMatchObject({
      outcome: 'cancelled',
    });
    expect(newsOf(fact['conversion.failed'](), AT)).toMatchObject({
      outcome: 'failed',
      endedAt: AT,
      errorFile: '/work/error.json',
    });
  });
});

const change = (given = job(), held?: Date) =>
  decidePriority(given, 'low', { now: NOW, maxRetries: 1, ...(held === undefined ? {} : { held }) });

describe('another lane', () => {
  it('is a move of what waits in a queue, behind the others there', () => {
    expect(change()?.patch).toMatchObject({
      priority: 'low',
      generation: 1,
      queuedAt: NOW,
      options: { priority: 'low' },
    });
    expect(sent(change())?.map(({ kind, type, data }) => [kind, type, data['lane'], data['generation']])).toEqual([
      ['fact', 'job.reprioritised.v1', undefined, undefined],
      ['move', 'export.requested.v1', 'low', 1],
    ]);
    expect(change(exportedJob(), AT)?.messages[1]).toMatchObject({
      kind: 'move',
      type: 'conversion.requested.v1',
      availableAt: AT,
    });
  });

  it.each([
    ['waits for its release', job({ releasedAt: null }), NOW],
    ['is being exported', job({ status: 'exporting' }), undefined],
    ['is being converted', exportedJob({ status: 'converting' }), undefined],
    ['rests', exportedJob({ conversionStatus: null, conversionAttempt: 0 }), undefined],
    ['failed', exportedJob({ status: 'failed' }), undefined],
  ])('is a change of the row alone of a job that %s', (_, given, queuedAt) => {
    expect(sent(change(given))?.map(({ type }) => type)).toEqual(['job.reprioritised.v1']);
    expect(logged(change(given))).toHaveLength(1);
    expect(change(given)?.patch.generation).toBeUndefined();
    expect(change(given)?.patch.queuedAt).toEqual(queuedAt);
  });

  it('means nothing of a job that is over, and nothing new of one that is there', () => {
    expect(change(job({ status: 'completed' }))).toBeUndefined();
    expect(change(job({ status: 'cancelled' }))).toBeUndefined();
    expect(change(job({ priority: 'low' }))).toEqual({ patch: {}, messages: [] });
  });
});

it('a conversion that is asked for later begins with the options and converters of then', () => {
  const given = exportedJob({ conversionStatus: null, conversionAttempt: 0, phaseRetries: 2 });
  const options = { ...given.options, fix_network: false };
  const decision = decideConvert(given, { options, targetPool: 'kvm-2' }, NOW);
  expect(decision?.patch).toMatchObject({
    conversionAttempt: 1,
    conversionStatus: 'queued',
    queuedAt: NOW,
    phaseRetries: 0,
  });
  expect(decision?.messages).toMatchObject([{ data: { pool: 'kvm-2', options: { fix_network: false } } }]);
  expect(decideConvert(exportedJob(), { options, targetPool: null }, NOW)).toBeUndefined();
});
