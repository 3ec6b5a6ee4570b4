import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeJobFiles } from '../src/export/index.js';

let workDir: string;
const owned: string[] = [];
const work = {
  signal: new AbortController().signal,
  assertOwner: async () => {
    owned.push(...(await readdir(workDir)));
  },
  progress: () => {},
  log: () => {},
};
const remove = (): Promise<boolean> => removeJobFiles({ jobId: 'job-aaaaaa', attempt: 2, epoch: 1 }, { workDir }, work);
const stands = (...names: string[]): Promise<boolean> =>
  access(path.join(workDir, ...names)).then(
    () => true,
    () => false,
  );

beforeEach(async () => {
  workDir = await mkdtemp(path.join(tmpdir(), 'h2k-remove-'));
  for (const job of ['job-aaaaaa', 'job-bbbbbb']) {
    await mkdir(path.join(workDir, job));
    await writeFile(path.join(workDir, job, 'disk1.qcow2'), 'image');
  }
});
afterEach(async () => {
  await rm(workDir, { recursive: true, force: true });
});

it('removes the folder of this job alone, once it is known to be its owner; again does no harm', async () => {
  expect(await remove()).toBe(true);
  expect(owned).toContain('job-aaaaaa');
  expect(await stands('job-aaaaaa')).toBe(false);
  expect(await stands('job-bbbbbb', 'disk1.qcow2')).toBe(true);
  expect(await remove()).toBe(true);
});

it('leaves a folder whose journal speaks of a snapshot', async () => {
  await writeFile(path.join(workDir, 'job-aaaaaa', 'export.json'), '{}');
  expect(await remove()).toBe(false);
  expect(await stands('job-aaaaaa', 'disk1.qcow2')).toBe(true);
});
