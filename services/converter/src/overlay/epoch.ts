import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { clearLeftovers } from '../guest/index.js';

/** `a1.e3`: attempt 1, third owner. Only the owner of an epoch writes below its folder. */
export const EPOCH_FOLDER = /^a(\d+)\.e(\d+)$/;

/**
 * A fresh folder for this owner below the job's folder; what older owners left goes first, with what their appliances
 * left in /tmp. Nothing of a newer epoch is touched.
 */
export async function prepareEpoch(jobDir: string, attempt: number, epoch: number): Promise<string> {
  await mkdir(jobDir, { recursive: true });
  for (const name of await readdir(jobDir)) {
    const found = EPOCH_FOLDER.exec(name);
    if (!found) continue;
    const [otherAttempt, otherEpoch] = [Number(found[1]), Number(found[2])];
    if (otherAttempt > attempt || (otherAttempt === attempt && otherEpoch > epoch)) continue;
    await removeEpoch(path.join(jobDir, name));
  }
  const folder = path.join(jobDir, `a${attempt}.e${epoch}`);
  await mkdir(folder);
  return folder;
}

/** Removes an epoch's folder and what its appliances left elsewhere. */
export async function removeEpoch(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) await clearLeftovers(path.join(folder, name));
  await rm(folder, { recursive: true, force: true });
}

/** Removes an epoch's folder, and the job's folder where nothing else lies in it. */
export async function discardEpoch(folder: string): Promise<void> {
  await removeEpoch(folder);
  // Evidence of a failed proof stays there: then it is not empty.
  await rmdir(path.dirname(folder)).catch(() => undefined);
}
