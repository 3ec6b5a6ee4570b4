/** The commit of two small images, interrupted wherever it asks whether it still owns the job, and repeated. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clearWork, finish, readMarker, verify } from '@hyper2kvm/converter';
import { JOB, prepare, qemuIo, worker, type Place } from './convert-marker.js';
import { workplace } from './convert-job.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-commit-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function expectWhole(place: Place, output: string): Promise<void> {
  const names = ['disk1.qcow2', 'disk2.qcow2', 'domain.xml', 'evidence', 'manifest.json', 'report.md'];
  expect((await readdir(output)).toSorted()).toEqual(names);
  for (const disk of ['disk1.qcow2', 'disk2.qcow2']) {
    const image = path.join(output, disk);
    expect(qemuIo(image, 'read -P 0x11 0 1M', 'read -P 0x22 1M 1M', 'read -P 0x11 2M 2M')).not.toContain('failed');
    const info = execFileSync('qemu-img', ['info', '--output=json', '-f', 'qcow2', image], { encoding: 'utf8' });
    expect(info).not.toContain('backing');
    execFileSync('qemu-img', ['check', '-q', '-f', 'qcow2', image]);
  }
  expect(await readFile(path.join(output, 'domain.xml'), 'utf8')).toContain(`'${output}/disk2.qcow2'`);
  expect(await readFile(path.join(output, 'evidence', 'serial.log'), 'utf8')).toBe('login:');
}

test.each([1, 2, 3])('stopped at question %i and repeated by another worker: one whole output', async (stopsAt) => {
  const place = await prepare(root, `stopped-${stopsAt}`);
  await expect(finish(place.jobDir, place.marker, worker(stopsAt))).rejects.toThrow('stopped here');
  expect(existsSync(path.join(place.dateDir, 'vm'))).toBe(false);
  const again = await readMarker(place.jobDir);
  expect(again).toEqual(place.marker);
  const manifest = await finish(place.jobDir, place.marker, worker());
  // Killed before the work folder went: the next one finds the output.
  expect(await finish(place.jobDir, place.marker, worker())).toEqual(manifest);
  await clearWork(place.jobDir, place.artifactDir, false);
  expect(await readdir(place.dateDir)).toEqual(['vm']);
  await expectWhole(place, path.join(place.dateDir, 'vm'));
  const settings = { ...workplace(root).settings, outputDir: place.dateDir };
  expect(await verify(manifest.output_dir, settings, worker())).toMatchObject({ identical: true });
  expect([place.jobDir, place.artifactDir].filter((folder) => existsSync(folder))).toEqual([]);
});

test("another job's output of the same name stays as it is", async () => {
  const place = await prepare(root, 'taken');
  const theirs = path.join(place.dateDir, 'vm');
  await mkdir(theirs, { recursive: true });
  await writeFile(path.join(theirs, 'manifest.json'), '{"job_id": "job-another1"}');
  const manifest = await finish(place.jobDir, place.marker, worker());
  expect(manifest.output_dir).toBe(path.join(place.dateDir, `vm-${JOB}`));
  await expectWhole(place, manifest.output_dir);
  expect(await readdir(theirs)).toEqual(['manifest.json']);
});

test('the artifact stays where that is asked for, byte for byte', async () => {
  const place = await prepare(root, 'kept', { keep_artifact: true });
  const before = await readFile(path.join(place.artifactDir, 'disk1.qcow2'));
  await expect(finish(place.jobDir, place.marker, worker(2))).rejects.toThrow('stopped here');
  const manifest = await finish(place.jobDir, place.marker, worker());
  await clearWork(place.jobDir, place.artifactDir, true);
  await expectWhole(place, manifest.output_dir);
  expect((await readFile(path.join(place.artifactDir, 'disk1.qcow2'))).equals(before)).toBe(true);
  expect(existsSync(place.jobDir)).toBe(false);
});

test('an output on another file system is copied', async ({ skip }) => {
  const usable = await access('/dev/shm', constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!usable) skip('/dev/shm is not there');
  const other = await mkdtemp('/dev/shm/hyper2kvm-commit-');
  try {
    const place = await prepare(root, 'moved', {}, { outputRoot: other });
    const manifest = await finish(place.jobDir, place.marker, worker());
    await expectWhole(place, manifest.output_dir);
    expect(existsSync(path.join(place.artifactDir, 'disk1.qcow2'))).toBe(false);
  } finally {
    await rm(other, { recursive: true, force: true });
  }
});
