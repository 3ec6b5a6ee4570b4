import { JobError, Verification, type VerifyRequested } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

let stack: Stack;
let client: Client;
let stopWorkers: () => Promise<void> = async () => {};
const asked: VerifyRequested[] = [];
let verifying: NonNullable<Behaviour['verifying']> = async () => ({});
let converting: () => Promise<void> = async () => {};

beforeAll(async () => {
  stack = await startStack();
  client = new Client(await stack.gateway());
  stopWorkers = await startWorkers(stack.nats.servers, {
    converting: () => converting(),
    verifying: async (data, work) => {
      asked.push(data);
      return verifying(data, work);
    },
  });
});
afterAll(async () => {
  await stopWorkers();
  await stack?.stop();
});

const at = (id: string): string => `/api/v1/jobs/${id}/verify`;
const ask = async (id: string): Promise<Verification> => {
  const response = await client.send('POST', at(id));
  expect(response.status).toBe(202);
  return Verification.parse(await response.json());
};
const latest = (id: string, wanted: (one: Verification) => boolean): Promise<Verification> =>
  until(async () => Verification.parse(await (await client.send('GET', at(id))).json()), wanted);

it('reads the output of a completed job, tells how far it is, and what differs', async () => {
  const id = await client.convert('vm-a');
  await client.reaches(id, 'completed');
  expect(await client.refused(client.send('GET', at(id)))).toMatchObject({ status: 404 });
  const gate = new Gate();
  const files = [{ file: '/out/vm-a/disk1.qcow2', segments: 128, first_difference: 17 }];
  verifying = async (_, work) => {
    work.progress({ phase: 'verify', percent_complete: 30 });
    await gate.passed();
    return { identical: false, files };
  };
  expect(await ask(id)).toMatchObject({ status: 'queued', percent_complete: 0, report: null });
  const running = await latest(id, (one) => one.status === 'in_progress');
  expect(running.percent_complete).toBe(30);
  // Asked for again meanwhile: the one that runs.
  expect((await ask(id)).requested_at).toBe(running.requested_at);
  gate.open();
  const done = await latest(id, (one) => one.status === 'completed');
  expect(done).toMatchObject({ percent_complete: 100, failure: null, report: { identical: false, files } });
  expect(asked).toMatchObject([{ job_id: id, folder: '/out/vm-a', attempt: 1 }]);
  expect((await client.job(id)).status).toBe('completed');

  verifying = async () => ({});
  expect(await ask(id)).toMatchObject({ status: 'queued', report: null });
  expect((await latest(id, (one) => one.status === 'completed')).report?.identical).toBe(true);
  expect(asked.map((task) => task.attempt)).toEqual([1, 2]);
});

it('reads the artifact of a job that was not converted, and says why it could not', async () => {
  const id = await client.convert('vm-b', { auto_convert: false });
  await client.reaches(id, 'exported');
  verifying = async () => {
    throw new JobError('ARTIFACT_MISSING', 'artifact.json is gone');
  };
  await ask(id);
  const failed = await latest(id, (one) => one.status === 'failed');
  expect(failed).toMatchObject({
    report: null,
    failure: { code: 'ARTIFACT_MISSING', message: 'artifact.json is gone' },
  });
  expect(asked.at(-1)).toMatchObject({ folder: `/work/${id}` });
});

it('is refused while the files are being changed, and of a job that is not there', async () => {
  const gate = new Gate();
  converting = () => gate.passed();
  const id = await client.convert('vm-c');
  await client.reaches(id, 'converting');
  expect(await client.refused(client.send('POST', at(id)))).toMatchObject({ code: 'STATE_CONFLICT', status: 409 });
  gate.open();
  await client.reaches(id, 'completed');
  for (const method of ['GET', 'POST'])
    expect(await client.refused(client.send(method, at('job-abc123')))).toMatchObject({ code: 'JOB_NOT_FOUND' });
});
