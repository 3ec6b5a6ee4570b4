/** Images whose content is not what their record says: only the recorded format counts. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkImage } from '../src/artifact/index.js';
import { placeImage } from '../src/commit/images.js';
import { createOverlay } from '../src/overlay/index.js';

const MIB = 1024 ** 2;
const { signal } = new AbortController();
const work = {
  jobId: 'job-images001',
  attempt: 1,
  epoch: 1,
  signal,
  assertOwner: async () => {},
  progress: () => {},
  log: () => {},
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'h2k-images-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A raw disk of 4 MiB whose first sectors are a qcow2 that is backed by /etc/shadow. */
async function disguised(): Promise<{ file: string; bytes: Buffer }> {
  const file = path.join(root, 'disk.raw');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/shadow', '-F', 'raw', file, '64M']);
  await truncate(file, 4 * MIB);
  return { file, bytes: await readFile(file) };
}

test.each([
  ['raw', undefined],
  ['raw', 'kept'],
  ['qcow2', undefined],
] as const)('a raw disk that looks like a qcow2 stays raw on its way to %s (%s)', async (output_format, kept) => {
  const { file, bytes } = await disguised();
  await checkImage(file, { format: 'raw', capacity_bytes: 4 * MIB }, signal);
  const overlay = await createOverlay({ file, format: 'raw' }, path.join(root, 'overlay.qcow2'), signal);
  const output = `disk1.${output_format}`;
  const image = {
    base: file,
    overlay: overlay.file,
    format: 'raw' as const,
    output_format,
    output,
    capacity_bytes: 4 * MIB,
  };
  await placeImage(image, root, kept === 'kept', work);
  const out = path.join(root, output);
  const raw = path.join(root, 'out.raw');
  execFileSync('qemu-img', ['convert', '-f', output_format, '-O', 'raw', out, raw]);
  expect((await readFile(raw)).equals(bytes)).toBe(true);
});

test('a record that calls it qcow2 is refused', async () => {
  const { file } = await disguised();
  await expect(checkImage(file, { format: 'qcow2', capacity_bytes: 64 * MIB }, signal)).rejects.toMatchObject({
    code: 'GUEST_UNSUPPORTED',
    message: expect.stringContaining('/etc/shadow'),
  });
});

test('a data file elsewhere is refused', async () => {
  const file = path.join(root, 'disk.qcow2');
  const data = path.join(root, 'data');
  await writeFile(data, '');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', `data_file=${data}`, file, '1M']);
  await expect(checkImage(file, { format: 'qcow2', capacity_bytes: MIB }, signal)).rejects.toMatchObject({
    code: 'GUEST_UNSUPPORTED',
    message: expect.stringContaining(data),
  });
});
