/** What a conversion refuses, and that a refusal says why, in one sentence, before anything is changed. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boot, planDomain, qemuArgs } from '@hyper2kvm/converter';
import { putArtifact, startConversion, workplace, type Line, type Workplace } from './convert-job.js';

const MIB = 1024 ** 2;
const CAPACITY = 64 * MIB;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-refusals-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** An image of the given content in a workplace of its own. */
async function placed(name: string, make: (image: string) => void): Promise<Workplace> {
  const place = workplace(path.join(root, name));
  await mkdir(place.root);
  const image = path.join(place.root, 'made.qcow2');
  make(image);
  await putArtifact(place, image, CAPACITY);
  return place;
}

async function ended(place: Workplace, options = {}): Promise<Line | undefined> {
  const run = startConversion(place, 1, options);
  const end = await run.until(({ kind }) => kind === 'error' || kind === 'result');
  await run.exited;
  return end;
}

const create = (image: string, ...options: string[]): void => {
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, image, String(CAPACITY)]);
};

describe('artifacts', () => {
  it('that refer to another file of the worker', async () => {
    const place = await placed('backing', (image) => create(image, '-b', '/etc/shadow', '-F', 'raw'));
    expect(await ended(place)).toMatchObject({ code: 'GUEST_UNSUPPORTED' });
    expect(existsSync(place.jobDir)).toBe(false);
  });

  it('that keep their data in another file', async () => {
    const place = await placed('data-file', (image) => create(image, '-o', `data_file=${image}.data,data_file_raw=on`));
    expect(await ended(place)).toMatchObject({ code: 'GUEST_UNSUPPORTED' });
  });

  it('that are not there, of another size, or not what their name says', async () => {
    const missing = await placed('missing', create);
    await rm(path.join(missing.artifactDir, 'disk1.qcow2'));
    expect(await ended(missing)).toMatchObject({
      code: 'ARTIFACT_MISSING',
      message: expect.stringContaining('disk1.qcow2'),
    });

    const short = await placed('short', (image) =>
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', image, '1M']),
    );
    expect(await ended(short)).toMatchObject({
      code: 'ARTIFACT_MISSING',
      message: expect.stringContaining(`${MIB} bytes`),
    });

    const torn = await placed('torn', create);
    await writeFile(path.join(torn.artifactDir, 'artifact.json'), '{"version": 1');
    expect(await ended(torn)).toMatchObject({ code: 'ARTIFACT_MISSING' });
  });

  it('asked into a folder that is not allowed', async () => {
    const place = await placed('outside', create);
    expect(await ended(place, { output_dir: '/etc/hyper2kvm' })).toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe('guests', () => {
  it('without an operating system', async () => {
    const place = await placed('empty', create);
    const end = await ended(place);
    expect(end).toMatchObject({ code: 'GUEST_NO_OS' });
    // The artifact stays for a retry, and nothing else.
    expect(await readdir(place.artifactDir)).toEqual(['artifact.json', 'disk1.qcow2']);
    expect(existsSync(place.jobDir)).toBe(false);
  });
});

/** The machine of the proof with an empty disk. */
async function blankMachine(name: string): Promise<{ folder: string; args: string[] }> {
  const folder = path.join(root, name);
  await mkdir(folder);
  const disk = path.join(folder, 'blank.qcow2');
  create(disk);
  const plan = planDomain({
    machine: {
      name: 'x',
      cpus: 1,
      memory_bytes: 256 * MIB,
      firmware: 'bios',
      secure_boot: false,
      disks: [],
      nics: [],
    },
    uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
    kernel: undefined,
    accelerator: 'qemu',
    firmware: { kind: 'bios' },
    network: { type: 'network', name: 'default' },
    disks: [{ index: 1, file: 'blank.qcow2', format: 'qcow2' }],
  });
  return { folder, args: qemuArgs(plan, [disk], 256 * MIB) };
}

describe('a boot proof', () => {
  const signal = new AbortController().signal;
  it('of a disk that does not boot fails in time, with a screenshot', async () => {
    const { folder, args } = await blankMachine('proof');
    const outcome = await boot(args, folder, { timeoutMs: 8_000, signal });
    expect(outcome).toMatchObject({ fault: 'it did not report within 8 s', screenshot: true });
    expect((await readFile(path.join(folder, 'screen.png'))).subarray(1, 4).toString()).toBe('PNG');
  });

  it('of a kernel that panics fails at once, with its words', async () => {
    const { folder, args } = await blankMachine('panic');
    const kernel = (await readdir('/boot')).find((each) => each.startsWith('vmlinuz-')) ?? '';
    const direct = ['-kernel', path.join('/boot', kernel), '-append', 'console=ttyS0,115200'];
    const outcome = await boot([...args, ...direct], folder, { timeoutMs: 170_000, signal });
    expect(outcome.fault).toMatch(/^the kernel panicked \("Kernel panic - not syncing: VFS/);
    expect(outcome.serial).toContain('Unable to mount root fs');
  });

  it('types the passphrase that is asked for, and keeps it out of what it leaves', async () => {
    const { folder, args } = await blankMachine('passphrase');
    const initramfs = path.join(folder, 'initramfs');
    await askingInitramfs(initramfs);
    const kernel = (await readdir('/boot')).find((each) => each.startsWith('vmlinuz-')) ?? '';
    const direct = ['-kernel', path.join('/boot', kernel), '-initrd', initramfs, '-append', 'console=ttyS0,115200'];
    const luksKeys = ['wrong one', 'r1ght "one"\n'].map((key) => ({ key_base64: Buffer.from(key).toString('base64') }));
    const outcome = await boot([...args, ...direct], folder, { timeoutMs: 170_000, signal, luksKeys });
    expect(outcome.serial).toContain('answers: [passphrase] and [passphrase]');
    expect(await readFile(path.join(folder, 'serial.log'), 'latin1')).not.toContain('r1ght');
    expect(outcome.fault).toContain('a passphrase that was not given ("Please unlock disk data:")');
  });
});

const ASKING_INIT = `#!/bin/sh
ask() { printf 'Please unlock disk data: '; read -r heard; }
ask; one=$heard
ask; echo "answers: $one and $heard"
while :; do ask; done
`;

/** A system that asks twice, says what it heard, and asks on: a shell with its libraries, and nothing else. */
async function askingInitramfs(file: string): Promise<void> {
  const folder = path.join(root, 'initramfs');
  const libraries = execFileSync('ldd', ['/bin/sh'], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const each of ['/bin/sh', ...libraries]) {
    await mkdir(path.join(folder, path.dirname(each)), { recursive: true });
    await copyFile(each, path.join(folder, each));
  }
  await writeFile(path.join(folder, 'init'), ASKING_INIT, { mode: 0o755 });
  const input = execFileSync('find', ['.'], { cwd: folder });
  execFileSync('cpio', ['--quiet', '-o', '-H', 'newc', '-F', file], { cwd: folder, input });
}
