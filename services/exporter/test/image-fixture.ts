import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Qcow2Writer } from '../src/image/index.js';
import { VmdkDecoder } from '../src/vmdk/index.js';

export const run = promisify(execFile);

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-image-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Decodes a stream given in pieces into a qcow2 file. */
export async function decodeTo(file: string, stream: Buffer, pieceBytes = 16_384): Promise<void> {
  let writer: Qcow2Writer | undefined;
  // Created at the first grain at the latest; the header tells the size.
  const pending: { index: number; content: Buffer }[] = [];
  let capacity = 0;
  const decoder = new VmdkDecoder({
    header: ({ capacityBytes }) => {
      capacity = capacityBytes;
    },
    data: (index, content) => void pending.push({ index, content }),
  });
  const flush = async (): Promise<void> => {
    if (capacity === 0) return;
    writer ??= await Qcow2Writer.create(file, capacity);
    for (const { index, content } of pending.splice(0)) {
      writer.add(index, content);
      await writer.pressure();
    }
  };
  try {
    for (let at = 0; at < stream.length; at += pieceBytes) {
      await decoder.write(stream.subarray(at, at + pieceBytes));
      await flush();
    }
    decoder.end();
    await flush();
    await writer?.finish();
  } finally {
    await writer?.abandon();
  }
}

export async function qemuCheck(file: string): Promise<void> {
  await run('qemu-img', ['check', '-f', 'qcow2', file]);
}

/** Throws with QEMU's words when they differ. */
export async function qemuCompare(qcow2: string, raw: string): Promise<void> {
  await run('qemu-img', ['compare', '-f', 'qcow2', '-F', 'raw', qcow2, raw]);
}
