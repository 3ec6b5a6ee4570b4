import {
  CATALOGUE,
  isEnded,
  JOB_STATUSES,
  JobOptions,
  transition,
  TRANSITIONS,
  type JobStatus,
} from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { decideBandwidth, decideCancel, decideRelease, decideRetry } from '../src/jobs/asked.js';
import { decide } from '../src/jobs/decide.js';
import type { Decision } from '../src/jobs/decision.js';
import { classify } from '../src/jobs/retry-classes.js';
import { fact, failure } from './facts.js';
import { exportedJob, job, logged, NOW, sent, SETTING } from './given.js';

const FINAL = { ...SETTING, policy: { ...SETTING.policy, max_retries: 0 } };
const FACTS = Object.keys(fact) as (keyof typeof fact)[];
const givenIn = (status: JobStatus) => exportedJob({ status });
const types = (decision: Decision | undefined) => sent(decision)?.map((message) => message.type);

describe('every row of the table', () => {
  const rows = TRANSITIONS.filter((row) => row.on in fact).flatMap((row) =>
    row.from.map((from) => [from, row.on as keyof typeof fact, row.to] as const),
  );
  it.each(rows)('given %s, when %s, then %s', (from, on, to) => {
    const decision = decide(givenIn(from), fact[on](), FINAL);
    expect(decision?.patch.status).toBe(to);
    expect(decision?.patch.updatedAt).toEqual(NOW);
    if (isEnded(to)) expect(decision?.patch.completedAt).toEqual(NOW);
    else expect(decision?.patch.completedAt).toBeNull();
  });

  const none = JOB_STATUSES.flatMap((from) => FACTS.map((on) => [from, on] as const)).filter(
    ([from, on]) => transition(from, on) === undefined,
  );
  it.each(none)('given %s, when %s, then nothing', (from, on) => {
    expect(decide(givenIn(from), fact[on](), FINAL)).toBeUndefined();
  });
});

describe('facts of another attempt', () => {
  it.each(FACTS)('%s changes nothing', (name) => {
    for (const attempt of [1, 3]) {
      for (const status of JOB_STATUSES) {
        const given = exportedJob({ status, exportAttempt: 2, conversionAttempt: 2 });
        expect(decide(given, fact[name](attempt), SETTING)).toBeUndefined();
      }
    }
  });
});

describe('when the export is completed', () => {
  it('asks for the first attempt of the conversion, where the artifacts are', () => {
    const decision = decide(job({ status: 'exporting' }), fact['export.completed'](), SETTING);
    expect(decision?.patch).toMatchObject({
      status: 'exported',
      phase: 'conversion',
      conversionStatus: 'queued',
      conversionAttempt: 1,
      exportDurationSeconds: 445,
      bytesDownloaded: 700,
      artifactDir: '/work/job-abc123',
      artifactPool: 'host-a',
    });
    expect(JSON.stringify(decision?.patch)).not.toContain('segments');
    expect(types(decision)).toEqual(['conversion.requested.v1']);
    expect(decision?.messages[0]?.data).toMatchObject({
      attempt: 1,
      lane: 'high',
      pool: 'host-a',
      artifact_dir: '/work/job-abc123',
      requested_at: '2026-01-17T09:00:00.000Z',
      options: { fix_fstab: true, verify_boot: false },
    });
  });

  it('implies that it was started, when that fact was overtaken', () => {
    const decision = decide(job(), fact['export.completed'](), SETTING);
    expect(decision?.patch.exportStartedAt).toEqual(new Date(NOW.getTime() - 445_400));
  });

  it('rests where auto_convert is false', () => {
    const given = job({ status: 'exporting', options: JobOptions.parse({ auto_convert: false }) });
    const decision = decide(given, fact['export.completed'](), SETTING);
    expect(decision?.patch).toMatchObject({ status: 'exported', conversionStatus: null });
    expect(decision?.patch.conversionAttempt).toBeUndefined();
    expect(decision?.messages).toEqual([]);
  });

  it('gives the conversion retries of its own', () => {
    const decision = decide(job({ status: 'exporting', phaseRetries: 2 }), fact['export.completed'](), SETTING);
    expect(decision?.patch.phaseRetries).toBe(0);
  });
});

it('when the conversion is completed, tells all that a notification needs', () => {
  const decision = decide(exportedJob({ status: 'converting' }), fact['conversion.completed'](), SETTING);
  expect(decision?.patch).toMatchObject({
    phase: 'cleanup',
    conversionStatus: 'completed',
    conversionDurationSeconds: 272,
    outputDir: '/out/production-db',
    result: { concerns: ['look at this'] },
  });
  expect(types(decision)).toEqual(['job.completed.v1']);
  expect(decision?.messages[0]?.data).toMatchObject({
    notify_email: 'ops@example.com',
    bytes_downloaded: 700,
    completed_at: NOW.toISOString(),
    result: { files: ['/out/production-db/disk1.qcow2'] },
  });
});

describe('when an attempt failed', () => {
  it('waits and tries again, longer each time, until the retries are used up', () => {
    const delays: (number | undefined)[] = [];
    let given = job({ status: 'exporting' });
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      const decision = decide(given, fact['export.failed'](given.exportAttempt), SETTING);
      given = Object.assign(given, decision?.patch);
      if (given.status === 'failed') {
        expect(types(decision)).toEqual(['job.failed.v1', 'task.cleanup.v1']);
        expect(logged(decision)).toEqual([
          [
            'error',
            'The job failed, and is not tried again by itself: it was tried again 2 times already. Once the cause is mended: hyperctl retry --job job-abc123',
          ],
        ]);
        break;
      }
      expect(given).toMatchObject({ status: 'pending', error: 'the line broke', completedAt: null });
      // Its command leaves when its time has come and there is room.
      expect(types(decision)).toEqual(['job.retried.v1']);
      expect(logged(decision)).toEqual([
        [
          'warn',
          attempt === 1
            ? 'The export is tried again in 5m 0s, at 2026-01-17T10:05:00.000Z (retry 1 of 2): EXPORT_TRANSFER may pass by itself'
            : 'The export is tried again in 10m 0s, at 2026-01-17T10:10:00.000Z (retry 2 of 2): EXPORT_TRANSFER may pass by itself',
        ],
      ]);
      delays.push((given.nextRetryAt?.getTime() ?? 0) - NOW.getTime());
      const release = decideRelease(given, NOW, 2);
      expect(types(release)).toEqual(['export.requested.v1']);
      expect(release?.messages[0]?.data['attempt']).toBe(attempt + 1);
      given = Object.assign(given, release?.patch);
    }
    expect(delays).toEqual([300_000, 600_000]);
    expect(given).toMatchObject({ retryCount: 2, exportAttempt: 3, nextRetryAt: null, completedAt: NOW });
  });

  it('repeats a conversion from the artifacts that stand', () => {
    const what = failure({ code: 'NO_WORKER' });
    const decision = decide(exportedJob({ status: 'converting' }), fact['conversion.failed'](1, what), SETTING);
    expect(decision?.patch).toMatchObject({ status: 'exported', conversionAttempt: 2, conversionStatus: 'queued' });
    expect(decision?.patch).not.toHaveProperty('artifactDir');
    expect(types(decision)).toEqual(['job.retried.v1', 'conversion.requested.v1']);
  });

  it('ends the job at once where a retry cannot help', () => {
    const what = failure({ code: 'GUEST_NO_OS', retryable: false });
    const decision = decide(exportedJob({ status: 'converting' }), fact['conversion.failed'](1, what), SETTING);
    expect(decision?.patch).toMatchObject({
      status: 'failed',
      phase: 'conversion',
      conversionStatus: 'failed',
      errorFile: '/work/error.json',
    });
    expect(decision?.messages[0]?.data).toMatchObject({
      phase: 'conversion',
      retry_available: true,
      failure: { code: 'GUEST_NO_OS' },
    });
  });

  it('goes by the lists of the configuration', () => {
    const given = job({ status: 'exporting' });
    const setting = { ...SETTING, retryable: classify({ permanent_errors: ['connection timeout'] }) };
    expect(decide(given, fact['export.failed'](), setting)?.patch.status).toBe('failed');
    expect(decide(given, fact['export.failed'](), SETTING)?.patch.status).toBe('pending');
  });

  it('forgets the failure once the next attempt runs', () => {
    const given = job({ exportAttempt: 2, error: 'x', failure: failure(), nextRetryAt: NOW });
    const decision = decide(given, fact['export.started'](2), SETTING);
    expect(decision?.patch).toMatchObject({ error: null, failure: null, nextRetryAt: null });
  });
});

describe('a user asks', () => {
  it('a retry repeats the conversion alone while the artifacts stand', () => {
    const given = exportedJob({ status: 'failed', phaseRetries: 2, failure: failure({ code: 'GUEST_NO_OS' }) });
    const decision = decideRetry(given, NOW);
    expect(decision?.patch).toMatchObject({ status: 'exported', phaseRetries: 0, retryCount: 1, completedAt: null });
    expect(types(decision)).toEqual(['job.retried.v1', 'conversion.requested.v1']);
    expect(decision?.messages.every((message) => message.availableAt === undefined)).toBe(true);
  });

  it('a retry starts from the source when the artifacts are gone', () => {
    const given = exportedJob({ status: 'failed', failure: failure({ code: 'ARTIFACT_MISSING' }) });
    const decision = decideRetry(given, NOW);
    expect(decision?.patch).toMatchObject({ status: 'pending', phase: 'export', exportAttempt: 2, artifactDir: null });
    expect(decision?.patch.releasedAt).toBeNull();
    expect(types(decision)).toEqual(['job.retried.v1']);
  });

  it.each(JOB_STATUSES.filter((status) => status !== 'failed'))('no retry of a job that is %s', (status) => {
    expect(decideRetry(exportedJob({ status }), NOW)).toBeUndefined();
  });

  it.each([
    ['pending', ['export.requested.v1', 'job.cancelled.v1', 'task.cleanup.v1']],
    ['exporting', ['export.requested.v1', 'job.cancelled.v1', 'task.cleanup.v1']],
    ['exported', ['conversion.requested.v1', 'job.cancelled.v1', 'task.cleanup.v1']],
    ['converting', ['conversion.requested.v1', 'job.cancelled.v1', 'task.cleanup.v1']],
    ['failed', ['job.cancelled.v1', 'task.cleanup.v1']],
    ['completed', undefined],
    ['cancelled', undefined],
  ] as const)('a cancel of a job that is %s sends %j', (status, expected) => {
    const decision = decideCancel(exportedJob({ status }), 'local', NOW);
    expect(types(decision)).toEqual(expected);
    if (expected !== undefined) expect(decision?.patch.status).toBe('cancelled');
  });

  it('tells every end with the wishes of the job, and what rules choose by', () => {
    const wishes = {
      notify_email: 'ops@example.com',
      callback_url: 'https://cmdb.example.com/done',
      slack_webhook: 'https://hooks.slack.com/services/T0/B0/geheim',
    };
    const given = exportedJob({
      status: 'converting',
      options: JobOptions.parse(wishes),
      tags: ['erp'],
      batchId: 'batch-abc123',
      traceId: 'abc',
    });
    const all = {
      ...wishes,
      priority: 'high',
      tags: ['erp'],
      batch_id: 'batch-abc123',
      trace_id: 'abc',
    };
    const ends = [
      decide(given, fact['conversion.completed'](), FINAL),
      decide(given, fact['conversion.failed'](), FINAL),
      decideCancel(given, 'local', NOW),
    ].flatMap((decision) => (decision?.messages ?? []).filter(({ type }) => /^job\.(c|f)/.test(type)));
    expect(ends.map(({ type }) => type)).toEqual(['job.completed.v1', 'job.failed.v1', 'job.cancelled.v1']);
    for (const { data } of ends) expect(data).toMatchObject(all);
  });
});

describe('the release', () => {
  it('sends the export with what the user asked of it', () => {
    const options = JobOptions.parse({
      transport: 'datastore',
      source_power: 'shutdown',
      bandwidth_bytes_per_second: 200_000_000,
      verify_boot: true,
    });
    const decision = decideRelease(job({ releasedAt: null, nextRetryAt: NOW, options }), NOW, 2);
    expect(decision?.patch).toMatchObject({ releasedAt: NOW, nextRetryAt: null });
    expect(decision?.messages).toMatchObject([{ type: 'export.requested.v1', data: { attempt: 1, lane: 'high' } }]);
    expect(decision?.messages[0]?.data['options']).toEqual({
      transport: 'datastore',
      source_power: 'shutdown',
      bandwidth_bytes_per_second: 200_000_000,
    });
  });

  it('says whether another attempt may follow by itself', () => {
    const keeps = [0, 1, 2].map((phaseRetries) => {
      const [command] = decideRelease(job({ releasedAt: null, phaseRetries }), NOW, 2)?.messages ?? [];
      return command?.data['keep_for_retry'];
    });
    expect(keeps).toEqual([true, true, false]);
  });

  it('knows the defaults of a job that was asked for before there were such options', () => {
    const { transport: _t, source_power: _s, ...options } = JobOptions.parse({});
    const decision = decideRelease(job({ releasedAt: null, options: options as JobOptions }), NOW, 2);
    expect(decision?.messages[0]?.data['options']).toEqual({ transport: 'auto', source_power: 'keep' });
  });

  it.each(JOB_STATUSES)('does nothing twice, nor for a job that is not pending any more: %s', (status) => {
    expect(decideRelease(job({ status }), NOW, 2)).toBeUndefined();
    expect(decideRelease(job({ status, releasedAt: null }), NOW, 2) !== undefined).toBe(status === 'pending');
  });
});

it('keeps the host that is known where an exporter tells none', () => {
  const given = job({ host: 'esx01' });
  const started = fact['export.started']();
  expect(decide(given, started, SETTING)?.patch.host).toBe('esx01');
  const moved = {
    ...started,
    data: { ...started.data, machine: { ...given.machine, host: 'esx02' } },
  } as typeof started;
  expect(decide(given, moved, SETTING)?.patch.host).toBe('esx02');
});

it.each(JOB_STATUSES)('a new bandwidth of a job that is %s', (status) => {
  const given = exportedJob({ status });
  const limited = decideBandwidth(given, 1_000_000, NOW);
  if (isEnded(status)) {
    expect(limited).toBeUndefined();
    return;
  }
  expect(limited?.patch.options).toEqual({ ...given.options, bandwidth_bytes_per_second: 1_000_000 });
  expect(limited?.messages).toMatchObject([{ kind: 'bandwidth', data: { bytes_per_second: 1_000_000 } }]);
  const again = exportedJob({ status, ...limited?.patch });
  const lifted = decideBandwidth(again, null, NOW);
  expect(lifted?.patch.options).toEqual(given.options);
  expect(lifted?.messages).toMatchObject([{ kind: 'bandwidth', data: { bytes_per_second: null } }]);
});

it('writes only messages that the catalogue knows and accepts', () => {
  const decisions = [
    ...FACTS.flatMap((name) => JOB_STATUSES.map((status) => decide(givenIn(status), fact[name](), SETTING))),
    ...JOB_STATUSES.flatMap((status) => [decideRetry(givenIn(status), NOW)]),
    decideRelease(job({ releasedAt: null }), NOW, 2),
  ];
  const messages = decisions.flatMap((decision) => decision?.messages ?? []);
  expect(messages.length).toBeGreaterThan(8);
  for (const message of messages) {
    const definition = CATALOGUE.get(message.type);
    expect(definition?.kind).toBe(message.kind);
    expect(() => definition?.schema.parse(message.data)).not.toThrow();
  }
});
