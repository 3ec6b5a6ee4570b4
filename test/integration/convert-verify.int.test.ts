/** Images read again and compared with what was recorded of them: by the engine, and by a converter that is asked over NATS. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobProgress, verifyCompleted, verifyFailed, verifyRequested, type Artifact } from '@hyper2kvm/contracts';
import { finish, verify, type ConverterSettings, type WorkPort } from '@hyper2kvm/converter';
import { createLogger, openBus } from '@hyper2kvm/runtime';
import { startNats, type NatsServer } from '../support/nats.js';
import { workplace } from './convert-job.js';
import { JOB, prepare, qemuIo, worker } from './convert-marker.js';

const MIB = 1024 ** 2;
/** Two whole segments and a piece. */
const SIZE = 160 * MIB;
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

let root: string;
let settings: ConverterSettings;
/** A converted output, whose disks are 0x11 but for 0x22 in their second MiB. */
let output: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-verify-'));
  settings = { ...workplace(root).settings, outputDir: path.join(root, 'done') };
  await mkdir(settings.workDir, { recursive: true });
  const place = await prepare(root, 'made', {}, { outputRoot: settings.outputDir, size: SIZE });
  const parts: number[] = [];
  output = (await finish(place.jobDir, place.marker, worker(), (part) => parts.push(part))).output_dir;
  expect(parts.every((part, index) => part >= (parts[index - 1] ?? 0) && part <= 1)).toBe(true);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const result = (files: object[]): object => ({ identical: false, files });
const good = { segments: 3, first_difference: null };

/** A copy of the output, to be spoilt. */
async function copyOf(name: string): Promise<string> {
  const folder = path.join(settings.outputDir, name);
  await mkdir(folder);
  for (const file of ['manifest.json', 'disk1.qcow2', 'disk2.qcow2'])
    await copyFile(path.join(output, file), path.join(folder, file));
  return folder;
}

describe('a converted output', () => {
  test('has the hashes of its content in its manifest', async () => {
    const manifest = JSON.parse(await readFile(path.join(output, 'manifest.json'), 'utf8')) as {
      disks: { segments: string[]; exported_segments: string[] }[];
    };
    const content = Buffer.alloc(SIZE, 0x11).fill(0x22, MIB, 2 * MIB);
    const segments = [0, 64, 128].map((at) => sha256(content.subarray(at * MIB, Math.min(SIZE, (at + 64) * MIB))));
    expect(manifest.disks.map((disk) => disk.segments)).toEqual([segments, segments]);
  });

  test('is found identical, with progress up to the end and nothing left behind', async () => {
    const percents: number[] = [];
    const work: WorkPort = { ...worker(), progress: ({ percent_complete }) => percents.push(percent_complete) };
    expect(await verify(output, settings, work)).toMatchObject({ identical: true, files: [good, good] });
    expect(percents[0]).toBe(0);
    expect(percents).toContain(50);
    expect(percents.at(-1)).toBe(100);
    expect(existsSync(path.join(settings.workDir, `verify-${JOB}`))).toBe(false);
  });

  test('with one flipped byte: the file and the segment are named', async () => {
    const folder = await copyOf('flipped');
    const file = path.join(folder, 'disk2.qcow2');
    qemuIo(file, `write -P 0x10 ${128 * MIB + 5} 1`);
    expect(await verify(folder, settings, worker())).toMatchObject(
      result([good, { file, segments: 3, first_difference: 3 }]),
    );
    qemuIo(file, `write -P 0x10 ${64 * MIB} 1`);
    expect(await verify(folder, settings, worker())).toMatchObject(result([good, { first_difference: 2 }]));
  });

  test('with a file that is gone, another image, in use, or a way out of the folder: told of each', async () => {
    const gone = await copyOf('gone');
    await rm(path.join(gone, 'disk1.qcow2'));
    await writeFile(path.join(gone, 'disk2.qcow2'), 'rubbish');
    expect(await verify(gone, settings, worker())).toMatchObject(
      result([
        { first_difference: null, problem: expect.stringMatching(/disk1\.qcow2 is not there/) },
        { first_difference: null, problem: expect.stringMatching(/qcow2 format/) },
      ]),
    );

    const linked = await copyOf('linked');
    await rm(path.join(linked, 'disk1.qcow2'));
    await symlink('/etc/shadow', path.join(linked, 'disk1.qcow2'));
    const based = path.join(linked, 'disk2.qcow2');
    await rm(based);
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', '/etc/shadow', '-F', 'raw', based, String(SIZE)]);
    expect(await verify(linked, settings, worker())).toMatchObject(
      result([
        { problem: expect.stringMatching(/disk1\.qcow2 is not there/) },
        { problem: expect.stringMatching(/refers to another file/) },
      ]),
    );

    const used = await copyOf('used');
    const vm = spawn('qemu-io', ['-f', 'qcow2', path.join(used, 'disk1.qcow2')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    vm.stdin.write('read 0 512\n');
    let said = '';
    for await (const piece of vm.stdout as AsyncIterable<Buffer>) {
      said += piece.toString();
      if (said.includes('read 512/512')) break;
    }
    const [first] = (await verify(used, settings, worker())).files;
    vm.stdin.end();
    await once(vm, 'exit');
    expect(first).toMatchObject({ problem: 'a program has it open for writing, such as a VM that runs' });
  });

  test('is not confused with what lies there instead, and nothing outside of the allowed folders is read', async () => {
    const nobody = { ...worker(), jobId: 'job-another1' };
    await expect(verify(output, settings, nobody)).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    const empty = path.join(settings.outputDir, 'empty');
    await mkdir(empty);
    await expect(verify(empty, settings, worker())).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    const none = path.join(settings.outputDir, 'none');
    await expect(verify(none, settings, worker())).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    await writeFile(path.join(empty, 'manifest.json'), '{"version": 1');
    await expect(verify(empty, settings, worker())).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });

    const elsewhere = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-elsewhere-'));
    try {
      await symlink(elsewhere, path.join(settings.outputDir, 'way-out'));
      for (const folder of [elsewhere, '/etc', `${output}/../../../../..`, path.join(settings.outputDir, 'way-out')])
        await expect(verify(folder, settings, worker())).rejects.toMatchObject({ code: 'PATH_DENIED' });
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  test('is let go when the check is cancelled', async () => {
    const abort = new AbortController();
    const cancelled = new Error('cancelled');
    const work: WorkPort = {
      ...worker(),
      signal: abort.signal,
      progress: ({ percent_complete }) => {
        if (percent_complete > 0) abort.abort(cancelled);
      },
    };
    await expect(verify(output, settings, work)).rejects.toBe(cancelled);
    expect(existsSync(path.join(settings.workDir, `verify-${JOB}`))).toBe(false);
  });
});

describe('an exported artifact', () => {
  test('is compared with artifact.json; zeros are zeros, stored or not', async () => {
    // The exporter's work folder need not be one of the converter's: the job's own folder is enough.
    const folder = path.join(root, 'exporter', JOB);
    await mkdir(folder, { recursive: true });
    const content = Buffer.alloc(SIZE);
    content.fill(0x33, 64 * MIB, 65 * MIB);
    const file = path.join(folder, 'disk1.raw');
    await writeFile(file, content);
    const disk = { index: 1, name: 'd', capacity_bytes: SIZE };
    const artifact: Artifact = {
      version: 1,
      job_id: JOB,
      attempt: 1,
      machine: {
        name: 'vm',
        cpus: 1,
        memory_bytes: MIB,
        firmware: 'bios',
        secure_boot: false,
        disks: [disk],
        nics: [],
      },
      disks: [
        {
          ...disk,
          file: 'disk1.raw',
          format: 'raw',
          bytes_downloaded: 1,
          segments: [null, sha256(content.subarray(64 * MIB, 128 * MIB)), null],
          verified: true,
        },
      ],
      created_at: '2026-01-17T10:00:00Z',
    };
    await writeFile(path.join(folder, 'artifact.json'), JSON.stringify(artifact));
    expect(await verify(folder, settings, worker())).toMatchObject({ identical: true, files: [{ file, ...good }] });
    content[SIZE - 1] = 1;
    await writeFile(file, content);
    expect(await verify(folder, settings, worker())).toMatchObject(result([{ file, first_difference: 3 }]));
    const nobody = { ...worker(), jobId: 'job-another1' };
    await expect(verify(folder, settings, nobody)).rejects.toMatchObject({ code: 'PATH_DENIED' });
  });
});

describe('a converter', () => {
  let nats: NatsServer;
  let child: ChildProcess | undefined;
  let bench: Awaited<ReturnType<typeof openBus>>;

  beforeAll(async () => {
    nats = await startNats();
    const config = path.join(root, 'config.yaml');
    const { workDir: work_dir, outputDir: output_dir } = settings;
    const secrets = { key: randomBytes(32).toString('base64') };
    await writeFile(
      config,
      JSON.stringify({ nats: { servers: nats.servers }, secrets, converter: { work_dir, output_dir } }),
    );
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
  });

  test('that is asked tells its result as a fact, also when files differ, and fails where nothing is recorded', async () => {
    const folder = await copyOf('asked');
    qemuIo(path.join(folder, 'disk1.qcow2'), `write -P 0x10 0 1`);
    const ask = async (attempt: number, where: string): Promise<unknown> =>
      bench.queue.send(
        verifyRequested,
        { job_id: JOB, attempt, generation: 0, lane: 'normal', pool: 'any', folder: where },
        { eventId: `verify-${attempt}` },
      );
    await ask(1, folder);
    await expect
      .poll(async () => bench.bus.last(verifyCompleted, JOB), { timeout: 30_000 })
      .toMatchObject({ attempt: 1, identical: false, files: [{ first_difference: 1 }, { first_difference: null }] });
    expect(await bench.bus.last(jobProgress, JOB)).toMatchObject({ phase: 'verify', percent_complete: 100 });
    await ask(2, path.join(settings.outputDir, 'nothing'));
    await expect
      .poll(async () => bench.bus.last(verifyFailed, JOB), { timeout: 30_000 })
      .toMatchObject({ attempt: 2, failure: { code: 'ARTIFACT_MISSING' } });
  });
});
