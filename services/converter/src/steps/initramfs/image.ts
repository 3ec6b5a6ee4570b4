import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import type { Appliance } from '../../guest/index.js';
import type { StepContext } from '../step.js';
import { ArchiveError, readArchive, type Archive } from './archive/index.js';

/** 100 MB take some seconds; a busy host may need far more. */
const TRANSFER_LIMIT_MS = 600_000;

export async function download(appliance: Appliance, image: string, file: string): Promise<void> {
  await appliance.call(['download', image, file], TRANSFER_LIMIT_MS);
}

/** An existing image keeps its owner, mode and attributes. */
export async function upload(appliance: Appliance, file: string, image: string): Promise<void> {
  await appliance.call(['upload', file, image], TRANSFER_LIMIT_MS);
}

export async function sha1(file: string): Promise<string> {
  const hash = createHash('sha1');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** @throws JobError GUEST_CORRUPT for an image that the kernel could not unpack either */
export async function readImage(
  file: string,
  image: string,
  signal: AbortSignal,
  keep: readonly string[] = [],
): Promise<Archive> {
  try {
    return await readArchive(file, signal, (each) => keep.includes(each));
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new JobError('GUEST_CORRUPT', `the initramfs ${image} cannot be read: ${error.message}`, { cause: error });
  }
}

/**
 * The paths in an initramfs of the guest, read on the host: hostile input, see `readArchive`.
 * @throws JobError GUEST_CORRUPT
 */
export async function listInitramfs(
  { appliance, folder, signal }: Pick<StepContext, 'appliance' | 'folder' | 'signal'>,
  image: string,
): Promise<readonly string[]> {
  const file = path.join(folder, `initramfs-${randomUUID()}`);
  try {
    await download(appliance, image, file);
    return (await readImage(file, image, signal)).paths;
  } finally {
    await rm(file, { force: true });
  }
}
