// An image served through QEMU: served only once QEMU could open it.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serveImage } from '@hyper2kvm/runtime';
import { readContent } from '@hyper2kvm/runtime/content';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const signal = new AbortController().signal;
const LAYERS = 300;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-content-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe('an image', () => {
  it('that QEMU cannot open is not served, although QEMU listens before it finds that out', async () => {
    // Rubbish below so many layers that opening them takes a while.
    const layer = (index: number): string => path.join(folder, `layer${String(index).padStart(3, '0')}.qcow2`);
    await writeFile(layer(0), 'rubbish');
    const options = ['-q', '-u', '-f', 'qcow2', '-F', 'qcow2', '-b', layer(0)];
    execFileSync('qemu-img', ['create', ...options, layer(1), '64M']);
    const first = (await readFile(layer(1))).toString('latin1');
    for (let index = 2; index <= LAYERS; index += 1)
      await writeFile(layer(index), first.replace(layer(0), layer(index - 1)), 'latin1');
    await expect(serveImage(layer(LAYERS), 'qcow2', path.join(folder, 'rubbish.nbd'), signal)).rejects.toThrow(
      /not in qcow2 format/,
    );
  });

  it('that is served can be read at once', async () => {
    const image = path.join(folder, 'image.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', image, '64M']);
    const socketPath = path.join(folder, 'image.nbd');
    const server = await serveImage(image, 'qcow2', socketPath, signal);
    const [capacityBytes, segmentBytes] = [64 * 1024 ** 2, 32 * 1024 ** 2];
    expect(await readContent({ socketPath, capacityBytes, segmentBytes, signal })).toEqual({
      segments: [null, null],
      bytesRead: 0,
    });
    await server.stop();
  });
});
