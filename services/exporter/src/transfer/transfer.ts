import { ImageSink } from './image-sink.js';
import type { DiskInput, Sink } from './inputs/input.js';
import { pourNfc } from './inputs/nfc.js';
import { pourQemu } from './inputs/qemu.js';
import { pourRanges } from './inputs/ranges.js';
import { pourVmdkFile } from './inputs/vmdk-file.js';
import type { DigestName, TransferResult, TransferTask } from './messages.js';
import type { RateLimit } from './rate-limit.js';
import { openImage } from './resume/open-image.js';

/**
 * One disk in one pass: input → hashes → image. Holes stay holes. Leaves an unfinished file behind when it fails; no program
 * takes it for an image.
 * @throws the errors that failure.ts knows
 */
export async function transferDisk(
  task: TransferTask,
  rate: RateLimit,
  signal: AbortSignal,
  report: (doneBytes: number, bytesDownloaded: number) => void,
): Promise<TransferResult> {
  const image = await openImage(task);
  try {
    const sink = new ImageSink(image, task, digestsOf(task), rate, report);
    const { capacityBytes, stallTimeoutMs } = task;
    await pour(task.input, { capacityBytes, stallTimeoutMs, startAt: image.startAt }, sink, signal);
    return await sink.finish();
  } finally {
    // Nothing is written any more when this returns, whatever happened.
    await image.journal?.close();
    await image.writer.abandon();
  }
}

async function pour(
  input: DiskInput,
  disk: { capacityBytes: number; stallTimeoutMs: number; startAt: number },
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  switch (input.kind) {
    case 'nfc':
      return pourNfc(input, disk, sink, signal);
    case 'ranges':
      return pourRanges(input, disk, sink, signal);
    case 'vmdk-file':
      return pourVmdkFile(input, disk, sink, signal);
    case 'qemu':
      return pourQemu(input, disk, sink, signal);
  }
}

/** Only what comes as one stream has a hash of the stream. */
function digestsOf({ input, digests }: TransferTask): readonly DigestName[] {
  return input.kind === 'nfc' || input.kind === 'vmdk-file' ? ['sha256', ...digests] : [];
}
