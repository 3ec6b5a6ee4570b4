import { JobError, JobList, JobLogs, type CleanupRequested } from '@hyper2kvm/contracts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

let stack: Stack;
let client: Client;
let stopWorkers: () => Promise<void> = async () => {};
let asked: CleanupRequested[] = [];
let serial = 0;
const vm = (): string => `vm-${(serial += 1)}`;

beforeAll(async () => {
  stack = await startStack();
  client = new Client(await stack.gateway({ retry_policy: { max_retries: 1, retry_delay: 0.2 } }));
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
  asked = [];
});
afterAll(async () => {
  await stack?.stop();
});

const work = async (behaviour: Behaviour): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, {
    ...behaviour,
    cleaning: async (data, job) => {
      asked.push(data);
      await behaviour.cleaning?.(data, job);
    },
  });
};
const broken = async (): Promise<void> => {
  throw new JobError('VM_UNSUPPORTED', 'an independent disk');
};
/** The pauses are minutes: the time of the next try is now. */
const hurry = (id: string): Promise<unknown> =>
  stack.db.query("UPDATE outbox SET available_at = now() WHERE job_id = $1 AND type = 'task.cleanup.v1'", [id]);

it('follows the cancel of a running export to its end', async () => {
  const [exporting, cleaning] = [new Gate(), new Gate()];
  let stopped = false;
  await work({
    exporting: async (_, job) => {
      await exporting.passed(job.signal).catch((error: unknown) => {
        stopped = true;
        throw error;
      });
    },
    cleaning: async (_, job) => {
      job.progress({ phase: 'cleanup', percent_complete: 50 });
      await cleaning.passed();
    },
  });
  const id = await client.convert(vm());
  await client.reaches(id, 'exporting');
  const response = await client.send('DELETE', `/api/v1/jobs/${id}`);
  expect(await response.json()).toMatchObject({
    status: 'cancelled',
    phase: 'cleanup',
    cleanup: { status: 'queued', message: null, next_try_at: null },
  });
  const during = await client.when(id, (job) => job.cleanup?.status === 'in_progress');
  expect(during).toMatchObject({ phase: 'cleanup', percent_complete: 50, progress: { phase: 'cleanup' } });
  const { jobs } = JobList.parse(await (await client.send('GET', '/api/v1/jobs?status=cancelled')).json());
  expect(jobs).toMatchObject([{ job_id: id, phase: 'cleanup', percent_complete: 50 }]);
  expect(stopped).toBe(true);
  cleaning.open();
  const after = await client.when(id, (job) => job.cleanup?.status === 'completed');
  expect(after).toMatchObject({ status: 'cancelled', phase: 'export' });
  expect(asked).toMatchObject([{ job_id: id, attempt: 1, moref: 'vm-42', remove_files: true }]);
});

it('is tried again after a failure, which the job and its log tell', async () => {
  let locked = true;
  await work({
    exporting: broken,
    cleaning: async () => {
      if (locked) throw new JobError('CLEANUP_INCOMPLETE', 'the snapshot is locked');
    },
  });
  const id = await client.convert(vm());
  const failed = await client.when(id, (job) => job.cleanup?.message != null);
  expect(failed).toMatchObject({ status: 'failed', cleanup: { status: 'queued', message: 'the snapshot is locked' } });
  const pause = Date.parse(failed.cleanup?.next_try_at ?? '') - Date.parse(failed.updated_at);
  expect(pause).toBe(5 * 60_000);
  const logs = JobLogs.parse(await (await client.send('GET', `/api/v1/jobs/${id}/logs`)).json());
  expect(logs.lines).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      phase: 'cleanup',
      message: expect.stringContaining(failed.cleanup?.next_try_at ?? '-'),
    }),
  );
  locked = false;
  await hurry(id);
  const done = await client.when(id, (job) => job.cleanup?.status === 'completed');
  expect(done.cleanup).toEqual({ status: 'completed', message: null, next_try_at: null });
  expect(asked.map((task) => [task.attempt, task.remove_files])).toEqual([
    [1, true],
    [2, true],
  ]);
});

it('comes before a retry that the user asks for, or not at all', async () => {
  const gate = new Gate();
  const exports: string[] = [];
  await work({
    exporting: async ({ job_id }) => {
      exports.push(job_id);
      if (exports.length === 1) await broken();
    },
    cleaning: () => gate.passed(),
  });
  const id = await client.convert(vm());
  await client.when(id, (job) => job.status === 'failed' && asked.length === 1);
  expect((await client.send('POST', `/api/v1/jobs/${id}/retry`)).status).toBe(202);
  // A later one has been released: the first was looked at too, and left.
  const later = await client.convert(vm());
  await client.reaches(later, 'completed');
  expect(await client.job(id)).toMatchObject({
    status: 'pending',
    waiting_reason: 'what the last attempt left is cleared away first',
  });
  expect(exports).toEqual([id, later]);
  gate.open();
  await client.reaches(id, 'completed');
});

it('a clean-up that waits for its next try is forgotten by a retry', async () => {
  let exports = 0;
  await work({
    exporting: async () => {
      exports += 1;
      if (exports === 1) await broken();
    },
    cleaning: async () => {
      throw new JobError('CLEANUP_INCOMPLETE', 'the snapshot is locked');
    },
  });
  const id = await client.convert(vm());
  await client.when(id, (job) => job.cleanup?.next_try_at != null);
  const response = await client.send('POST', `/api/v1/jobs/${id}/retry`);
  expect(await response.json()).toMatchObject({ status: 'pending', cleanup: null });
  await hurry(id);
  await client.reaches(id, 'completed');
  expect(asked).toHaveLength(1);
});

it('leaves the files of a completed export alone, while its conversion goes on', async () => {
  const gate = new Gate();
  await work({
    exported: { leftover: { vm: 'vm', snapshot: 'hyper2kvm-x' } },
    cleaning: () => gate.passed(),
  });
  const id = await client.convert(vm());
  const job = await client.reaches(id, 'completed');
  expect(job.cleanup?.status).toBe('queued');
  expect(asked).toMatchObject([{ job_id: id, remove_files: false }]);
  gate.open();
  await client.when(id, (now) => now.cleanup?.status === 'completed');
});

it('takes the files of a job that is cancelled after its conversion failed', async () => {
  await work({
    converting: async () => {
      throw new JobError('GUEST_NO_OS', 'nothing that boots');
    },
  });
  const id = await client.convert(vm());
  await client.reaches(id, 'failed');
  expect((await client.job(id)).cleanup).toBeNull();
  await client.send('DELETE', `/api/v1/jobs/${id}`);
  const job = await client.when(id, (now) => now.cleanup?.status === 'completed');
  expect(job).toMatchObject({ status: 'cancelled', phase: 'conversion' });
  expect(asked).toMatchObject([{ job_id: id, remove_files: true }]);
});
