import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { realpathSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobDetail, Verification, WorkerHeartbeat } from '@hyper2kvm/contracts';
import { completed, inventoryVm, job, JOB_ID, verified } from '../support/cli-samples.js';
import { hyperctl, json, StandIn } from './cli-standin.js';

// The gateway here is a stand-in (cli-standin.ts): what is tested is hyperctl, as a process, against the wire of the contracts.
let gateway: StandIn | undefined;
afterEach(async () => gateway?.stop());

/** Answers by method and path; `$JOB` is the job's path. */
const serve = async (answer: (call: string, response: ServerResponse, body: unknown) => void): Promise<StandIn> => {
  const standIn: StandIn = new StandIn((url, request, response) => {
    const call = `${request.method} ${url.replace(`/api/v1/jobs/${JOB_ID}`, '$JOB')}`;
    answer(call, response, standIn.requests.at(-1)?.body);
  });
  gateway = await standIn.start();
  return gateway;
};
const run = (...args: string[]): ReturnType<typeof hyperctl> => hyperctl(args, { HYPER2KVM_URL: gateway?.url ?? '' });
const calls = (): string[] =>
  (gateway?.requests ?? []).map(({ method, path: url }) => `${method} ${url.replace(JOB_ID, 'ID')}`);
const problem = (status: number, code: string): object => ({
  type: 'about:blank',
  title: code,
  status,
  detail: 'it is like this',
  code,
  advice: 'try this',
});

const accepted = (vm: string): object => ({
  job_id: JOB_ID,
  status: 'started',
  vm_name: vm,
  disks: [],
  created_at: '2026-01-17T10:00:00Z',
  estimated_duration: null,
});

const broken = (status: 'queued' | 'completed'): JobDetail =>
  job({ status: 'failed', error: 'it broke', cleanup: { status, message: null, next_try_at: null } });

describe('hyperctl convert', () => {
  it('moves files: relative paths become absolute, several disks after one flag, no password goes with them', async () => {
    const { requests } = await serve((_call, response) => json(response, 202, accepted('web')));
    const folder = realpathSync(tmpdir());
    const env = { HYPER2KVM_URL: gateway?.url ?? '', VSPHERE_PASSWORD: 'geheim', VSPHERE_SERVER: 'vc' };
    const disks = ['--disk', 'root.vmdk', '../data.raw', '--format', 'vmdk', 'raw', '--disk', '/srv/logs.img'];
    const more = ['--format', 'raw', '--name', 'web', '--cpus', '4', '--memory', '8G', '--firmware', 'efi', '--detach'];
    const started = await hyperctl(['convert', ...disks, ...more, '--bandwidth', '200M'], env, { cwd: folder });
    expect(started.exitCode, String(started.stderr)).toBe(0);
    expect(requests[0]?.body).toEqual({
      vm_name: 'web',
      vcenter: {},
      source: {
        kind: 'disks',
        disks: [
          { path: path.join(folder, 'root.vmdk'), format: 'vmdk' },
          { path: path.resolve(folder, '../data.raw'), format: 'raw' },
          { path: '/srv/logs.img', format: 'raw' },
        ],
        cpus: 4,
        memory_bytes: 8 * 1024 ** 3,
        firmware: 'efi',
      },
      options: { bandwidth_bytes_per_second: 200_000_000 },
    });
  });

  it('moves an OVA, named after its file, and speaks of it to the end', async () => {
    const { requests } = await serve((call, response) => {
      if (call === 'POST /api/v1/convert') return json(response, 202, accepted('Web Server'));
      const end = JSON.stringify(completed({ vcenter_server: 'local', vm_name: 'Web Server' }));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`event: end\ndata: ${end}\n\n`);
    });
    const moved = await run('convert', '--ova', '/srv/Web Server.ova', '--checksum', `sha1:${'A'.repeat(40)}`);
    expect(moved.exitCode, String(moved.stderr)).toBe(0);
    expect(requests[0]?.body).toMatchObject({
      vm_name: 'Web Server',
      source: { kind: 'ova', path: '/srv/Web Server.ova', checksum: `sha1:${'A'.repeat(40)}` },
    });
    expect(moved.stdout).toContain('Phase 1: Reading the files');
    expect(moved.stdout).toContain('Source VM:     Web Server (OVA Web Server.ova)');
    expect(moved.stdout).not.toContain('vSphere');
  });

  it('asks for a transport, and for the source to be stopped; a script is not asked back', async () => {
    const { requests } = await serve((_call, response) => json(response, 202, accepted('db')));
    const flags = ['--transport', 'datastore', '--source-power', 'shutdown', '--detach'];
    const started = await run('convert', '--vm', 'vm-1042', ...flags);
    expect(started.exitCode, String(started.stderr)).toBe(0);
    expect(requests[0]?.body).toMatchObject({
      vm_name: 'vm-1042',
      options: { transport: 'datastore', source_power: 'shutdown' },
    });
  });

  it.each([
    [['--disk', 'a.vmdk'], 'needs a name for the VM'],
    [['--vm', 'a', '--ova', 'b.ova'], '--vm and --ova do not go together'],
    [['--ova', 'b.ova', '--memory', '4G'], '--memory has no meaning with --ova'],
    [['--vm', 'a', '--bandwidth', '10Mbit'], '--bandwidth: "10Mbit" is no rate'],
    [['--disk', 'a.vmdk', '--name', 'x', '--checksum', 'crc:1'], '--checksum'],
    [['--vm', 'a', '--source-power', 'on'], '--source-power'],
  ])('refuses %j before anything is sent', async (flags, message) => {
    await serve((_call, response) => json(response, 500, {}));
    const refused = await run('convert', ...flags);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(calls()).toEqual([]);
  });

  it('waits for the removal of what a failed export left', async () => {
    let looks = 0;
    await serve((call, response) => {
      if (call === 'POST /api/v1/convert') return json(response, 202, accepted('db'));
      if (call === 'GET $JOB') return json(response, 200, broken((looks += 1) < 2 ? 'queued' : 'completed'));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`event: end\ndata: ${JSON.stringify(broken('queued'))}\n\n`);
    });
    const failed = await run('convert', '--vm', 'db');
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toMatch(/Phase 5: Cleanup\n.*Cleanup complete\n[\s\S]*Conversion Failed/);
    expect(looks).toBe(2);
  });
});

describe('hyperctl vms', () => {
  const TOTAL = 1203;
  const pages = (): Promise<StandIn> =>
    serve((_call, response, body) => {
      const from = Number((body as { cursor?: string }).cursor ?? 0);
      const count = Math.min(500, TOTAL - from);
      const vms = Array.from({ length: count }, (_, index) => inventoryVm(from + index + 1));
      json(response, 200, { vms, total: TOTAL, next_cursor: from + count < TOTAL ? String(from + count) : null });
    });

  it('lists every page, and sends the conditions with each', async () => {
    const { requests } = await pages();
    const conditions = ['--name', 'web-*', '--folder', '/DC1/vm/web', '--power', 'off', '--templates'];
    const tags = ['--tag', 'stage:production', '--tag', 'tier'];
    const listed = await run('vms', '--vcenter', 'vc', '--username', 'u', ...conditions, ...tags);
    expect(listed.exitCode, String(listed.stderr)).toBe(0);
    const lines = String(listed.stdout).split('\n');
    expect(lines).toHaveLength(1 + TOTAL);
    expect(lines[0]).toMatch(/^NAME +POWER +DISKS +SIZE +USED +GUEST +ID +FOLDER$/);
    expect(lines.at(-1)).toMatch(/^web-1203 +off +2 +171\.8 GB +64\.4 GB +Debian.* vm-2203 +\/DC1\/vm\/web$/);
    const filter = {
      name: 'web-*',
      folder: '/DC1/vm/web',
      power_state: 'poweredOff',
      tags: ['stage:production', 'tier'],
      templates: true,
    };
    const body = { vcenter: { server: 'vc', username: 'u' }, filter, limit: 500 };
    expect(requests.map((request) => request.body)).toEqual([
      body,
      { ...body, cursor: '500' },
      { ...body, cursor: '1000' },
    ]);
  });

  it('gives inventory paths alone with --quiet, one document with --json', async () => {
    await pages();
    const paths = String((await run('vms', '--quiet')).stdout).split('\n');
    expect([paths.length, paths[0], paths.at(-1)]).toEqual([TOTAL, '/DC1/vm/web/web-1', '/DC1/vm/web/web-1203']);
    const document = JSON.parse(String((await run('vms', '--json')).stdout)) as { total: number; vms: unknown[] };
    expect([document.total, document.vms.length, document.vms[0]]).toEqual([TOTAL, TOTAL, inventoryVm(1)]);
  });

  it('ends when its reader has gone, however long the list is', async () => {
    const vms = Array.from({ length: 500 }, (_, index) => inventoryVm(index));
    await serve((_call, response) => json(response, 200, { vms, total: 1e9, next_cursor: 'more' }));
    const listing = run('vms');
    const { stdout } = listing as unknown as ChildProcess;
    stdout?.once('data', () => stdout.destroy());
    const listed = await listing;
    expect([listed.exitCode, listed.stderr]).toEqual([0, '']);
  });

  it('says that there are none, and what is wrong', async () => {
    await serve((_call, response) => json(response, 200, { vms: [], total: 0, next_cursor: null }));
    expect([(await run('vms')).stdout, (await run('vms', '--quiet')).stdout]).toEqual(['No VMs.', '']);
    await gateway?.stop();
    await serve((_call, response) => json(response, 401, problem(401, 'VCENTER_LOGIN')));
    const denied = await run('vms');
    expect([denied.exitCode, denied.stderr]).toEqual([5, expect.stringContaining('VCENTER_LOGIN')]);
    expect((await run('vms', '--power', 'maybe')).exitCode).toBe(2);
  });
});

describe('hyperctl verify', () => {
  const queued: Verification = { ...verified(null), status: 'queued', percent_complete: 0, report: null };
  /** Queued, then half done, then `end`. */
  const ends = (end: Verification): Promise<StandIn> => {
    let looks = 0;
    return serve((call, response) => {
      if (call === 'POST $JOB/verify') return json(response, 202, queued);
      looks += 1;
      json(response, 200, looks > 1 ? end : { ...queued, status: 'in_progress', percent_complete: 50 });
    });
  };

  it('ends with 0 when all is as recorded', async () => {
    await ends(verified(null));
    const fine = await run('verify', '--job', JOB_ID);
    expect([fine.exitCode, fine.stdout]).toEqual([0, expect.stringContaining('✅ 2 files: all as recorded')]);
    expect(calls()).toEqual(['POST', 'GET', 'GET'].map((method) => `${method} /api/v1/jobs/ID/verify`));
    expect(fine.stdout).not.toContain('\u001b');
  });

  it('ends with 1 and names file, segment and bytes when one differs, also with --quiet and --json', async () => {
    await ends(verified(17));
    const differs = await run('verify', '--job', JOB_ID);
    const words = /disk1\.qcow2: differs first in segment 17 of 1360: bytes 1073741824 to 1140850687/;
    expect([differs.exitCode, differs.stdout]).toEqual([1, expect.stringMatching(words)]);
    const quiet = await run('verify', '--job', JOB_ID, '--quiet');
    expect([quiet.exitCode, quiet.stdout, quiet.stderr]).toEqual([1, '', expect.stringMatching(words)]);
    const asJson = await run('verify', '--job', JOB_ID, '--json');
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
    const failed = await run('verify', '--job', JOB_ID);
    expect([failed.exitCode, failed.stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: no manifest\.json\n {2}try: {3}Again/),
    ]);
    const asJson = await run('verify', '--job', JOB_ID, '--json');
    expect([asJson.exitCode, JSON.parse(String(asJson.stdout))]).toMatchObject([
      1,
      { failure: { code: failure.code } },
    ]);
  });

  it('only starts it with --detach, starts nothing with --last', async () => {
    await ends(verified(null));
    const started = await run('verify', '--job', JOB_ID, '--detach');
    expect([started.exitCode, started.stdout]).toEqual([0, expect.stringContaining(`verify --job ${JOB_ID} --last`)]);
    expect(calls()).toEqual(['POST /api/v1/jobs/ID/verify']);
    expect((await run('verify', '--job', JOB_ID, '--last')).exitCode).toBe(0);
    expect(calls().filter((call) => call.startsWith('POST'))).toHaveLength(1);
    // One that has ended is told as it is.
    const before = calls().length;
    expect((await run('verify', '--job', JOB_ID, '--last')).exitCode).toBe(0);
    expect(calls()).toHaveLength(before + 1);
  });

  it('goes on without hyperctl, and while the gateway is restarted', async () => {
    const standIn = await serve((call, response) =>
      json(response, 200, call.startsWith('POST') || calls().length < 4 ? queued : verified(null)),
    );
    const running = run('verify', '--job', JOB_ID);
    await expect.poll(() => calls().length, { timeout: 20_000 }).toBe(2);
    await standIn.stop();
    await sleep(1500);
    await standIn.start();
    expect((await running).exitCode).toBe(0);

    await gateway?.stop();
    await serve((_call, response) => json(response, 200, queued));
    const left = run('verify', '--job', JOB_ID);
    await expect.poll(() => calls().length, { timeout: 20_000 }).toBe(2);
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
    return serve((call, response) => {
      if (call === 'DELETE $JOB') return json(response, 200, cancelled({}));
      looks += 1;
      json(response, 200, cancelled(looks > 1 ? end : { status: 'in_progress' }));
    });
  };
  const LEFT = 'The snapshot "hyper2kvm-x" could not be removed.';

  it('waits until nothing is left behind', async () => {
    await ends({ status: 'completed' });
    const gone = await run('cancel', '--job', JOB_ID);
    expect([gone.exitCode, gone.stdout]).toEqual([0, `Job ${JOB_ID} is cancelled.\nNothing of it is left behind.`]);
    expect(calls()).toEqual(['DELETE /api/v1/jobs/ID', 'GET /api/v1/jobs/ID', 'GET /api/v1/jobs/ID']);
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
    const left = await run('cancel', '--job', JOB_ID);
    expect([left.exitCode, left.stderr]).toEqual([
      1,
      `Left behind: The snapshot "hyper2kvm-x" could not be removed. ${words}`,
    ]);
    const asJson = await run('cancel', '--job', JOB_ID, '--json');
    expect([asJson.exitCode, JSON.parse(String(asJson.stdout))]).toMatchObject([1, { cleanup: { message: LEFT } }]);
  });

  it('does not wait with --detach, nor where nothing is to be removed', async () => {
    await ends({ status: 'completed' });
    const detached = await run('cancel', '--job', JOB_ID, '--detach', '--json');
    expect(JSON.parse(String(detached.stdout))).toMatchObject({ cleanup: { status: 'queued' } });
    expect(calls()).toEqual(['DELETE /api/v1/jobs/ID']);
    await gateway?.stop();
    await serve((_call, response) => json(response, 200, cancelled(null)));
    expect((await run('cancel', '--job', JOB_ID)).stdout).toContain('There was nothing to remove.');
    expect(calls()).toEqual(['DELETE /api/v1/jobs/ID']);
  });

  it('a second one waits for the removal that the first asked for', async () => {
    await serve((call, response) => {
      if (call === 'DELETE $JOB') return json(response, 409, problem(409, 'STATE_CONFLICT'));
      json(response, 200, cancelled({ status: 'completed' }));
    });
    const again = await run('cancel', '--job', JOB_ID);
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining('was cancelled before')]);
  });

  it('says that a completed job cannot be cancelled', async () => {
    await serve((call, response) =>
      call === 'DELETE $JOB' ? json(response, 409, problem(409, 'STATE_CONFLICT')) : json(response, 200, completed()),
    );
    const refused = await run('cancel', '--job', JOB_ID);
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
    const { requests } = await serve((call, response) => json(response, 200, call === 'PATCH $JOB' ? job() : WORKER));
    const limited = await run('bandwidth', '--job', JOB_ID, '50M');
    expect([limited.exitCode, limited.stdout]).toEqual([0, `Job ${JOB_ID}: at most 50 MB/s from now on`]);
    expect((await run('bandwidth', '--worker', 'kvm01-exporter', 'Unlimited')).stdout).toBe(
      'Worker kvm01-exporter: no limit any more',
    );
    expect(requests.map(({ method, path: url, body }) => [method, url, body])).toEqual([
      ['PATCH', `/api/v1/jobs/${JOB_ID}`, { bandwidth_bytes_per_second: 50_000_000 }],
      ['PATCH', '/api/v1/workers/kvm01-exporter', { bandwidth_bytes_per_second: null }],
    ]);
  });

  it('refuse what is no rate, and what is no target, before anything is sent', async () => {
    await serve((_call, response) => json(response, 200, job()));
    const wrong = [['--job', JOB_ID], ['--job', JOB_ID, 'fast'], ['50M'], ['--job', JOB_ID, '--worker', 'w', '50M']];
    for (const flags of wrong) expect((await run('bandwidth', ...flags)).exitCode, flags.join(' ')).toBe(2);
    expect(calls()).toEqual([]);
  });

  it('start another attempt, and follow it', async () => {
    await serve((call, response) => {
      if (call === 'POST $JOB/retry') return json(response, 202, job());
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`event: end\ndata: ${JSON.stringify(completed())}\n\n`);
    });
    const followed = await run('retry', '--job', JOB_ID);
    expect([followed.exitCode, followed.stdout]).toEqual([0, expect.stringContaining('Conversion Successful')]);
    const detached = await run('retry', '--job', JOB_ID, '--detach');
    expect(detached.stdout).toContain(`Job ${JOB_ID} is pending again`);
    expect(calls().filter((call) => call.endsWith('/events'))).toHaveLength(1);
  });
});
