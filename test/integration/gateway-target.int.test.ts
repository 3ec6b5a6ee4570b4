// Where a VM goes: the look at its target before it is taken, the pool of its conversion, and the import afterwards.
import {
  ConvertAccepted,
  Import,
  JobError,
  type ConversionRequested,
  type ImportRequested,
} from '@hyper2kvm/contracts';
import { concernOf } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from './gateway-client.js';
import { startStack, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers, type Behaviour } from './gateway-workers.js';

const PASSPHRASE = 'canary correct horse';
const vcenter = { server: 'vc.example.com', username: 'automation@vsphere.local', password: 'a-password' };
let stack: Stack;
let gateway: Gateway;
let client: Client;
let stopWorkers: () => Promise<void> = async () => {};
let serial = 0;
const vmName = (): string => `vm-${(serial += 1)}`;
const work = async (behaviour: Behaviour, which?: ('exporter' | 'converter')[]): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, behaviour, which);
};
const convert = (options: object, rest: object = {}, vm = vmName()): Promise<Response> =>
  client.send('POST', '/api/v1/convert', { vm_name: vm, vcenter, options, ...rest });
const jobs = async (): Promise<number> => (await stack.db.query('SELECT 1 FROM jobs')).rowCount ?? 0;

beforeAll(async () => {
  stack = await startStack();
  gateway = await stack.gateway({
    targets: {
      'kvm-1': { libvirt_uri: 'qemu+ssh://root@kvm1/system', pool: 'kvm1' },
      lab: { libvirt_uri: 'qemu:///session' },
    },
  });
  client = new Client(gateway);
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
});
afterAll(async () => {
  await stack?.stop();
});

describe('keys of LUKS volumes', () => {
  const key_base64 = Buffer.from(PASSPHRASE).toString('base64');
  const keys = [{ device: '/dev/sda2', key_base64 }, { key_base64: Buffer.from([0, 255, 10]).toString('base64') }];

  it('reach the converter, and are plain nowhere else', async () => {
    const seen: unknown[] = [];
    const open = (sealed: string | undefined): unknown =>
      JSON.parse(new Sealer(Buffer.from(stack.key, 'base64')).open(sealed ?? ''));
    await work({
      target: ({ options }) => {
        seen.push(options.luks_keys_sealed);
        return {};
      },
      converting: async ({ options }) => void seen.push(open(options.luks_keys_sealed)),
    });
    const response = await convert({}, { luks_keys: keys });
    const answer = await response.text();
    const id = ConvertAccepted.parse(JSON.parse(answer)).job_id;
    await client.reaches(id, 'completed');
    // The look at the target needs no key.
    expect(seen).toEqual([undefined, keys]);
    const { rows } = await stack.db.query('SELECT j.*, o.* FROM jobs j JOIN outbox o ON o.job_id = j.id');
    expect(JSON.stringify(rows)).toContain('luks_keys_sealed');
    const paths = [`/api/v1/jobs/${id}`, '/api/v1/jobs', `/api/v1/jobs/${id}/logs`];
    const shown = await Promise.all(paths.map(async (path) => (await client.send('GET', path)).text()));
    for (const text of [answer, ...shown]) expect(text).not.toMatch(/luks|v1\.[\w-]+\.[\w-]+\./);
    for (const text of [answer, ...shown, JSON.stringify(rows), gateway.log()]) {
      expect(text).not.toContain(PASSPHRASE);
      expect(text).not.toContain(key_base64);
    }
  });

  it('are not told by a refusal, and cannot be given sealed', async () => {
    const wrong = await client.refused(convert({}, { luks_keys: [{ key_base64: `${PASSPHRASE}!` }] }));
    expect(wrong).toMatchObject({ code: 'BAD_REQUEST', detail: expect.stringContaining('luks_keys.0.key_base64') });
    expect(JSON.stringify(wrong)).not.toContain(PASSPHRASE);
    const sealed = await client.refused(convert({ luks_keys_sealed: 'v1.a.b.c' }));
    expect(sealed).toMatchObject({ code: 'BAD_REQUEST', detail: expect.stringContaining('luks_keys_sealed') });
  });
});

describe('the look at the target', () => {
  it('refuses a VM that cannot go there, with all that is in the way, and stores nothing', async () => {
    await work({
      target: () => ({
        problems: [
          new JobError('DOMAIN_EXISTS', 'There is a domain of this name.').toFailure(),
          new JobError('TARGET_UNSUITABLE', 'There is no bridge br7.').toFailure(),
        ],
      }),
    });
    const before = await jobs();
    expect(await client.refused(convert({ to_libvirt: true }))).toMatchObject({
      status: 409,
      code: 'DOMAIN_EXISTS',
      detail: 'There is a domain of this name. There is no bridge br7.',
    });
    expect(await jobs()).toBe(before);
  });

  it('tells its concerns in the answer and in the log of the job', async () => {
    const asked: unknown[] = [];
    const concern = concernOf('TARGET', 'The pool is nearly full.');
    await work({
      target: (request) => {
        asked.push(request);
        return { concerns: [concern] };
      },
    });
    const vm = vmName();
    const answer = ConvertAccepted.parse(await (await convert({ target: 'lab', start: true }, {}, vm)).json());
    expect(answer.concerns).toEqual([concern]);
    expect(asked).toMatchObject([
      { vm_name: vm, machine: { name: vm }, options: { target: 'lab', to_libvirt: true, start: true } },
    ]);
    await client.reaches(answer.job_id, 'completed');
    const logs = await (await client.send('GET', `/api/v1/jobs/${answer.job_id}/logs`)).text();
    expect(logs).toContain(`${concern.message} ${concern.advice}`);
  });

  it('is needed by a job that ends in a libvirt; others are told that nobody looked', async () => {
    await work({}, ['exporter']);
    for (const options of [{ to_libvirt: true }, { target: 'lab' }])
      expect(await client.refused(convert(options))).toMatchObject({ code: 'NO_WORKER', status: 503 });
    const id = await client.convert(vmName());
    await client.reaches(id, 'exported');
    expect(await (await client.send('GET', `/api/v1/jobs/${id}/logs`)).text()).toContain('no converter is running');
    await client.send('DELETE', `/api/v1/jobs/${id}`);
  });

  it('is of a target that is configured', async () => {
    await work({});
    const unknown = await client.refused(convert({ target: 'kvm-9' }));
    expect(unknown).toMatchObject({ code: 'BAD_REQUEST', detail: expect.stringMatching(/kvm-9.*kvm-1, lab/) });
    const start = await client.refused(convert({ start: true }));
    expect(start).toMatchObject({ code: 'BAD_REQUEST', detail: expect.stringContaining('options.start') });
  });
});

it('conversions for a target are left to its pool, and so are its imports', async () => {
  const converted: ConversionRequested[] = [];
  const imported: ImportRequested[] = [];
  const failing = { on: true };
  await work({
    converterPools: ['kvm1'],
    converting: async (data) => void converted.push(data),
    importing: async (data, running) => {
      imported.push(data);
      if (failing.on) throw new JobError('DOMAIN_EXISTS', 'There is a domain of this name.');
      running.progress({ phase: 'import', percent_complete: 10 });
      return { libvirt_domain: 'kept-name', libvirt_uri: 'qemu+ssh://root@kvm1/system' };
    },
  });
  const vm = vmName();
  const id = await client.convert(vm, { target: 'kvm-1', auto_convert: true });
  const done = await client.reaches(id, 'completed');
  expect(converted).toMatchObject([{ job_id: id, pool: 'kvm1', options: { target: 'kvm-1' } }]);
  expect(done).toMatchObject({ import: null, libvirt_domain: null });

  const ask = async (body: object): Promise<Import> => {
    const response = await client.send('POST', `/api/v1/jobs/${id}/import`, body);
    expect(response.status).toBe(202);
    return Import.parse(await response.json());
  };
  expect(await ask({})).toMatchObject({ status: 'queued', target: 'kvm-1', report: null });
  const refused = await client.when(id, (job) => job.import?.status === 'failed');
  expect(refused).toMatchObject({ status: 'completed', import: { failure: { code: 'DOMAIN_EXISTS' } } });
  failing.on = false;
  await ask({ start: true });
  const there = await client.when(id, (job) => job.import?.status === 'completed');
  expect(there).toMatchObject({
    libvirt_domain: 'kept-name',
    import: { target: 'kvm-1', failure: null, report: { defined: true, started: true } },
  });
  expect(imported).toMatchObject([
    { pool: 'kvm1', target: 'kvm-1', folder: `/out/${vm}`, attempt: 1, start: false },
    { pool: 'kvm1', target: 'kvm-1', folder: `/out/${vm}`, attempt: 2, start: true },
  ]);
  const at = `/api/v1/jobs/${id}/import`;
  expect(await client.refused(client.send('POST', at, { target: 'nowhere' }))).toMatchObject({ code: 'BAD_REQUEST' });
  expect(await client.refused(client.send('POST', '/api/v1/jobs/job-abc123/import', {}))).toMatchObject({
    code: 'JOB_NOT_FOUND',
  });
});

it('a failed conversion shows where its error was written; there is no output to import', async () => {
  await work({
    converting: async () => {
      throw new JobError('GUEST_NO_OS', 'nothing that boots', { errorFile: '/out/.errors/vm.error.json' });
    },
  });
  const id = await client.convert(vmName());
  expect(await client.reaches(id, 'failed')).toMatchObject({ error_file: '/out/.errors/vm.error.json' });
  expect(await client.refused(client.send('POST', `/api/v1/jobs/${id}/import`, {}))).toMatchObject({
    code: 'STATE_CONFLICT',
    status: 409,
  });
});
