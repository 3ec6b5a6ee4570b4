import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConversionOptions, JobError } from '@hyper2kvm/contracts';
import { removeErrorFile, writeErrorFile } from '../src/error-file.js';
import { workSettings } from './output-settings.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'h2k-errors-'));
});
afterEach(() => rm(root, { recursive: true }));

const job = (job_id: string, vm_name = 'production-db', options = {}) => ({
  job_id,
  vm_name,
  artifact_dir: '/export/artifact',
  options: ConversionOptions.parse(options),
});
const error = new JobError('PROOF_FAILED', 'kernel panic at qemu+ssh://root:s3cret@kvm1/system', { step: 'proof' });

test('a failure is written down beside the outputs, and is gone when the job succeeds', async () => {
  const settings = workSettings(root);
  const evidence = path.join(settings.workDir, 'job-failed1', 'evidence');
  await mkdir(evidence, { recursive: true });
  await writeFile(path.join(evidence, 'serial.log'), 'panic');
  const file = await writeErrorFile(job('job-failed1'), settings, error);
  expect(file).toBe(path.join(root, 'output', '.errors', 'production-db.error.json'));
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain('s3cret');
  expect(JSON.parse(text)).toMatchObject({
    job_id: 'job-failed1',
    filename: 'production-db',
    error: 'kernel panic at qemu+ssh://root:[redacted]@kvm1/system',
    phase: 'conversion',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    cause: {
      code: 'PROOF_FAILED',
      step: 'proof',
      advice: expect.stringContaining('evidence'),
      evidence: [path.join(evidence, 'serial.log')],
    },
  });
  expect(await writeErrorFile(job('job-failed1'), settings, error)).toBe(file);
  await removeErrorFile(job('job-failed2'), settings);
  expect(await readdir(path.dirname(file))).toEqual(['production-db.error.json']);
  await removeErrorFile(job('job-failed1'), settings);
  expect(await readdir(path.dirname(file))).toEqual([]);
});

test("another job's file of the same VM stays", async () => {
  const settings = workSettings(root);
  const first = await writeErrorFile(job('job-failed1'), settings, error);
  const second = await writeErrorFile(job('job-failed2'), settings, error);
  expect(path.basename(second)).toBe('production-db-job-failed2.error.json');
  await removeErrorFile(job('job-failed2'), settings);
  expect(await readdir(path.dirname(first))).toEqual(['production-db.error.json']);
});

test('it goes below the folder that the job asked for, where that is allowed', async () => {
  const settings = workSettings(root);
  const fast = path.join(root, 'fast');
  const allowed = { ...settings, allowedOutputRoots: [fast] };
  const asked = job('job-failed1', 'vm', { output_dir: `${fast}/team` });
  expect(await writeErrorFile(asked, allowed, error)).toBe(`${fast}/team/.errors/vm.error.json`);
  expect(await writeErrorFile(asked, settings, error)).toBe(path.join(root, 'output', '.errors', 'vm.error.json'));
});

test.each(['../../x', '-rf', '..', '', '.hidden', 'x'.repeat(300), '😀'.repeat(200), 'a\nb/c\0d', '\u202Egpj.exe'])(
  'a VM named %j has its file there too',
  async (name) => {
    const file = await writeErrorFile(job('job-failed1', name), workSettings(root), error);
    const folder = path.join(root, 'output', '.errors');
    expect(path.dirname(file)).toBe(folder);
    expect(await readdir(folder)).toEqual([path.basename(file)]);
    expect(path.basename(file)).not.toMatch(/^[.-]/);
    expect(await readdir(root)).toEqual(['output']);
  },
);
