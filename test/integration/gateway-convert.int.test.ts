import { ConvertAccepted, JobDetail, JobError, JobList, JobLogs, Problem, type JobStatus } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { machine, startWorkers, type Behaviour } from './gateway-workers.js';

const PASSWORD = 'canary-Pa55word!';
const vcenter = { server: 'vc.example.com', username: 'automation@vsphere.local', password: PASSWORD };

let stack: Stack;
let gateway: Gateway;
let stopWorkers: () => Promise<void> = async () => {};
let serial = 0;
const vmName = (): string => `vm-${(serial += 1)}`;

const work = async (behaviour: Behaviour, which?: ('exporter' | 'converter')[]): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, behaviour, which);
};
const post = async (path: string, body?: unknown): Promise<Response> =>
  fetch(gateway.url + path, {
    method: 'POST',
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
const convert = async (vm: string, options: object = {}): Promise<Response> =>
  post('/api/v1/convert', { vm_name: vm, vcenter, options });
const accepted = async (vm: string, options: object = {}): Promise<string> => {
  const response = await convert(vm, options);
  const body: unknown = await response.json();
  expect(response.status, JSON.stringify(body)).toBe(202);
  return ConvertAccepted.parse(body).job_id;
};
const detail = async (id: string): Promise<JobDetail> =>
  JobDetail.parse(await (await fetch(`${gateway.url}/api/v1/jobs/${id}`)).json());
const reaches = async (id: string, status: JobStatus): Promise<JobDetail> =>
  until(
    async () => detail(id),
    (job) => job.status === status,
  );
const problem = async (response: Response): Promise<Problem> => {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const text = await response.text();
  expect(text).not.toMatch(/\n\s+at |node_modules/);
  return Problem.parse(JSON.parse(text));
};
const bad = async (response: Response): Promise<string> => {
  const answer = await problem(response);
  expect(answer).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  return answer.detail;
};
const rows = async (): Promise<number> =>
  Number((await stack.db.query<{ count: string }>('SELECT count(*) FROM jobs')).rows[0]?.count);

beforeAll(async () => {
  stack = await startStack();
  gateway = await stack.gateway({ retry_policy: { retry_delay: 0.2, max_retries: 2 } });
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
});
afterAll(async () => {
  await stack?.stop();
});

describe('a job that goes well', () => {
  it('goes from convert to completed, and the answers are what the contract says', async () => {
    await work({
      describe: ({ vm_name: name }) => ({ ...machine(name), power_state: 'poweredOn' }),
      exporting: async (_, job) => {
        job.progress({
          phase: 'export',
          percent_complete: 40,
          disks: [
            { index: 1, name: 'a', capacity_bytes: 100, done_bytes: 100, bytes_downloaded: 10, state: 'done' },
            { index: 2, name: 'b', capacity_bytes: 100, done_bytes: 0, bytes_downloaded: 5, state: 'transferring' },
          ],
        });
        job.log('info', 'Downloading');
        await new Promise((resolve) => setTimeout(resolve, 700));
      },
    });
    const vm = vmName();
    const response = await convert(vm, { tags: ['production'], priority: 'high', verify_boot: true });
    expect(response.status).toBe(202);
    const answer = ConvertAccepted.parse(await response.json());
    expect(answer).toMatchObject({ status: 'started', vm_name: vm, power_state: 'poweredOn' });
    expect(answer.disks.map((disk) => [disk.name, disk.size_gb])).toEqual([
      [`${vm}.vmdk`, 8.6],
      [`${vm}_1.vmdk`, 2.1],
    ]);

    const running = await until(
      async () => detail(answer.job_id),
      (job) => job.progress.percent_complete === 40,
    );
    expect(running).toMatchObject({
      status: 'exporting',
      phase: 'export',
      progress: { current_disk: 2, total_disks: 2 },
      export: { status: 'in_progress', bytes_downloaded: 15 },
      conversion: { status: 'waiting', steps_total: 12 },
    });

    const done = await reaches(answer.job_id, 'completed');
    expect(done).toMatchObject({
      phase: 'cleanup',
      percent_complete: 100,
      requested_by: 'local',
      priority: 'high',
      tags: ['production'],
      export: { status: 'completed', duration: '7m 25s', bytes_downloaded: 2000 },
      conversion: { status: 'completed', steps_completed: 12, duration_seconds: 272 },
      output_dir: `/out/${vm}`,
      modifications: { virtio_drivers: true, bootloader_updated: true, network_fixed: true },
      retry_available: false,
      error: null,
    });
    const logs = JobLogs.parse(await (await fetch(`${gateway.url}/api/v1/jobs/${answer.job_id}/logs`)).json());
    expect(logs.lines.map((line) => line.message)).toContain('Downloading');
    await until(
      async () => stack.db.query('SELECT 1 FROM outbox WHERE published_at IS NULL'),
      (left) => left.rowCount === 0,
    );
  });

  it('keeps the password sealed in the database and out of every answer and log', async () => {
    let seen = '';
    await work({
      describe: ({ source, vm_name }) => {
        seen = new Sealer(Buffer.from(stack.key, 'base64')).open(
          source.kind === 'vsphere' ? source.password_sealed : '',
        );
        return machine(vm_name);
      },
    });
    const id = await accepted(vmName());
    await reaches(id, 'completed');
    expect(seen).toBe(PASSWORD);
    const { rows: dump } = await stack.db.query('SELECT j.*, o.* FROM jobs j JOIN outbox o ON o.job_id = j.id');
    expect(JSON.stringify(dump)).toContain('v1.');
    const answers = await Promise.all(
      [`/api/v1/jobs/${id}`, '/api/v1/jobs', '/status', '/metrics'].map(async (path) =>
        (await fetch(gateway.url + path)).text(),
      ),
    );
    for (const text of [JSON.stringify(dump), gateway.log(), ...answers]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(Buffer.from(PASSWORD).toString('base64'));
    }
    for (const text of answers) expect(text).not.toMatch(/v1\.[\w-]+\.[\w-]+\.|password/);
  });

  it('rests in exported where auto_convert is false', async () => {
    await work({});
    const id = await accepted(vmName(), { auto_convert: false });
    const job = await reaches(id, 'exported');
    expect(job.export.status).toBe('completed');
    const commands = await stack.db.query("SELECT 1 FROM outbox WHERE job_id = $1 AND type LIKE 'conversion%'", [id]);
    expect(commands.rowCount).toBe(0);
  });
});

const local = async (source: object, rest: object = {}): Promise<Response> =>
  post('/api/v1/convert', { vm_name: vmName(), source, ...rest });

describe('files on the worker', () => {
  const disks = { kind: 'disks', disks: [{ path: '/images/a.vmdk' }, { path: '/images/b.raw', format: 'raw' }] };
  const ova = { kind: 'ova', path: '/images/appliance.ova', checksum: `sha256:${'A1'.repeat(32)}` };
  it('are a source like any other, of no vCenter', async () => {
    const seen: unknown[] = [];
    await work({
      describe: ({ source, vm_name }) => {
        seen.push(source);
        const { instance_uuid: _none, moref: _neither, ...rest } = machine(vm_name);
        return rest;
      },
      exporting: async ({ source }) => void seen.push(source),
    });
    for (const source of [disks, ova]) {
      seen.length = 0;
      const response = await local(source, { options: { bandwidth_bytes_per_second: 100_000 } });
      expect(response.status).toBe(202);
      const job = await reaches(ConvertAccepted.parse(await response.json()).job_id, 'completed');
      expect(job).toMatchObject({ vcenter_server: 'local', source_kind: source.kind });
      const sent = source === ova ? { ...ova, checksum: ova.checksum.toLowerCase() } : disks;
      expect(seen).toEqual([sent, sent, sent]);
    }
  });

  it('are refused together with what only a vCenter has', async () => {
    expect(await bad(await local(disks, { vcenter: { server: 'vc' } }))).toContain('vcenter.server');
    expect(await bad(await local(disks, { options: { transport: 'nfc' } }))).toContain('options.transport');
    expect(await bad(await local(ova, { options: { source_power: 'off' } }))).toContain('options.source_power');
    expect(await bad(await local({ kind: 'disks', disks: [{ path: 'relative' }] }))).toContain('source.disks.0.path');
    expect(await bad(await local({ kind: 'vsphere', server: 'vc' }))).toContain('source.kind');
  });

  it.each([
    ['PATH_DENIED', 403],
    ['SOURCE_INVALID', 422],
    ['SOURCE_CHECKSUM', 422],
  ] as const)('pass %s on as %i', async (code, status) => {
    await work({
      describe: () => {
        throw new JobError(code, 'because of the test');
      },
    });
    expect(await problem(await local(ova))).toMatchObject({ code, status });
  });
});

describe('a request that cannot be taken', () => {
  it.each([
    ['VCENTER_LOGIN', 401],
    ['VM_NOT_FOUND', 404],
    ['VCENTER_UNREACHABLE', 502],
  ] as const)('passes %s on as %i and leaves no row', async (code, status) => {
    await work({
      describe: () => {
        throw new JobError(code, 'because of the test');
      },
    });
    const before = await rows();
    const response = await convert(vmName());
    expect(response.status).toBe(status);
    expect(await problem(response)).toMatchObject({ code, status, detail: 'because of the test' });
    expect(await rows()).toBe(before);
  });

  it('says at once that no exporter runs', async () => {
    const response = await convert(vmName());
    expect(response.status).toBe(503);
    expect(await problem(response)).toMatchObject({ code: 'NO_WORKER' });
  });

  it('names what is missing of the vCenter', async () => {
    const response = await post('/api/v1/convert', { vm_name: 'a', vcenter: { server: 'vc' } });
    expect(await problem(response)).toMatchObject({ status: 400, detail: expect.stringMatching(/vcenter\.username/) });
  });

  it('names the field that is not valid, on bodies, queries and paths', async () => {
    expect(await bad(await convert('a', { priority: 'urgent' }))).toContain('options.priority');
    expect(await bad(await post('/api/v1/convert', { vm_name: 'a', colour: 1 }))).toContain('colour');
    expect(await bad(await post('/api/v1/convert'))).not.toBe('');
    expect(await bad(await fetch(`${gateway.url}/api/v1/jobs?status=done`))).toContain('status');
    expect(await bad(await fetch(`${gateway.url}/api/v1/jobs?cursor=x`))).toContain('cursor');
    expect(await bad(await fetch(`${gateway.url}/api/v1/jobs/42`))).toContain('id');
    const broken = await fetch(`${gateway.url}/api/v1/convert`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"vm_name":',
    });
    await bad(broken);
  });

  it('answers unknown jobs and addresses with 404', async () => {
    expect(await problem(await fetch(`${gateway.url}/api/v1/jobs/job-abc123`))).toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
    expect(await problem(await fetch(`${gateway.url}/nowhere`))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it('refuses a second active job for a VM and names the first', async () => {
    await work({ exporting: async () => new Promise((resolve) => setTimeout(resolve, 1000)) });
    const vm = vmName();
    const [one, two] = await Promise.all([convert(vm), convert(vm)]);
    expect(new Set([one.status, two.status])).toEqual(new Set([202, 409]));
    const [first, second] = one.status === 202 ? [one, two] : [two, one];
    const { job_id: id } = ConvertAccepted.parse(await first.json());
    expect(await problem(second)).toMatchObject({ code: 'VM_BUSY', detail: expect.stringContaining(id) });
    await reaches(id, 'completed');
    await reaches(await accepted(vm), 'completed');
  });
});

describe('a job that fails', () => {
  it('is tried again by itself, and the retries of one phase do not spend those of the other', async () => {
    const attempts = { export: 0, conversion: 0 };
    await work({
      exporting: async () => {
        attempts.export += 1;
        if (attempts.export <= 2) throw new JobError('EXPORT_TRANSFER', 'the line broke');
      },
      converting: async () => {
        attempts.conversion += 1;
        if (attempts.conversion <= 2) throw new JobError('VCENTER_BUSY', 'something that passes');
      },
    });
    const job = await reaches(await accepted(vmName()), 'completed');
    expect(attempts).toEqual({ export: 3, conversion: 3 });
    expect(job).toMatchObject({ retry_count: 4, error: null, failure: null, next_retry_at: null });
  });

  it('shows when it goes on, and fails for good when the retries are used up', async () => {
    const id = await (async () => {
      await work({
        exporting: async () => {
          throw new JobError('EXPORT_TRANSFER', 'the line broke');
        },
      });
      return accepted(vmName());
    })();
    const waiting = await until(
      async () => detail(id),
      (job) => job.next_retry_at !== null,
    );
    expect(waiting).toMatchObject({ status: 'pending', error: 'the line broke', retry_available: false });
    const failed = await reaches(id, 'failed');
    const early = await stack.db.query('SELECT type FROM outbox WHERE published_at < available_at');
    expect(early.rows).toEqual([]);
    expect(failed).toMatchObject({
      phase: 'export',
      retry_count: 2,
      retry_available: true,
      error: 'the line broke',
      failure: { code: 'EXPORT_TRANSFER' },
      export: { status: 'failed' },
    });
  });

  it('is not tried again where that cannot help; a retry by the user repeats the conversion alone', async () => {
    let exports = 0;
    let healthy = false;
    await work({
      exporting: async () => {
        exports += 1;
      },
      converting: async () => {
        if (!healthy) throw new JobError('GUEST_NO_OS', 'nothing that boots');
      },
    });
    const id = await accepted(vmName());
    expect(await reaches(id, 'failed')).toMatchObject({
      phase: 'conversion',
      retry_count: 0,
      export: { status: 'completed' },
      conversion: { status: 'failed' },
    });
    healthy = true;
    const response = await post(`/api/v1/jobs/${id}/retry`);
    expect(response.status).toBe(202);
    expect(JobDetail.parse(await response.json())).toMatchObject({ status: 'exported', retry_count: 1 });
    await reaches(id, 'completed');
    expect(exports).toBe(1);
    expect(await problem(await post(`/api/v1/jobs/${id}/retry`))).toMatchObject({
      code: 'STATE_CONFLICT',
      status: 409,
    });
  });
});

describe('cancel', () => {
  it('takes a waiting job out of the queue, so that no worker ever starts it', async () => {
    const started: string[] = [];
    const exporting = async (data: { job_id: string }): Promise<void> => {
      started.push(data.job_id);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    };
    await work({ exporting });
    const blockers = [await accepted(vmName()), await accepted(vmName())];
    const id = await accepted(vmName());
    await until(
      async () => detail(id),
      (job) => job.queue_position === 1,
    );
    const response = await fetch(`${gateway.url}/api/v1/jobs/${id}`, { method: 'DELETE' });
    expect(response.status).toBe(200);
    expect(JobDetail.parse(await response.json())).toMatchObject({ status: 'cancelled' });
    // Behind the cancelled one in the queue: when it is through, the other would have been started.
    const later = await accepted(vmName());
    for (const other of [...blockers, later]) await reaches(other, 'completed');
    expect(new Set(started)).toEqual(new Set([...blockers, later]));
    expect((await detail(id)).status).toBe('cancelled');
  });
});

describe('the list', () => {
  it('pages newest first and filters', async () => {
    const all: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query = new URLSearchParams({ limit: '3', ...(cursor === '' ? {} : { cursor }) });
      const page: JobList = JobList.parse(await (await fetch(`${gateway.url}/api/v1/jobs?${query.toString()}`)).json());
      expect(page.jobs.length).toBeLessThanOrEqual(3);
      all.push(...page.jobs.map((job) => job.job_id));
      cursor = page.next_cursor;
    }
    const { rows: expected } = await stack.db.query<{ id: string }>(
      'SELECT id FROM jobs ORDER BY created_at DESC, id DESC',
    );
    expect(expected.length).toBeGreaterThan(3);
    expect(all).toEqual(expected.map((row) => row.id));
    const failed = JobList.parse(await (await fetch(`${gateway.url}/api/v1/jobs?status=failed,cancelled`)).json());
    expect(failed.jobs.length).toBeGreaterThan(0);
    expect(new Set(failed.jobs.map((job) => job.status))).toEqual(new Set(['failed', 'cancelled']));
    const one = JobList.parse(await (await fetch(`${gateway.url}/api/v1/jobs?vm=vm-1`)).json());
    expect(one.jobs.map((job) => job.vm_name)).toEqual(['vm-1']);
  });
});
