/** A converter that is asked over NATS: about a target, for an import, and for a conversion that fails. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  checkTarget,
  conversionFailed,
  conversionRequested,
  ConversionOptions,
  importFailed,
  importRequested,
} from '@hyper2kvm/contracts';
import { finish } from '@hyper2kvm/converter';
import { createLogger, openBus } from '@hyper2kvm/runtime';
import { startNats, type NatsServer } from '../support/nats.js';
import { JOB, prepare, worker } from './convert-marker.js';

let root: string;
let nats: NatsServer;
let child: ChildProcess | undefined;
let bench: Awaited<ReturnType<typeof openBus>>;
let output: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-import-'));
  const place = await prepare(root, 'finished');
  output = (await finish(place.jobDir, place.marker, worker())).output_dir;
  nats = await startNats();
  const config = path.join(root, 'config.yaml');
  const sections = {
    nats: { servers: nats.servers },
    secrets: { key: randomBytes(32).toString('base64') },
    converter: { work_dir: path.join(root, 'work'), output_dir: path.join(root, 'finished', 'output') },
    targets: { away: { libvirt_uri: `qemu+unix:///system?socket=${root}/none` } },
  };
  await writeFile(config, JSON.stringify(sections));
  const main = fileURLToPath(import.meta.resolve('@hyper2kvm/converter')).replace(/index\.js$/, 'main.js');
  child = spawn(process.execPath, [main], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, HYPER2KVM_CONFIG: config },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  bench = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'test',
    workerId: 'test',
    logger: createLogger('test', 'fatal'),
  });
});

afterAll(async () => {
  child?.kill('SIGTERM');
  if (child !== undefined && child.exitCode === null) await once(child, 'exit');
  await bench?.close();
  await nats?.stop();
  await rm(root, { recursive: true, force: true });
});

const fence = { job_id: JOB, attempt: 1, generation: 0, lane: 'normal', pool: 'any' } as const;

test('an import ends in its fact: the folder is found, the libvirt of the target is not', async () => {
  await bench.queue.send(importRequested, { ...fence, folder: output, target: 'away' }, { eventId: 'import-1' });
  await expect
    .poll(async () => bench.bus.last(importFailed, JOB), { timeout: 30_000 })
    .toMatchObject({ attempt: 1, failure: { code: 'LIBVIRT', message: expect.stringContaining('/none') } });
  await bench.queue.send(importRequested, { ...fence, attempt: 2, folder: '/etc' }, { eventId: 'import-2' });
  await expect
    .poll(async () => bench.bus.last(importFailed, JOB), { timeout: 30_000 })
    .toMatchObject({ attempt: 2, failure: { code: 'PATH_DENIED' } });
});

test('a target is looked at when that is asked', async () => {
  const machine = {
    name: 'vm',
    cpus: 1,
    memory_bytes: 2 ** 30,
    firmware: 'bios' as const,
    secure_boot: false,
    disks: [],
    nics: [],
  };
  const options = ConversionOptions.parse({ to_libvirt: true, target: 'away' });
  const answer = await bench.bus.request(checkTarget, { machine, vm_name: 'vm', options });
  expect(answer.problems).toMatchObject([{ code: 'LIBVIRT' }]);
  expect(answer.output_free_bytes).toBeGreaterThan(0);
});

test('a conversion that fails is written down, and its fact names the file', async () => {
  const request = {
    ...fence,
    vm_name: '../../x',
    artifact_dir: path.join(root, 'nothing'),
    options: ConversionOptions.parse({}),
    requested_at: '2026-01-17T10:00:00Z',
  };
  await bench.queue.send(conversionRequested, request, { eventId: 'conversion-1' });
  const errors = path.join(root, 'finished', 'output', '.errors');
  await expect
    .poll(async () => bench.bus.last(conversionFailed, JOB), { timeout: 30_000 })
    .toMatchObject({ failure: { code: 'ARTIFACT_MISSING' }, error_file: expect.stringMatching(/\.error\.json$/) });
  const found = await bench.bus.last(conversionFailed, JOB);
  expect(path.dirname(found?.error_file ?? '')).toBe(errors);
  expect(JSON.parse(await readFile(found?.error_file ?? '', 'utf8'))).toMatchObject({
    job_id: JOB,
    vm_name: '../../x',
    phase: 'conversion',
    cause: { code: 'ARTIFACT_MISSING', advice: expect.any(String) },
  });
});
