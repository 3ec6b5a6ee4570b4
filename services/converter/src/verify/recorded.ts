import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Artifact, JobError } from '@hyper2kvm/contracts';
import { Manifest } from '../commit/index.js';

/** An image as it was when its hashes were taken. */
export interface RecordedImage {
  /** A name beside its record. */
  readonly name: string;
  readonly format: 'qcow2' | 'raw';
  readonly capacityBytes: number;
  /** SHA-256 of each 64 MiB of content; null is a hole. */
  readonly segments: readonly (string | null)[];
}

/** Some 5 MiB for 4 TiB of content, twice. */
const LIMIT_BYTES = 512 * 1024 * 1024;

/**
 * What was recorded in a folder: of the converted images (`manifest.json`), or of the exported ones (`artifact.json`).
 * @throws JobError ARTIFACT_MISSING when there is neither, it cannot be read, has no hashes, or is another job's
 */
export async function readRecord(folder: string, jobId: string): Promise<RecordedImage[]> {
  const { job_id: owner, images } = (await readManifest(folder)) ?? (await readArtifact(folder)) ?? nothing(folder);
  if (owner !== jobId) throw missing(`${folder} holds the images of ${owner}, not of ${jobId}`);
  return images;
}

interface Record {
  readonly job_id: string;
  readonly images: RecordedImage[];
}

async function readManifest(folder: string): Promise<Record | undefined> {
  const file = path.join(folder, 'manifest.json');
  const manifest = await parse(file, (json) => Manifest.parse(json));
  if (manifest === undefined) return undefined;
  const images = manifest.disks.map(({ file: name, format, capacity_bytes: capacityBytes, segments }) => {
    if (segments === undefined) throw missing(`${file} has no hashes of the images: it is of an older version`);
    return { name, format, capacityBytes, segments };
  });
  return { job_id: manifest.job_id, images };
}

async function readArtifact(folder: string): Promise<Record | undefined> {
  const artifact = await parse(path.join(folder, 'artifact.json'), (json) => Artifact.parse(json));
  if (artifact === undefined) return undefined;
  const disks = artifact.disks.toSorted((a, b) => a.index - b.index);
  const images = disks.map(({ file: name, format, capacity_bytes: capacityBytes, segments }) => ({
    name,
    format,
    capacityBytes,
    segments,
  }));
  return { job_id: artifact.job_id, images };
}

async function parse<T>(file: string, read: (json: unknown) => T): Promise<T | undefined> {
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > LIMIT_BYTES) throw missing(`${file} is no record of images`);
  try {
    return read(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw missing(`${file} is not a valid record of images`, error);
  }
}

const missing = (message: string, cause?: unknown): JobError =>
  new JobError('ARTIFACT_MISSING', message, cause === undefined ? {} : { cause });

function nothing(folder: string): never {
  throw missing(`${folder} has neither manifest.json nor artifact.json: no images are recorded there`);
}
