import { stat } from 'node:fs/promises';
import { ArtifactDisk } from '@hyper2kvm/contracts';
import { z } from 'zod';

/** A disk that is finished, with what its file looked like then. */
export const FinishedDisk = z.object({
  disk: ArtifactDisk,
  bytes: z.number().int(),
  /** Nanoseconds, as text: more digits than a number holds. */
  modified: z.string(),
});
export type FinishedDisk = z.infer<typeof FinishedDisk>;

/** @throws when the file is not there */
export async function asFinished(disk: ArtifactDisk, file: string): Promise<FinishedDisk> {
  return { disk, ...(await look(file)) };
}

/**
 * Why a finished file is not what it was, or undefined. Nobody but this job has to write there; a file that was truncated,
 * replaced or opened by a VM shows in its size or its time.
 */
export async function alteration(finished: FinishedDisk, file: string): Promise<string | undefined> {
  try {
    const now = await look(file);
    if (now.bytes !== finished.bytes) return `it has ${now.bytes} bytes, and had ${finished.bytes}`;
    return now.modified === finished.modified ? undefined : 'it was written to since';
  } catch {
    return 'it is not there any more';
  }
}

async function look(file: string): Promise<{ bytes: number; modified: string }> {
  const found = await stat(file, { bigint: true });
  return { bytes: Number(found.size), modified: String(found.mtimeNs) };
}
