import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Artifact, JobError, type ArtifactDisk } from '@hyper2kvm/contracts';
import { runGuarded } from '@hyper2kvm/runtime';
import { z } from 'zod';
import type { Image } from '../overlay/index.js';

export interface ArtifactImage extends Image {
  readonly disk: ArtifactDisk;
}

export interface LoadedArtifact {
  readonly artifact: Artifact;
  /** In disk order, files absolute. */
  readonly images: readonly ArtifactImage[];
}

/** The part of `qemu-img info --output=json` that matters. */
const ImageInfo = z.object({
  'virtual-size': z.number(),
  format: z.string(),
  'backing-filename': z.string().optional(),
  'full-backing-filename': z.string().optional(),
  'format-specific': z
    .object({ data: z.looseObject({ 'data-file': z.string().optional(), encrypt: z.unknown().optional() }) })
    .optional(),
});

/** A manifest of 4 TiB in 64 MiB segments has about 5 MiB. */
const MANIFEST_LIMIT_BYTES = 256 * 1024 * 1024;

/**
 * Reads `artifact.json` and looks at every image before anything uses it.
 * @throws JobError ARTIFACT_MISSING when it is not there or not whole, GUEST_UNSUPPORTED for an image that refers to
 *   another file
 */
export async function loadArtifact(folder: string, signal: AbortSignal): Promise<LoadedArtifact> {
  const artifact = await readManifest(path.join(folder, 'artifact.json'));
  const images: ArtifactImage[] = [];
  for (const disk of artifact.disks.toSorted((a, b) => a.index - b.index)) {
    const file = path.resolve(folder, disk.file);
    if (path.dirname(file) !== path.resolve(folder)) {
      throw new JobError('ARTIFACT_MISSING', `${disk.file} of the artifact is not a file beside its manifest`);
    }
    await checkImage(file, disk, signal);
    images.push({ file, format: disk.format, disk });
  }
  return { artifact, images };
}

async function readManifest(file: string): Promise<Artifact> {
  const size = await lstat(file).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
  if (size === undefined) throw new JobError('ARTIFACT_MISSING', `${file} is not there`);
  if (size > MANIFEST_LIMIT_BYTES) throw new JobError('ARTIFACT_MISSING', `${file} is too large to be a manifest`);
  try {
    return Artifact.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new JobError('ARTIFACT_MISSING', `${file} is not a valid manifest of exported disks`, { cause: error });
  }
}

/**
 * Looks at an image before anything reads it: a plain file of the given size that refers to no other.
 * @throws JobError ARTIFACT_MISSING, GUEST_UNSUPPORTED, CHILD_FAILED when it is none of its format
 */
export async function checkImage(
  file: string,
  disk: Pick<ArtifactDisk, 'format' | 'capacity_bytes'>,
  signal: AbortSignal,
): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (!found?.isFile()) throw new JobError('ARTIFACT_MISSING', `the exported disk ${file} is not there`);
  // Locks are left out: after a kill the old owner's QEMU may take a moment to go.
  const args = ['info', '--output=json', '-U', '-f', disk.format, file];
  const { stdout } = await runGuarded('qemu-img', args, { signal, timeoutMs: 60_000 });
  const info = ImageInfo.parse(JSON.parse(stdout));
  const other = info['backing-filename'] ?? info['full-backing-filename'] ?? info['format-specific']?.data['data-file'];
  if (other !== undefined)
    throw new JobError('GUEST_UNSUPPORTED', `${file} refers to another file (${other}): it is refused`);
  if (info['virtual-size'] !== disk.capacity_bytes) {
    const sizes = `${info['virtual-size']} bytes instead of ${disk.capacity_bytes}`;
    throw new JobError('ARTIFACT_MISSING', `the exported disk ${file} has ${sizes}`);
  }
}
