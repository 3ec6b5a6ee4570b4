// An image served through QEMU: served only once QEMU could open it.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serveImage } from '@hyper2kvm/runtime';
import { readContent } from '@hyper2kvm/runtime/content';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const signal = new AbortController().signal;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-content-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe('an image', () => {
  it('that QEMU cannot open is never served, whatever comes first: its listening or its end', async () => {
    const image = path.join(folder, 'rubbish.qcow2');
    await writeFile(image, 'rubbish');
    const tries = Array.from({ length: 12 }, async (_, index) =>
      serveImage(image, 'qcow2', path.join(folder, `${index}.nbd`), signal),
    );
    for (const outcome of await Promise.allSettled(tries))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/qcow2 format/) } });
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
