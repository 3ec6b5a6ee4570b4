/** The commit of two small images, interrupted wherever it asks whether it still owns the job, and repeated. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  clearWork,
  finish,
  planDomain,
  readMarker,
  writeMarker,
  type CommitMarker,
  type WorkPort,
} from '@hyper2kvm/converter';

const JOB = 'job-committest';
const SIZE = 4 * 1024 ** 2;
const TIME = '2026-01-17T10:00:00Z';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-commit-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const qemuIo = (image: string, ...commands: string[]): string =>
  execFileSync('qemu-io', ['-f', 'qcow2', ...commands.flatMap((each) => ['-c', each]), image], { encoding: 'utf8' });

/** Throws at the nth question, as a worker that lost its lease or died there. */
function worker(stopsAt = Number.POSITIVE_INFINITY): WorkPort {
  let asked = 0;
  return {
    jobId: JOB,
    attempt: 1,
    epoch: 1,
    signal: new AbortController().signal,
    assertOwner: async () => {
      asked += 1;
      if (asked === stopsAt) throw new Error('stopped here');
    },
    progress: () => {},
    log: () => {},
  };
}

interface Place {
  jobDir: string;
  artifactDir: string;
  dateDir: string;
  marker: CommitMarker;
}

/** Two exported disks full of 0x11; what the conversion wrote over their second MiB is 0x22. */
async function prepare(name: string, changes: Partial<CommitMarker> = {}, outputRoot = root): Promise<Place> {
  const jobDir = path.join(root, name, 'work', JOB);
  const artifactDir = path.join(root, name, 'export', JOB);
  const epochDir = path.join(jobDir, 'a1.e1');
  await mkdir(path.join(epochDir, 'evidence'), { recursive: true });
  await mkdir(artifactDir, { recursive: true });
  await writeFile(path.join(epochDir, 'evidence', 'serial.log'), 'login:');
  const images = [1, 2].map((index) => {
    const [base, overlay] = [path.join(artifactDir, `disk${index}.qcow2`), path.join(epochDir, `disk${index}.qcow2`)];
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', base, String(SIZE)]);
    qemuIo(base, 'write -P 0x11 0 4M');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, overlay]);
    qemuIo(overlay, 'write -P 0x22 1M 1M');
    return { base, overlay, format: 'qcow2' as const, output: `disk${index}.qcow2`, capacity_bytes: SIZE };
  });
  const machine = {
    name: 'vm',
    cpus: 1,
    memory_bytes: SIZE,
    firmware: 'bios' as const,
    secure_boot: false,
    disks: [],
    nics: [],
  };
  const domain = planDomain({
    machine,
    uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
    kernel: undefined,
    accelerator: 'qemu',
    firmware: { kind: 'bios' },
    network: { type: 'network', name: 'default' },
    disks: images.map(({ output, format }, index) => ({ index: index + 1, file: output, format })),
  });
  const marker: CommitMarker = {
    version: 1,
    job_id: JOB,
    vm_name: 'vm',
    epoch_folder: 'a1.e1',
    artifact_dir: artifactDir,
    keep_artifact: false,
    images,
    date_dir: path.join(outputRoot, name, 'output', '2026-01-17'),
    domain,
    evidence: ['serial.log'],
    report: '# vm\n',
    manifest: {
      version: 1,
      job_id: JOB,
      vm_name: 'vm',
      requested_at: TIME,
      converted_at: TIME,
      duration_seconds: 1,
      steps_ms: {},
      source: machine,
      guest: { product: 'Debian', distro: 'debian', arch: 'x86_64', kernels: [], file_systems: [], mountpoints: [] },
      domain,
      disks: images.map(({ output, format }, index) => ({
        index: index + 1,
        file: output,
        format,
        capacity_bytes: SIZE,
        source_name: 'vm.vmdk',
        exported_segments: [],
      })),
      changes: [],
      modifications: { virtio_drivers: true, bootloader_updated: true, network_fixed: true },
      concerns: [],
      tools: {},
    },
    ...changes,
  };
  await writeMarker(jobDir, marker);
  return { jobDir, artifactDir, dateDir: marker.date_dir, marker };
}

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
  const place = await prepare(`stopped-${stopsAt}`);
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
  expect([place.jobDir, place.artifactDir].filter((folder) => existsSync(folder))).toEqual([]);
});

test("another job's output of the same name stays as it is", async () => {
  const place = await prepare('taken');
  const theirs = path.join(place.dateDir, 'vm');
  await mkdir(theirs, { recursive: true });
  await writeFile(path.join(theirs, 'manifest.json'), '{"job_id": "job-another1"}');
  const manifest = await finish(place.jobDir, place.marker, worker());
  expect(manifest.output_dir).toBe(path.join(place.dateDir, `vm-${JOB}`));
  await expectWhole(place, manifest.output_dir);
  expect(await readdir(theirs)).toEqual(['manifest.json']);
});

test('the artifact stays where that is asked for, byte for byte', async () => {
  const place = await prepare('kept', { keep_artifact: true });
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
    const place = await prepare('moved', {}, other);
    const manifest = await finish(place.jobDir, place.marker, worker());
    await expectWhole(place, manifest.output_dir);
    expect(existsSync(path.join(place.artifactDir, 'disk1.qcow2'))).toBe(false);
  } finally {
    await rm(other, { recursive: true, force: true });
  }
});
