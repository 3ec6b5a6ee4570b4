/** Local files through the whole export: what the artifact tells of them, and exports of them that begin again. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { exportVm, type ExportRequest } from '@hyper2kvm/exporter';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  assertNothingLeft,
  convert,
  digestOf,
  disks,
  makeBench,
  makeRaw,
  ova,
  poke,
  sameContent,
  tar,
  writeOvf,
  type Bench,
} from './export-local-setup.js';
import { messagesOf, recordingPorts, settingsFor, type Recorded } from './export-setup.js';

const MIB = 2 ** 20;
const JOB = 'job-local1';

let bench: Bench;
let raws: [string, string];

beforeEach(async () => {
  bench = await makeBench();
  raws = [
    await makeRaw(path.join(bench.root, '1.raw'), 40 * MIB, 1),
    await makeRaw(path.join(bench.root, '2.raw'), 70 * MIB, 2),
  ];
});
afterEach(async () => {
  await bench.remove();
});

const run = (files: NonNullable<ExportRequest['files']>, epoch: number, recorded: Recorded) =>
  exportVm(
    { jobId: JOB, attempt: 1, epoch, vmName: 'web', files },
    settingsFor(bench.work, { allowedRoots: [bench.images], maxDisksPerVm: 1 }),
    recorded.ports,
  );

test('an OVA becomes an artifact that tells what it agreed with', async () => {
  const folder = path.join(bench.images, 'web');
  await mkdir(folder);
  const names = ['a.vmdk', 'b.vmdk'] as const;
  for (const [at, name] of names.entries())
    await convert(raws[at] ?? '', 'vmdk', path.join(folder, name), 'subformat=streamOptimized');
  const described = {
    disks: [
      { file: 'a.vmdk', capacityMib: 40 },
      { file: 'b.vmdk', capacityMib: 70 },
    ],
  };
  const archive = await tar(folder, await writeOvf(folder, 'web', described, 'sha256'), path.join(folder, 'web.ova'));
  const { artifact, artifactDir } = await run(ova(archive), 1, recordingPorts());
  expect(artifact.machine).toMatchObject({ name: 'web', cpus: 4, memory_bytes: 3 * 2 ** 30 });
  for (const [at, disk] of artifact.disks.entries()) {
    const file = path.join(folder, names[at] ?? '');
    const sha256 = await digestOf(file, 'sha256');
    expect(disk).toMatchObject({
      name: names[at],
      transport: 'file',
      verified: true,
      stream_sha256: sha256,
      source_checksums: [`sha256:${sha256}`],
      bytes_downloaded: (await stat(file)).size,
    });
    await sameContent(raws[at] ?? '', path.join(artifactDir, disk.file));
  }
  expect(artifact.concerns).toContainEqual(expect.stringContaining('no firmware'));
  expect(await readdir(bench.work)).toEqual([JOB]);
  expect((await readdir(artifactDir)).toSorted()).toEqual(['artifact.json', 'disk1.qcow2', 'disk2.qcow2']);
});

const NOT_AGAIN = expect.stringContaining('Disk 1: finished and verified by an earlier start') as unknown;

/** Two disks, stopped as by the end of the process when the first is finished. */
async function stopAfterFirst(): Promise<ReturnType<typeof disks>> {
  const first = await convert(raws[0], 'qcow2', path.join(bench.images, 'a.qcow2'));
  const second = await convert(raws[1], 'vmdk', path.join(bench.images, 'b.vmdk'), 'subformat=streamOptimized');
  const recorded = recordingPorts(({ progress, stop }) => {
    if (progress.at(-1)?.disks?.[0]?.state === 'done')
      stop.abort(Object.assign(new Error('stopped'), { kind: 'shutdown' }));
  });
  await expect(run(disks(first, second), 1, recorded)).rejects.toThrow('stopped');
  return disks(first, second);
}

test('the checksum of a file that is no stream is compared before it is read, and told in the artifact', async () => {
  const file = await convert(raws[0], 'qcow2', path.join(bench.images, 'a.qcow2'));
  const checksum = `sha256:${await digestOf(file, 'sha256')}`;
  const { artifact } = await run(disks({ path: file, checksum }), 1, recordingPorts());
  expect(artifact.disks).toMatchObject([{ source_checksums: [checksum] }]);
});

test('begun again, finished disks of the same files stand', async () => {
  const files = await stopAfterFirst();
  const recorded = recordingPorts();
  const { artifactDir } = await run(files, 2, recorded);
  expect(messagesOf(recorded)).toContainEqual(NOT_AGAIN);
  await sameContent(raws[0], path.join(artifactDir, 'disk1.qcow2'));
  await sameContent(raws[1], path.join(artifactDir, 'disk2.qcow2'));
});

test('begun again after a file was altered, nothing of before is mixed in', async () => {
  const files = await stopAfterFirst();
  // The second file: the first disk is of the instant before.
  const other = await makeRaw(path.join(bench.root, 'other.raw'), 70 * MIB, 9);
  await convert(other, 'vmdk', path.join(bench.images, 'b.vmdk'), 'subformat=streamOptimized');
  const recorded = recordingPorts();
  const { artifactDir } = await run(files, 2, recorded);
  expect(messagesOf(recorded)).not.toContainEqual(NOT_AGAIN);
  expect(messagesOf(recorded)).toContainEqual(expect.stringContaining('1 finished disk dropped'));
  await sameContent(raws[0], path.join(artifactDir, 'disk1.qcow2'));
  await sameContent(other, path.join(artifactDir, 'disk2.qcow2'));
});

test('a file that changes while it is read fails the export, which may begin again', async () => {
  const file = await convert(raws[0], 'qcow2', path.join(bench.images, 'a.qcow2'));
  let altered: Promise<unknown> | undefined;
  const recorded = recordingPorts(() => {
    altered ??= poke(file, 3 * MIB, Buffer.from('altered'));
  });
  const error: unknown = await run(disks(file), 1, recorded).catch((thrown: unknown) => thrown);
  await altered;
  expect(error).toMatchObject({ code: 'SOURCE_CHANGED', retryable: true });
  expect(await readdir(bench.work)).toEqual([]);
});

/** Makes a disk readable, and dies of SIGKILL. */
const KILLED = (images: string, file: string, work: string): string => `
  import { createLocalSource } from '@hyper2kvm/exporter';
  import { runGuarded, spawnGuarded } from '@hyper2kvm/runtime';
  const source = createLocalSource(
    { kind: 'disks', disks: [{ path: ${JSON.stringify(file)} }] },
    {
      allowedRoots: [${JSON.stringify(images)}],
      workDir: ${JSON.stringify(work)},
      vmName: 'web',
      signal: new AbortController().signal,
      children: { spawn: spawnGuarded, run: runGuarded },
    },
  );
  const [disk] = (await source.describe()).machine.disks;
  const prepared = await source.prepare('auto');
  const { input } = await prepared.access({ index: 1, name: 'a', capacityBytes: disk.capacity_bytes }, 0);
  process.stdout.write(input.socketPath, () => process.kill(process.pid, 'SIGKILL'));
`;

test('a process that is killed while it serves a disk leaves no socket and no QEMU', async () => {
  const file = await convert(raws[0], 'qcow2', path.join(bench.images, 'a.qcow2'));
  const script = KILLED(bench.images, file, bench.work);
  const killed = await execa('node', ['--input-type=module', '-e', script], { reject: false });
  expect(killed.signal).toBe('SIGKILL');
  expect(killed.stdout).toContain(bench.work);
  await expect.poll(() => assertNothingLeft(bench), { timeout: 20_000 }).toBeUndefined();
});
