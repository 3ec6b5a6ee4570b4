import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import { runGuarded } from '@hyper2kvm/runtime';
import type { WorkPort } from '../work.js';
import { exists, moveDurably, syncPath } from './files.js';
import type { CommitMarker } from './marker.js';
import { isCommitted } from './outputs.js';

type CommitImage = CommitMarker['images'][number];

/** An older owner's qemu-img may hold the image for as long as it takes to end it. */
const LOCK_WAIT_MS = 60_000;

/** Puts one converted image into the partial folder; done before is fine, half done too. */
export async function placeImage(
  image: CommitImage,
  partial: string,
  keepArtifact: boolean,
  work: WorkPort,
): Promise<void> {
  const target = path.join(partial, image.output);
  if (await exists(target)) return;
  await work.assertOwner();
  const wanted = { ...image, output_format: image.output_format ?? image.format };
  if (!isCommitted(image, wanted, keepArtifact)) await writeNew(image, target, work.signal);
  else {
    // What the conversion freed is freed in the image below: zeroed clusters become holes of its file.
    // The overlay stays whole (-d): repeated after a kill, the commit writes the same again.
    await withLock(() => qemuImg(['commit', '-q', '-d', '-f', 'qcow2', image.overlay], work.signal), work.signal);
    await check(image.base, image.format, work.signal);
    await syncPath(image.base);
    await moveDurably(image.base, target);
  }
}

async function writeNew(image: CommitImage, target: string, signal: AbortSignal): Promise<void> {
  const aside = `${target}.writing`;
  await rm(aside, { force: true });
  const format = image.output_format ?? image.format;
  // Compressed clusters are written as they are ready, not in their order.
  const compressed = image.compress === undefined ? [] : ['-c', '-W', '-o', `compression_type=${image.compress}`];
  try {
    await qemuImg(['convert', '-f', 'qcow2', '-O', format, ...compressed, image.overlay, aside], signal);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  await check(aside, format, signal);
  await syncPath(aside);
  await moveDurably(aside, target);
}

/** A killed commit leaves leaked clusters, which are freed. Errors fail. A raw image has nothing to check. */
async function check(file: string, format: string, signal: AbortSignal): Promise<void> {
  if (format === 'qcow2') await qemuImg(['check', '-q', '-f', 'qcow2', '-r', 'leaks', file], signal);
}

async function qemuImg(args: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await runGuarded('qemu-img', args, { signal });
  } catch (error) {
    signal.throwIfAborted();
    const full = error instanceof Error && /No space left on device/.test(error.message);
    throw full
      ? new JobError('DISK_FULL', `no space left while writing ${args.at(-1)}`, { step: 'commit', cause: error })
      : error;
  }
}

async function withLock(action: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (const start = performance.now(); ; await sleep(1000, undefined, { signal })) {
    try {
      return await action();
    } catch (error) {
      const locked = error instanceof Error && /Failed to get .*lock/.test(error.message);
      if (!locked || performance.now() - start > LOCK_WAIT_MS) throw error;
    }
  }
}
