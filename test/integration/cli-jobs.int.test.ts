import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobDetail, Verification, WorkerHeartbeat } from '@hyper2kvm/contracts';
import { completed, job, JOB_ID, verified } from '../support/cli-samples.js';
import { endStream, refuse, Served } from './cli-served.js';
import { json, type StandIn } from './cli-standin.js';

// The gateway here is a stand-in: what is tested is hyperctl, as a process, against the wire of the contracts.
const gateway = new Served();
afterEach(() => gateway.stop());

describe('hyperctl retry', () => {
  it('sends what shall be otherwise, and nothing else', async () => {
    const bodies: unknown[] = [];
    await gateway.serve((_call, response, body) => {
      bodies.push(body);
      json(response, 202, job({ status: 'exported' }));
    });
    expect((await gateway.run('retry', '--job', JOB_ID, '--detach')).exitCode).toBe(0);
    const flags = ['--root', '/dev/sda2', '--no-fix-grub', '--no-verify-boot', '--map-network', 'VM Network=br0'];
    expect((await gateway.run('retry', '--job', JOB_ID, '--detach', ...flags)).exitCode).toBe(0);
    expect(bodies).toEqual([
      { options: {} },
      {
        options: {
          root: '/dev/sda2',
          fix_grub: false,
          verify_boot: false,
          network_map: [{ from: 'VM Network', to: 'br0' }],
        },
      },
    ]);
  });
});

describe('hyperctl verify', () => {
  const queued: Verification = { ...verified(null), status: 'queued', percent_complete: 0, report: null };
  /** Queued, then half done, then `end`. */
  const ends = (end: Verification): Promise<StandIn> => {
    let looks = 0;
    return gateway.serve((call, response) => {
      if (call === 'POST $JOB/verify') return json(response, 202, queued);
      looks += 1;
      json(response, 200, looks > 1 ? end : { ...queued, status: 'in_progress', percent_complete: 50 });
    });
  };

  it('ends with 0 when all is as recorded', async () => {
    await ends(verified(null));
    const fine = await gateway.run('verify', '--job', JOB_ID);
    expect([fine.exitCode, fine.stdout]).toEqual([0, expect.stringContaining('✅ 2 files: all as recorded')]);
    expect(gateway.calls).toEqual(['POST', 'GET', 'GET'].map((method) => `${method} /api/v1/jobs/ID/verify`));
    expect(fine.stdout).not.toContain('\u001b');
  });

  it('ends with 1 and names file, segment and bytes when one differs, also with --quiet and --json', async () => {
    await ends(verified(17));
    const differs = await gateway.run('verify', '--job', JOB_ID);
    const words = /disk1\.qcow2: differs first in segment 17 of 1360: bytes 1073741824 to 1140850687/;
    expect([differs.exitCode, differs.stdout]).toEqual([1, expect.stringMatching(words)]);
    const quiet = await gateway.run('verify', '--job', JOB_ID, '--quiet');
    expect([quiet.exitCode, quiet.stdout, quiet.stderr]).toEqual([1, '', expect.stringMatching(words)]);
    const asJson = await gateway.run('verify', '--job', JOB_ID, '--json');
    expect([asJson.exitCode, JSON.parse(String(asJson.stdout))]).toEqual([1, verified(17)]);
  });

  it('ends with 1 and says why when it could not be done', async () => {
    const failure = {
      code: 'ARTIFACT_MISSING',
      message: 'no manifest.json',
      advice: 'Again.',
      retryable: false,
    } as const;
    await ends({ ...queued, status: 'failed', failure });
    const failed = await gateway.run('verify', '--job', JOB_ID);
    expect([failed.exitCode, failed.stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: no manifest\.json\n {2}try: {3}Again/),
    ]);
    const asJson = await gateway.run('verify', '--job', JOB_ID, '--json');
    expect([asJson.exitCode, JSON.parse(String(asJson.stdout))]).toMatchObject([
      1,
      { failure: { code: failure.code } },
    ]);
  });

  it('only starts it with --detach, starts nothing with --last', async () => {
    await ends(verified(null));
    const started = await gateway.run('verify', '--job', JOB_ID, '--detach');
    expect([started.exitCode, started.stdout]).toEqual([0, expect.stringContaining(`verify --job ${JOB_ID} --last`)]);
    expect(gateway.calls).toEqual(['POST /api/v1/jobs/ID/verify']);
    expect((await gateway.run('verify', '--job', JOB_ID, '--last')).exitCode).toBe(0);
    expect(gateway.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    // One that has ended is told as it is.
    const before = gateway.calls.length;
    expect((await gateway.run('verify', '--job', JOB_ID, '--last')).exitCode).toBe(0);
    expect(gateway.calls).toHaveLength(before + 1);
  });

  it('goes on without hyperctl, and while the gateway is restarted', async () => {
    const standIn = await gateway.serve((call, response) =>
      json(response, 200, call.startsWith('POST') || gateway.calls.length < 4 ? queued : verified(null)),
    );
    const running = gateway.run('verify', '--job', JOB_ID);
    await expect.poll(() => gateway.calls.length, { timeout: 20_000 }).toBe(2);
    await standIn.stop();
    await sleep(1500);
    await standIn.start();
    expect((await running).exitCode).toBe(0);

    await gateway.serve((_call, response) => json(response, 200, queued));
    const left = gateway.run('verify', '--job', JOB_ID);
    await expect.poll(() => gateway.calls.length, { timeout: 20_000 }).toBe(2);
    await sleep(200);
    left.kill('SIGINT');
    const interrupted = await left;
    expect([interrupted.exitCode, interrupted.stderr]).toEqual([130, expect.stringContaining('--last')]);
  });
});

describe('hyperctl cancel', () => {
  type Cleanup = NonNullable<JobDetail['cleanup']>;
  const cancelled = (cleanup: Partial<Cleanup> | null): JobDetail =>
    job({
      status: 'cancelled',
      cleanup: cleanup === null ? null : { status: 'queued', message: null, next_try_at: null, ...cleanup },
    });
  /** Queued, then in progress, then `end`. */
  const ends = (end: Partial<Cleanup>): Promise<StandIn> => {
    let looks = 0;
    return gateway.serve((call, response) => {
      if (call === 'DELETE $JOB') return json(response, 200, cancelled({}));
      looks += 1;
      json(response, 200, cancelled(looks > 1 ? end : { status: 'in_progress' }));
    });
  };
  const LEFT = 'The snapshot "hyper2kvm-x" could not be removed.';

  it('waits until nothing is left behind', async () => {
    await ends({ status: 'completed' });
    const gone = await gateway.run('cancel', '--job', JOB_ID);
    expect([gone.exitCode, gone.stdout]).toEqual([0, `Job ${JOB_ID} is cancelled.\nNothing of it is left behind.`]);
    expect(gateway.calls).toEqual(['DELETE /api/v1/jobs/ID', 'GET /api/v1/jobs/ID', 'GET /api/v1/jobs/ID']);
  });

  it.each([
    [
      'is tried again',
      { message: LEFT, next_try_at: '2026-01-17T10:10:00.000Z' },
      'It is tried again at 2026-01-17T10:10:00Z.',
    ],
    ['was given up', { status: 'failed', message: LEFT }, 'It is not tried again: remove it in vCenter.'],
  ] as const)('ends with 1 and says what was left when the removal %s', async (_name, end, words) => {
    await ends(end);
    const left = await gateway.run('cancel', '--job', JOB_ID);
    expect([left.exitCode, left.stderr]).toEqual([
      1,
      `Left behind: The snapshot "hyper2kvm-x" could not be removed. ${words}`,
    ]);
    const asJson = await gateway.run('cancel', '--job', JOB_ID, '--json');
    expect([asJson.exitCode, JSON.parse(String(asJson.stdout))]).toMatchObject([1, { cleanup: { message: LEFT } }]);
  });

  it('does not wait with --detach, nor where nothing is to be removed', async () => {
    await ends({ status: 'completed' });
    const detached = await gateway.run('cancel', '--job', JOB_ID, '--detach', '--json');
    expect(JSON.parse(String(detached.stdout))).toMatchObject({ cleanup: { status: 'queued' } });
    expect(gateway.calls).toEqual(['DELETE /api/v1/jobs/ID']);
    await gateway.serve((_call, response) => json(response, 200, cancelled(null)));
    expect((await gateway.run('cancel', '--job', JOB_ID)).stdout).toContain('There was nothing to remove.');
    expect(gateway.calls).toEqual(['DELETE /api/v1/jobs/ID']);
  });

  it('a second one waits for the removal that the first asked for', async () => {
    await gateway.serve((call, response) => {
      if (call === 'DELETE $JOB') return refuse(response, 409, 'STATE_CONFLICT');
      json(response, 200, cancelled({ status: 'completed' }));
    });
    const again = await gateway.run('cancel', '--job', JOB_ID);
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining('was cancelled before')]);
  });

  it('says that a completed job cannot be cancelled', async () => {
    await gateway.serve((call, response) =>
      call === 'DELETE $JOB' ? refuse(response, 409, 'STATE_CONFLICT') : json(response, 200, completed()),
    );
    const refused = await gateway.run('cancel', '--job', JOB_ID);
    expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([
      1,
      '',
      expect.stringContaining('STATE_CONFLICT'),
    ]);
  });
});

const WORKER: WorkerHeartbeat = {
  worker_id: 'kvm01-exporter',
  service: 'exporter',
  version: '0.1.0',
  host: 'kvm01',
  pid: 4711,
  pools: ['any'],
  slots: 2,
  active_jobs: [],
  paused: false,
  disk_free_bytes: null,
  started_at: '2026-01-17T09:00:00Z',
  time: '2026-01-17T10:00:00Z',
};

describe('hyperctl bandwidth and retry', () => {
  it('limit a job or a worker, and lift the limit', async () => {
    await gateway.serve((call, response) => json(response, 200, call === 'PATCH $JOB' ? job() : WORKER));
    const limited = await gateway.run('bandwidth', '--job', JOB_ID, '50M');
    expect([limited.exitCode, limited.stdout]).toEqual([0, `Job ${JOB_ID}: at most 50 MB/s from now on`]);
    expect((await gateway.run('bandwidth', '--worker', 'kvm01-exporter', 'Unlimited')).stdout).toBe(
      'Worker kvm01-exporter: no limit any more',
    );
    expect(gateway.requests.map(({ method, path: url, body }) => [method, url, body])).toEqual([
      ['PATCH', `/api/v1/jobs/${JOB_ID}`, { bandwidth_bytes_per_second: 50_000_000 }],
      ['PATCH', '/api/v1/workers/kvm01-exporter', { bandwidth_bytes_per_second: null }],
    ]);
  });

  it('refuse what is no rate, and what is no target, before anything is sent', async () => {
    await gateway.serve((_call, response) => json(response, 200, job()));
    const wrong = [['--job', JOB_ID], ['--job', JOB_ID, 'fast'], ['50M'], ['--job', JOB_ID, '--worker', 'w', '50M']];
    for (const flags of wrong) expect((await gateway.run('bandwidth', ...flags)).exitCode, flags.join(' ')).toBe(2);
    expect(gateway.calls).toEqual([]);
  });

  it('start another attempt, and follow it', async () => {
    await gateway.serve((call, response) => {
      if (call === 'POST $JOB/retry') return json(response, 202, job());
      endStream(response, completed());
    });
    const followed = await gateway.run('retry', '--job', JOB_ID);
    expect([followed.exitCode, followed.stdout]).toEqual([0, expect.stringContaining('Conversion Successful')]);
    const detached = await gateway.run('retry', '--job', JOB_ID, '--detach');
    expect(detached.stdout).toContain(`Job ${JOB_ID} is pending again`);
    expect(gateway.calls.filter((call) => call.endsWith('/events'))).toHaveLength(1);
  });
});
