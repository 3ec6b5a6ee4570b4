// hyperctl's batches against a real gateway on PostgreSQL and NATS; exporter and converter are stand-ins that move no disks.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BatchAccepted, BatchDetail, BatchReport, JobDetail, JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';
import { hyperctl } from './cli-standin.js';

let stack: Stack;
let gateway: Gateway;
let client: Client;
let folder: string;
let stopWorkers: () => Promise<void>;
/** VMs whose names begin with `slow` wait for it. */
let gate: Gate;
const LOGIN = { VSPHERE_SERVER: 'vc.example.com', VSPHERE_USERNAME: 'u', VSPHERE_PASSWORD: 'a-password' };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-cli-batches-'));
  stack = await startStack();
  gateway = await stack.gateway();
  client = new Client(gateway);
  stopWorkers = await startWorkers(stack.nats.servers, {
    exporting: async ({ vm_name: vm }, work) => {
      if (vm.startsWith('slow')) await gate.passed(work.signal);
    },
    converting: async ({ vm_name: vm }) => {
      if (vm.startsWith('bad')) throw new JobError('GUEST_NO_OS', `no operating system in ${vm}`);
    },
  });
});
afterAll(async () => {
  gate?.open();
  await stopWorkers?.();
  await stack?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const run = (args: readonly string[], input?: string): ReturnType<typeof hyperctl> =>
  hyperctl(
    args,
    { ...LOGIN, HYPER2KVM_URL: gateway.url, TZ: 'UTC' },
    { cwd: folder, ...(input === undefined ? {} : { input }) },
  );
const json = async (...args: string[]): Promise<unknown> => JSON.parse(String((await run([...args, '--json'])).stdout));
const jobsOf = async (batch: string): Promise<{ jobs: { job_id: string; vm_name: string; status: string }[] }> =>
  (await json('list', '--batch', batch)) as never;

it('moves the VMs of a file, tells each step, and ends with 1 when one failed; then they are tried again', async () => {
  await writeFile(path.join(folder, 'vms.txt'), '# night\nweb-01\nbad-01\nweb-02\n');
  const moved = await run([
    'convert',
    '--batch',
    'vms.txt',
    '--parallel',
    '2',
    '--batch-name',
    'night',
    '--tags',
    'n1',
  ]);
  expect(moved.exitCode, String(moved.stderr)).toBe(1);
  const out = String(moved.stdout);
  const [, id = ''] = /\(?(batch-\w+)\)?/.exec(out) ?? [];
  expect(out).toMatch(/^\S+Z Batch night \(batch-\w+\): 3 VMs, /);
  expect(out).toMatch(/Z web-01: completed \(job-\w+\)$/m);
  expect(out).toMatch(/Z bad-01: failed: no operating system in bad-01 \(job-\w+\)$/m);
  expect(out).toContain(`2 of 3 done, 1 failed`);
  expect(out).toContain(`hyperctl retry --all-failed --batch ${id}`);
  expect(out).not.toContain('\u001b');

  expect(BatchDetail.parse(await json('batches', 'show', 'night'))).toMatchObject({ batch_id: id, max_parallel: 2 });
  const table = await run(['batches', 'report', 'night']);
  expect(String(table.stdout)).toMatch(/^bad-01 +failed .*GUEST_NO_OS: no operating system/m);
  await run(['batches', 'report', id, '--format', 'csv', '-o', 'night.csv']);
  const csv = await readFile(path.join(folder, 'night.csv'), 'utf8');
  expect(csv.split('\r\n').slice(0, 2)).toEqual([
    expect.stringMatching(/^wave,vm_name,/),
    expect.stringMatching(/,web-01,/),
  ]);
  const report = BatchReport.parse(
    JSON.parse(String((await run(['batches', 'report', id, '--format', 'json'])).stdout)),
  );
  expect(report.vms.map(({ vm_name: vm, status }) => [vm, status])).toEqual([
    ['web-01', 'completed'],
    ['bad-01', 'failed'],
    ['web-02', 'completed'],
  ]);
  expect((await run(['batches', 'list', '--status', 'completed'])).stdout).toContain(id);
  expect(String((await run(['list', '--tag', 'n1', '--status', 'failed'])).stdout).split('\n')).toHaveLength(2);
  expect(String((await run(['list', '--since', '1h', '--limit', '2'])).stdout).split('\n')).toHaveLength(3);

  const none = await run(['retry', '--all-failed', '--tag', 'other']);
  expect([none.exitCode, none.stdout]).toEqual([0, 'Nothing to try again.']);
  const again = (await json('retry', '--all-failed', '--batch', 'night', '--code', 'guest_no_os')) as {
    retried: string[];
  };
  expect(again.retried).toEqual([report.vms[1]?.job_id]);
  await client.when(again.retried[0] ?? '', ({ status, retry_count: count }) => status === 'failed' && count > 0);
});

it('goes on after Ctrl-C; it can be steered, stopped by failures, resumed and cancelled', async () => {
  gate = new Gate();
  const plan = `
name: plan
options: { tags: [planned] }
stop_after_failures: 1
max_parallel: 1
waves:
  - name: first
    vms: [slow-01, { vm: bad-02, options: { tags: [own] } }, web-11]
  - { name: second, after: [first], vms: [web-12] }
`;
  const running = hyperctl(
    ['convert', '--batch', '-'],
    { ...LOGIN, HYPER2KVM_URL: gateway.url },
    { cwd: folder, input: plan, stdout: ['pipe', { file: path.join(folder, 'running') }] },
  );
  const told = await until(
    () => readFile(path.join(folder, 'running'), 'utf8'),
    (text) => text.includes('slow-01: exporting'),
    60_000,
  );
  const [, id = ''] = /(batch-\w+)/.exec(told) ?? [];
  running.kill('SIGINT');
  const left = await running;
  expect([left.exitCode, left.stderr]).toEqual([130, expect.stringContaining(`hyperctl batches watch ${id}`)]);

  const { jobs } = await jobsOf(id);
  const waiting = jobs.find(({ vm_name: vm }) => vm === 'web-12')?.job_id ?? '';
  const status = String((await run(['status', '--job', waiting])).stdout);
  expect(status).toMatch(new RegExp(`^Batch: +${id}, wave second$`, 'm'));
  expect(status).toMatch(/^Waiting: +.*wave first/m);
  expect(String((await run(['priority', '--job', waiting, 'low'])).stdout)).toContain(`Job ${waiting}: priority low`);
  expect((await client.job(waiting)).priority).toBe('low');
  const set = await run(['batches', 'set', 'plan', '--parallel', 'unlimited', '--stop-after', '1']);
  expect([set.exitCode, set.stdout]).toEqual([0, `Batch ${id}: VMs at a time: no limit, stops after failures: 1`]);
  await run(['batches', 'set', id, '--parallel', '1']);

  gate.open();
  const watched = await run(['batches', 'watch', id]);
  expect(watched.exitCode, String(watched.stdout)).toBe(1);
  expect(watched.stdout).toContain(`Go on:      hyperctl batches resume ${id}`);
  const resumed = await run(['batches', 'resume', id]);
  // The second wave waits for the VM that failed.
  expect(resumed.exitCode, String(resumed.stdout)).toBe(1);
  expect(resumed.stdout).toContain('2 of 4 done, 1 failed, 1 waiting');
  expect(resumed.stdout).toMatch(/wave second waits for wave first: 1 of its VMs failed/);
  const cancelled = await run(['batches', 'cancel', id]);
  expect([cancelled.exitCode, cancelled.stdout]).toEqual([0, expect.stringMatching(/is cancelled: .*1 cancelled/)]);
  const quiet = await run(['batches', 'watch', id, '--quiet']);
  expect([quiet.exitCode, quiet.stdout, quiet.stderr]).toEqual([1, '', expect.stringContaining('cancelled')]);
});

it('waits for its time, and shows it in full; exports now and converts later', async () => {
  const at = await run([
    'convert',
    '--vm',
    'later-01',
    '--at',
    '+2h',
    '--window',
    'Sat 22:00-06:00 Europe/Berlin',
    '--detach',
  ]);
  expect(at.exitCode, String(at.stderr)).toBe(0);
  const [, id = ''] = /Job ID: (job-\w+)/.exec(String(at.stdout)) ?? [];
  expect(at.stdout).toMatch(/^Starts: not before \w{3} \d{4}-\d\d-\d\d \d\d:\d\d UTC, in 2 h$/m);
  const status = String((await run(['status', '--job', id])).stdout);
  expect(status).toMatch(/^Not before: +\w{3} \d{4}.* UTC, in [12] h/m);
  expect(status).toMatch(/^Window: +Sat 22:00-06:00 Europe\/Berlin$/m);
  expect(status).toMatch(/^Waiting: +\S/m);
  const wrong = await run(['convert', '--vm', 'later-02', '--window', 'Someday 22:00', '--detach']);
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('BAD_REQUEST')]);

  const held = await run(['export', '--batch', '-', '--detach', '--json', '--at', '+1d'], 'later-03\nlater-04\n');
  const batch = BatchAccepted.parse(JSON.parse(String(held.stdout)));
  expect(batch.jobs.map(({ vm_name: vm }) => vm)).toEqual(['later-03', 'later-04']);

  const exported = await run(['export', '--vm', 'vault-01', '--json']);
  expect(exported.exitCode, String(exported.stderr)).toBe(0);
  const job = JobDetail.parse(JSON.parse(String(exported.stdout)));
  expect(job.status).toBe('exported');
  const misused = await run(['convert', '--job', job.job_id, '--at', '22:00']);
  expect([misused.exitCode, misused.stderr]).toEqual([2, expect.stringContaining('--at has no meaning with --job')]);
  const converted = await run(['convert', '--job', job.job_id, '--no-fix-network']);
  expect(converted.exitCode, String(converted.stderr)).toBe(0);
  expect(converted.stdout).toContain('Conversion Successful');
});

it('says what is not there, and what is wrong', async () => {
  const unknown = await run(['batches', 'show', 'batch-000000000000']);
  expect([unknown.exitCode, unknown.stderr]).toEqual([4, expect.stringContaining('BATCH_NOT_FOUND')]);
  expect((await run(['batches', 'watch', 'nobody'])).exitCode).toBe(4);
  const both = await run(['convert', '--batch', 'vms.txt', '--vm', 'x']);
  expect([both.exitCode, both.stderr]).toEqual([2, expect.stringContaining('--vm and --batch do not go together')]);
  const manifest = await run(['convert', '--batch', '-'], 'vms:\n  - a\nparalell: 3\n');
  expect([manifest.exitCode, manifest.stderr]).toEqual([
    2,
    expect.stringContaining('standard input:3:1: paralell: there is no such key'),
  ]);
  const secret = await run(['convert', '--batch', '-'], 'vcenter: { server: x, password: geheim }\nvms: [a]\n');
  expect([secret.exitCode, secret.stderr]).toEqual([2, expect.not.stringContaining('geheim')]);
});
