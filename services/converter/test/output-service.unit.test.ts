import 'reflect-metadata';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConversionOptions, type ConversionRequested } from '@hyper2kvm/contracts';
import { Sealer, type WorkContext } from '@hyper2kvm/runtime';
import { ConverterConfig } from '../src/config.js';
import { ConverterService } from '../src/converter.service.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'h2k-service-'));
});
afterEach(() => rm(root, { recursive: true }));

const JOB = 'job-service01';

/** The part of the runtime's context that the service uses. */
const context = (signal = new AbortController().signal): WorkContext =>
  ({
    jobId: JOB,
    attempt: 1,
    epoch: 1,
    workerId: 'w',
    signal,
    publish: async () => {},
    assertOwner: async () => {},
    progress: () => {},
    log: () => {},
  }) as unknown as WorkContext;

function service(): ConverterService {
  const folders = { work_dir: path.join(root, 'work'), output_dir: path.join(root, 'output') };
  const sealer = Sealer.fromConfig({ key: randomBytes(32).toString('base64') });
  return new ConverterService(ConverterConfig.parse(folders), { targets: {} }, sealer);
}

const data = (): ConversionRequested => ({
  job_id: JOB,
  attempt: 1,
  generation: 1,
  lane: 'normal',
  pool: 'any',
  vm_name: 'vm',
  artifact_dir: path.join(root, 'none'),
  options: ConversionOptions.parse({}),
  requested_at: '2026-01-17T10:00:00Z',
});

test('the fact of a failed conversion names the file of its error', async () => {
  const file = path.join(root, 'output', '.errors', 'vm.error.json');
  await expect(service().convert(data(), context())).rejects.toMatchObject({
    code: 'ARTIFACT_MISSING',
    errorFile: file,
  });
  expect(await readdir(path.dirname(file))).toEqual(['vm.error.json']);
});

test('work that was stopped or cancelled has no file of an error', async () => {
  const stop = new AbortController();
  stop.abort(new Error('stopped'));
  await expect(service().convert(data(), context(stop.signal))).rejects.toThrow();
  expect(await readdir(root)).not.toContain('output');
});
