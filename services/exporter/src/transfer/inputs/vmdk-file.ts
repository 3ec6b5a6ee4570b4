import { open, type FileHandle } from 'node:fs/promises';
import { VmdkError } from '../../vmdk/index.js';
import { TransferError } from '../errors.js';
import { vmdkInto } from './nfc.js';
import type { Pour, VmdkFileInput } from './input.js';

/** Two of them: one is filled while the other is decoded. */
const READ_BYTES = 512 * 1024;

/**
 * A local stream is decoded as it is read. What is wrong with it will be wrong the next time too.
 * @throws TransferError SOURCE_INVALID for a stream that is no valid VMDK, SOURCE_CHANGED when the file is not what it was
 */
export const pourVmdkFile: Pour<VmdkFileInput> = async (input, disk, sink, signal) => {
  const decoder = vmdkInto(sink, disk.capacityBytes);
  const file = await open(input.path, 'r');
  try {
    const before = await stateOf(file);
    for await (const piece of pieces(file, input, signal)) {
      sink.received(piece);
      await decoder.write(piece);
      const wait = sink.throttle();
      if (wait !== undefined) await wait;
    }
    if ((await stateOf(file)) !== before)
      throw new TransferError('SOURCE_CHANGED', `${input.path} changed while it was read`);
    decoder.end();
  } catch (error) {
    if (error instanceof VmdkError)
      throw new TransferError('SOURCE_INVALID', `${input.path}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await file.close();
  }
};

/** The file's part, piece by piece, one read ahead. A piece is valid until the next but one is asked for. */
async function* pieces(file: FileHandle, input: VmdkFileInput, signal: AbortSignal): AsyncGenerator<Buffer> {
  const end = input.offset + input.length;
  const buffers = [Buffer.allocUnsafeSlow(READ_BYTES), Buffer.allocUnsafeSlow(READ_BYTES)] as const;
  let turn = 0;
  const read = (at: number): Promise<Buffer> | undefined => {
    if (at >= end) return undefined;
    const buffer = buffers[turn++ % 2 === 0 ? 0 : 1];
    const piece = file.read(buffer, 0, Math.min(READ_BYTES, end - at), at).then(({ bytesRead }) => {
      if (bytesRead > 0) return buffer.subarray(0, bytesRead);
      throw new TransferError(
        'SOURCE_CHANGED',
        `${input.path} ends at byte ${at}: it became shorter while it was read`,
      );
    });
    // Awaited one piece later; until then a failure must not count as unhandled.
    piece.catch(() => {});
    return piece;
  };
  let at = input.offset;
  let next = read(at);
  try {
    while (next !== undefined) {
      const piece = await next;
      signal.throwIfAborted();
      at += piece.length;
      next = read(at);
      yield piece;
    }
  } finally {
    // The file is closed after the last read only.
    await next?.catch(() => {});
  }
}

async function stateOf(file: FileHandle): Promise<string> {
  const { size, mtimeNs } = await file.stat({ bigint: true });
  return `${size} ${mtimeNs}`;
}
