import { createHash } from 'node:crypto';
import { SegmentHasher } from '@hyper2kvm/runtime/content';
import { Qcow2Writer } from '../image/index.js';
import { GRAIN_BYTES, VmdkDecoder, VmdkError } from '../vmdk/index.js';
import { download } from './download.js';
import type { TransferResult, TransferTask } from './messages.js';

/**
 * One disk in one pass: HTTPS body → hash of the stream → decoder → hashes of the content → image. Holes stay holes.
 * Leaves an unfinished file behind when it fails; no program takes it for an image.
 * @throws VmdkError, the errors of `download`, and those of the file system (ENOSPC)
 */
export async function transferDisk(
  task: TransferTask,
  signal: AbortSignal,
  progress: (doneBytes: number, bytesDownloaded: number) => void,
): Promise<TransferResult> {
  const stream = createHash('sha256');
  const hasher = new SegmentHasher(task.capacityBytes, task.segmentBytes);
  const writer = await Qcow2Writer.create(task.path, task.capacityBytes);
  let doneBytes = 0;
  let bytesDownloaded = 0;
  try {
    const decoder = new VmdkDecoder({
      header: ({ capacityBytes }) => {
        if (capacityBytes !== task.capacityBytes)
          throw new VmdkError(
            'capacity',
            `the disk in the stream has ${capacityBytes} bytes, the VM's disk has ${task.capacityBytes}`,
            12,
          );
      },
      data: (index, content) => {
        hasher.data(index * GRAIN_BYTES, content);
        writer.add(index, content);
        doneBytes = index * GRAIN_BYTES + content.length;
      },
      pressure: () => writer.pressure(),
    });
    if (task.input.kind !== 'nfc') throw new Error(`no way to read ${task.input.kind}`);
    for await (const piece of download(task.input, task.stallTimeoutMs, signal)) {
      bytesDownloaded += piece.length;
      stream.update(piece);
      await decoder.write(piece);
      progress(doneBytes, bytesDownloaded);
    }
    decoder.end();
    const imageBytes = await writer.finish();
    progress(task.capacityBytes, bytesDownloaded);
    return { bytesDownloaded, streamSha256: stream.digest('hex'), segments: hasher.finish(), imageBytes };
  } finally {
    await writer.abandon();
  }
}
